"""The parts of a new header, in order: what is written anew, and what the file has already."""

from __future__ import annotations

from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Backing, Segment, Synthesised

INLINE_BYTES_MAX = 1024
"""Kept pieces up to this size are copied, so that reading the header asks no origin for them."""
INLINE_TOTAL_BYTES_MAX = 16 << 10


class Parts:
    """Segments that are collected over one file. Reading raises Need and BoundReached."""

    def __init__(self, file: RangedFile) -> None:
        self.length = 0
        self.file = file
        self._segments: list[Segment] = []
        self._inline: list[bytes] = []
        self._spare = INLINE_TOTAL_BYTES_MAX

    def add(self, data: bytes) -> None:
        """Bytes that are written anew."""
        self._inline.append(data)
        self.length += len(data)

    def put(self, segment: Segment) -> None:
        """Any segment."""
        self._flush()
        self._segments.append(segment)
        self.length += segment.length

    def keep(self, start: int, end: int) -> None:
        """Bytes [start, end) of the file: a copy when they are few, else their range."""
        if end - start > min(INLINE_BYTES_MAX, self._spare):
            self.put(Backing(start, end - start))
        else:
            self._spare -= end - start
            self.add(self.file.exactly(start, end - start))

    def extend(self, others: Parts) -> None:
        """All parts of another collection."""
        for segment in others.segments():
            self.put(segment)

    def segments(self) -> list[Segment]:
        """What has been collected, bytes that were added in a row as one segment."""
        self._flush()
        return list(self._segments)

    def _flush(self) -> None:
        data = b"".join(self._inline)
        self._inline = []
        if data:
            self._segments.append(Synthesised(data))
