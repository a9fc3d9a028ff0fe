"""What a virtual file is made of: segments in order. Pure.

A file that is served with its original bytes is one Backing segment; a re-tagged one starts with
Synthesised bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate


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


Segment = Synthesised | Backing


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
