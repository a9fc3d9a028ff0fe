"""What an inspection found, as the catalogue stores it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from musefs.catalog.contents import StoredContent

Kind = Literal["audio", "sidecar"]


@dataclass(frozen=True, slots=True)
class ArtRecord:
    """A picture embedded in a file; `offset` in the file's bytes when it lies there as it is."""

    kind: int
    mime: str
    offset: int | None
    length: int


@dataclass(frozen=True, slots=True)
class ContentRecord:
    """What was found in a file's bytes. `format` is None for a sidecar.

    `regions`: see Content; none for the three usual ones. `variant_of`: the fingerprint that the
    file's size and ends give, when another content has that one already. `audio_of`: a content
    whose audio these bytes have too.
    """

    fingerprint: bytes
    audio_start: int
    audio_end: int
    format: str | None = None
    duration_s: float | None = None
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    art: Sequence[ArtRecord] = ()
    regions: Sequence[int] = ()
    variant_of: bytes | None = None
    audio_of: StoredContent | None = None


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file and what is known of its content: None when it could not be read."""

    path: str
    size: int
    mtime_ns: int
    version: str
    kind: Kind
    content: ContentRecord | None
    failure: str | None = None
