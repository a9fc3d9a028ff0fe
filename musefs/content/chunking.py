"""Where chunks begin and end. Pure.

A file is made of regions: what is in front of its audio and behind it, each large picture there,
the beginning, the body and the end of the audio. Each is cut into CHUNK_BYTES counted from the
region's own start, so a tag that grows or shrinks moves no boundary inside the audio, two files
that differ only in their tags share every audio chunk, and files with equal pictures share those.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from musefs.model import CHUNK_BYTES, Content

Span = tuple[int, int]
"""Bytes [start, end) of a content."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes [start, end) of a content, and the chunk's number in it, counted over all regions."""

    index: int
    start: int
    end: int

    @property
    def size(self) -> int:
        """In bytes, never 0."""
        return self.end - self.start


def locate(content: Content, offset: int) -> tuple[int, int, int]:
    """Index, start and end of the chunk that holds `offset`, as plain numbers for the hot path."""
    regions = content.regions
    region = bisect_right(regions, offset) - 1
    begin, end = regions[region], regions[region + 1]
    number = (offset - begin) // CHUNK_BYTES
    start = begin + number * CHUNK_BYTES
    stop = start + CHUNK_BYTES
    if stop > end:
        stop = end
    return content.first_chunks[region] + number, start, stop


def chunk_at(content: Content, offset: int) -> Chunk:
    """The chunk that holds the byte at `offset`, which lies in [0, content.size)."""
    return Chunk(*locate(content, offset))


def chunk_numbered(content: Content, index: int) -> Chunk | None:
    """The chunk of that number; None when the content has fewer."""
    if not 0 <= index < content.first_chunks[-1]:
        return None
    region = bisect_right(content.first_chunks, index) - 1
    start = content.regions[region] + (index - content.first_chunks[region]) * CHUNK_BYTES
    return Chunk(index, start, min(start + CHUNK_BYTES, content.regions[region + 1]))


def chunks_of(content: Content, offset: int, size: int) -> Iterator[Chunk]:
    """The chunks that cover [offset, offset + size), cut at the end of the content, in order."""
    end = min(offset + size, content.size)
    while offset < end:
        chunk = chunk_at(content, offset)
        yield chunk
        offset = chunk.end


def chunks_touched(content: Content, ranges: Iterable[Span]) -> list[Chunk]:
    """The chunks that hold a byte of any of these ranges, in order, each once."""
    found = {
        chunk.index: chunk
        for start, end in ranges
        for chunk in chunks_of(content, start, end - start)
    }
    return [found[index] for index in sorted(found)]


def chunk_count(content: Content) -> int:
    """How many chunks the whole content has."""
    return content.first_chunks[-1]
