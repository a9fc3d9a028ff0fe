"""What a virtual file is made of: segments in order. Pure.

A file that is served with its original bytes is one Backing segment; a re-tagged one begins with
Synthesised bytes, mostly. A picture is never part of those: it is a range of the backing content,
or of a picture that a user gave.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from musefs.model import PictureId


@dataclass(frozen=True, slots=True)
class Synthesised:
    """Bytes that exist in the layout alone."""

    data: bytes

    @property
    def length(self) -> int:
        """In bytes."""
        return len(self.data)

    def part(self, start: int, end: int) -> Synthesised:
        """Bytes [start, end) of this segment."""
        return Synthesised(self.data[start:end])


@dataclass(frozen=True, slots=True)
class Backing:
    """A range of the backing content."""

    offset: int
    length: int

    def part(self, start: int, end: int) -> Backing:
        """Bytes [start, end) of this segment."""
        return Backing(self.offset + start, end - start)


@dataclass(frozen=True, slots=True)
class Art:
    """A range of a picture that a user gave."""

    picture: PictureId
    offset: int
    length: int

    def part(self, start: int, end: int) -> Art:
        """Bytes [start, end) of this segment."""
        return Art(self.picture, self.offset + start, end - start)


@dataclass(frozen=True, slots=True)
class ArtText:
    """A range of a given picture's base64 text (RFC 4648 section 4), counted in characters."""

    picture: PictureId
    offset: int
    length: int

    def part(self, start: int, end: int) -> ArtText:
        """Characters [start, end) of this segment."""
        return ArtText(self.picture, self.offset + start, end - start)


@dataclass(frozen=True, slots=True)
class Pages:
    """A range of the backing content's Ogg pages, with `delta` added to their sequence numbers.

    `first` is where the run of pages begins in the backing content: a page starts there. Pages of
    other streams than `serial` stay as they are.
    """

    offset: int
    length: int
    first: int
    serial: int
    delta: int

    def part(self, start: int, end: int) -> Pages:
        """Bytes [start, end) of this segment."""
        return Pages(self.offset + start, end - start, self.first, self.serial, self.delta)


Segment = Synthesised | Backing | Art | ArtText | Pages


@dataclass(frozen=True)
class Layout:
    """The segments of one virtual file, in order, none of them empty."""

    segments: tuple[Segment, ...]

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(segment.length for segment in self.segments))

    @property
    def size(self) -> int:
        """The virtual file's size in bytes."""
        return self._ends[-1] if self.segments else 0

    def slice(self, offset: int, size: int) -> list[Segment]:
        """The parts that cover [offset, offset + size), cut at the end of the file."""
        end = min(offset + size, self.size)
        parts: list[Segment] = []
        index = bisect_right(self._ends, offset)
        while offset < end:
            segment = self.segments[index]
            start = self._ends[index] - segment.length
            stop = min(end, self._ends[index])
            parts.append(segment.part(offset - start, stop - start))
            offset, index = stop, index + 1
        return parts


def original(size: int) -> Layout:
    """The layout of a file that is served as it is."""
    return Layout((Backing(0, size),) if size else ())
