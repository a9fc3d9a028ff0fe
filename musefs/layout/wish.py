"""What a served file is to say, in place of what the backing file says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from musefs.errors import MusefsError
from musefs.layout.pictures import FRONT_COVER, OTHER_PICTURE, Picture
from musefs.layout.tags import Tags
from musefs.model import PictureId

PADDING_BYTES_MIN = 4096
ALIGNMENT_BYTES = 4096
"""Served and backing audio are at the same offset modulo this, so that pages and blocks line up."""


class Unservable(MusefsError):
    """No header can be made for this file. The text ends a sentence that begins with the file."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture that a user gave as the front cover. `data` is needed where pages are hashed."""

    id: PictureId
    mime: str
    width: int
    height: int
    length: int
    data: bytes | None = field(default=None, repr=False)

    @property
    def dimensions(self) -> tuple[int, int, int]:
        """Width, height and bits per pixel for a FLAC picture: all of them, or none (RFC 9639 8.8).

        Of other pictures than JPEG the depth is not known.
        """
        return (self.width, self.height, 24) if self.mime == "image/jpeg" else (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Wish:
    """All tags of the served file, and its pictures.

    `embedded` are the pictures of the backing file. With a `cover`, it takes the place of those
    that are front covers or of no known kind; with `bare`, none of them stays.
    """

    tags: Tags
    embedded: Sequence[Picture] = ()
    cover: Cover | None = None
    bare: bool = False

    def keeps(self, kind: int) -> bool:
        """Whether an embedded picture of this kind (a picture type of ID3v2) stays."""
        replaced = self.cover is not None and kind in (FRONT_COVER, OTHER_PICTURE)
        return not self.bare and not replaced


def aligned_padding(spare: int) -> int:
    """How much padding to leave, when the header shrank by `spare` bytes (below 0: it grew).

    At least PADDING_BYTES_MIN, and so much that the audio moves by whole ALIGNMENT_BYTES. This is
    what mutagen's `padding` callback has to return for its `info.padding`.
    """
    return PADDING_BYTES_MIN + (spare - PADDING_BYTES_MIN) % ALIGNMENT_BYTES
