"""Tags of tracks as they are told to a user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SHOWN_MAX = 1_000
"""So many tracks below a folder are shown."""

TOLD_MAX = 100
"""So many of the tracks that an edit changed are told."""


@dataclass(frozen=True, slots=True)
class ArtOfTrack:
    """A picture that a track shows: its picture type of ID3v2, its size in bytes, and its source.

    `given`: by a user, not by the file.
    """

    kind: int
    mime: str
    length: int
    given: bool


@dataclass(frozen=True, slots=True)
class TrackTags:
    """A track as it is served. `path` in the tree; `edited` names what a user has set.

    `untouched` is the reason why the file is served with its own bytes all the same, if it is.
    """

    path: str
    format: str
    tags: Mapping[str, tuple[str, ...]]
    edited: tuple[str, ...]
    art: tuple[ArtOfTrack, ...]
    untouched: str | None


@dataclass(frozen=True, slots=True)
class Edited:
    """What an edit did: the first tracks of `count`. `pending`: the mount does not show it yet."""

    tracks: tuple[TrackTags, ...]
    count: int
    pending: bool
