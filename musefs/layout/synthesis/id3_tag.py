"""A new ID3v2.4 tag for a file: text that mutagen renders, frames that stay, and pictures.

mutagen is only shown frames of text that keep to the bounds of the reader, and never a picture.
The tag is not unsynchronised and has neither an extended header nor a footer.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

from mutagen.id3 import ID3

from musefs.layout.id3_frames import add_id3v1, decode, read_id3
from musefs.layout.pictures import FRONT_COVER
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Art, Backing, Segment, Synthesised
from musefs.layout.synthesis.id3_fields import set_frames
from musefs.layout.synthesis.kept_frames import kept_frames, put_picture
from musefs.layout.synthesis.parts import Parts
from musefs.layout.synthesis.sizes import to_syncsafe
from musefs.layout.synthesis.utf16_frames import with_utf8
from musefs.layout.tag_ends import ID3V1_BYTES
from musefs.layout.wish import Unservable, Wish

TAG_BYTES_MAX = (1 << 28) - 1
HEADER_BYTES = 10


@dataclass(frozen=True, slots=True)
class NewTag:
    """The frames of a tag; `text` is mutagen's ID3 of those that are text."""

    text: Any
    frames: tuple[Segment, ...]

    @property
    def length(self) -> int:
        """Of the frames and the header in front of them, in bytes; 0 when there are none."""
        frames = sum(frame.length for frame in self.frames)
        return HEADER_BYTES + frames if frames else 0

    def segments(self, padding: int = 0) -> list[Segment]:
        """The tag with so many bytes of padding (ID3v2.4 structure, section 3)."""
        frames = sum(frame.length for frame in self.frames)
        if frames + padding > TAG_BYTES_MAX:
            raise Unservable("would need an ID3v2 tag of 256 MiB or more")
        header = b"ID3\4\0\0" + to_syncsafe(frames + padding)
        return [Synthesised(header), *self.frames, Synthesised(bytes(padding))]


def new_tag(
    file: RangedFile, wish: Wish, start: int | None = None, id3v1: int | None = None
) -> NewTag:
    """The tag that says the wish. `start`, `id3v1`: where the file has tags of ID3, None for none.

    Raises Need, BoundReached, Malformed and Unservable.
    """
    for picture in wish.embedded:
        if picture.offset is not None:
            file.extents.hole(
                file.start + picture.offset, file.start + picture.offset + picture.length
            )
    old = read_id3(file, start) if start is not None else None
    text: Any = decode(with_utf8(old)) if old else ID3()
    if id3v1 is not None:
        add_id3v1(text, file.exactly(id3v1, ID3V1_BYTES))
    set_frames(text, wish.tags)
    parts = Parts(file)
    parts.add(_rendered(text))
    if wish.cover:
        put_picture(parts, FRONT_COVER, wish.cover.mime, Art(wish.cover.id, 0, wish.cover.length))
    if start is not None and old is not None:
        parts.extend(kept_frames(file, start, wish))
    else:
        _put_foreign_pictures(parts, wish)
    return NewTag(text, tuple(parts.segments()))


def _rendered(text: Any) -> bytes:
    """The frames alone. Those that mutagen does not know stay as they are: see kept_frames."""
    text.unknown_frames = []
    whole = BytesIO()
    text.save(whole, v1=0, v2_version=4, padding=lambda _: 0)
    return whole.getvalue()[HEADER_BYTES:]


def _put_foreign_pictures(parts: Parts, wish: Wish) -> None:
    """Pictures of a tag of another kind, which this one replaces."""
    for picture in wish.embedded:
        if picture.offset is not None and wish.keeps(picture.kind):
            put_picture(parts, picture.kind, picture.mime, Backing(picture.offset, picture.length))
