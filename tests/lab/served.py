"""Re-tagged files as bytes: what a mount would serve, made from the original and given pictures."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from musefs.layout.fetching import Ahead, parsed
from musefs.layout.formats import TAGS_AT_THE_END, TAIL_BYTES, Format, format_of, sniff
from musefs.layout.ogg_pages import renumbered, window
from musefs.layout.picture_text import raw_range, text
from musefs.layout.ranged import Extents
from musefs.layout.reading import TagReading, read_tags
from musefs.layout.segments import Art, ArtText, Backing, Layout, Segment, Synthesised
from musefs.layout.synthesis import needs_cover_bytes, synthesise
from musefs.layout.tags import Tags
from musefs.layout.wish import Cover, Wish
from musefs.model import PictureId

HEAD_BYTES = 64 << 10
_SIDE_PIXELS = 600


@dataclass(frozen=True, slots=True)
class GivenPicture:
    """A picture that a user gave; `mime` is that of a JPEG or a PNG."""

    id: PictureId
    mime: str
    data: bytes = field(repr=False)

    def cover(self, kind: Format) -> Cover:
        """As a wish names it; the bytes are there for those formats alone that need them."""
        data = self.data if needs_cover_bytes(kind) else None
        return Cover(self.id, self.mime, _SIDE_PIXELS, _SIDE_PIXELS, len(self.data), data)


def given_picture(number: int, mime: str, size: int) -> GivenPicture:
    """A picture that decodes, of `size` bytes: noise would do, but takes long to encode."""
    made = io.BytesIO()
    side = (_SIDE_PIXELS, _SIDE_PIXELS)
    Image.new("RGB", side, (number * 40, 80, 120)).save(made, mime.removeprefix("image/"))
    filled = {"image/jpeg": _filled_jpeg, "image/png": _filled_png}[mime]
    return GivenPicture(PictureId(number), mime, filled(made.getvalue(), size))


def _filled_jpeg(data: bytes, size: int) -> bytes:
    """With comment segments behind the start of image, ITU-T T.81 B.2.4.5."""
    comments, left = b"", size - len(data)
    while left:
        length = min(left, 60_000) if left - 60_000 not in range(1, 4) else 50_000
        body = bytes(number * 7 % 251 for number in range(length - 4))
        comments += b"\xff\xfe" + struct.pack(">H", length - 2) + body
        left -= length
    return data[:2] + comments + data[2:]


def _filled_png(data: bytes, size: int) -> bytes:
    """With a private, ancillary chunk in front of the last one, PNG section 5.3."""
    body = b"muSf" + bytes(number * 7 % 251 for number in range(size - len(data) - 12))
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:-12] + chunk + data[-12:]


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a file: its own tags become others, its pictures go or get a new cover."""

    tags: Callable[[Tags], Tags] = lambda own: own
    picture: GivenPicture | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Retagged:
    """What became of a file, and what was fetched of it to find that out."""

    format: Format
    original: bytes = field(repr=False)
    reading: TagReading
    wish: Wish
    layout: Layout
    pictures: Mapping[PictureId, bytes] = field(repr=False)
    fetched: tuple[tuple[int, int], ...]
    """(offset, length) of each request."""

    def materialise(self) -> bytes:
        """The bytes that are served."""
        return materialise(self.layout, self.original, self.pictures)


def claimed_format(path: Path) -> Format:
    """By the bytes where they tell, else by the name."""
    with path.open("rb") as file:
        found = sniff(file.read(HEAD_BYTES))
    claim = format_of(path.name) or Format.OTHER
    return claim if found is None or claim in (Format.MP3, Format.AAC) else found


def retag(path: Path, change: Change) -> Retagged:
    """Read a file by ranges and make its layout. Raises Unservable, Malformed."""
    original = path.read_bytes()
    kind = claimed_format(path)
    extents = Extents(len(original))
    requests: list[tuple[int, int]] = []

    async def read(offset: int, size: int) -> bytes:
        requests.append((offset, size))
        return original[offset : offset + size]

    async def made() -> tuple[TagReading, Wish, Layout]:
        extents.add(0, await read(0, HEAD_BYTES))
        ahead = Ahead(tail_bytes=TAIL_BYTES if kind in TAGS_AT_THE_END else 0)
        reading = await parsed(read, extents, lambda file: read_tags(kind, file), ahead)
        cover = change.picture.cover(reading.format) if change.picture else None
        wish = Wish(change.tags(reading.tags), reading.pictures, cover, change.bare)
        layout = await parsed(
            read, extents, lambda file: synthesise(reading.format, file, wish), ahead
        )
        return reading, wish, layout

    reading, wish, layout = asyncio.run(made())
    given = {change.picture.id: change.picture.data} if change.picture else {}
    return Retagged(reading.format, original, reading, wish, layout, given, tuple(requests))


def materialise(layout: Layout, original: bytes, pictures: Mapping[PictureId, bytes]) -> bytes:
    """The bytes of a layout over its backing content."""
    return joined(list(layout.segments), original, pictures)


def joined(parts: list[Segment], original: bytes, pictures: Mapping[PictureId, bytes]) -> bytes:
    """The bytes of some segments, one after another."""
    return b"".join(_bytes_of(part, original, pictures) for part in parts)


def _bytes_of(part: Segment, original: bytes, pictures: Mapping[PictureId, bytes]) -> bytes:
    match part:
        case Synthesised(data):
            return data
        case Backing(offset, length):
            return original[offset : offset + length]
        case Art(picture, offset, length):
            return pictures[picture][offset : offset + length]
        case ArtText(picture):
            start, size = raw_range(part, len(pictures[picture]))
            return text(part, pictures[picture][start : start + size])
    start, size = window(part, len(original))
    return renumbered(part, start, original[start : start + size])
