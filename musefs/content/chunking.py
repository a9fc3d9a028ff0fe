"""Where chunks begin and end. Pure.

A file has three regions: before, in and after its audio. Each is cut into CHUNK_BYTES counted from
the region's own start, so a tag that grows or shrinks moves no boundary inside the audio, and two
files that differ only in their tags share every audio chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from musefs.model import CHUNK_BYTES, Content


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


def _pieces(length: int) -> int:
    return -(-length // CHUNK_BYTES)


def locate(content: Content, offset: int) -> tuple[int, int, int]:
    """Index, start and end of the chunk that holds `offset`, as plain numbers for the hot path."""
    audio_start, audio_end, size = content.audio_start, content.audio_end, content.size
    if offset < audio_start:
        first, begin, end = 0, 0, audio_start
    elif offset < audio_end:
        first, begin, end = _pieces(audio_start), audio_start, audio_end
    else:
        first = _pieces(audio_start) + _pieces(audio_end - audio_start)
        begin, end = audio_end, size
    number = (offset - begin) // CHUNK_BYTES
    start = begin + number * CHUNK_BYTES
    return first + number, start, min(start + CHUNK_BYTES, end)


def chunk_at(content: Content, offset: int) -> Chunk:
    """The chunk that holds the byte at `offset`, which lies in [0, content.size)."""
    return Chunk(*locate(content, offset))


def chunks_of(content: Content, offset: int, size: int) -> Iterator[Chunk]:
    """The chunks that cover [offset, offset + size), cut at the end of the content, in order."""
    end = min(offset + size, content.size)
    while offset < end:
        chunk = chunk_at(content, offset)
        yield chunk
        offset = chunk.end


def chunk_count(content: Content) -> int:
    """How many chunks the whole content has."""
    return sum(
        _pieces(length)
        for length in (
            content.audio_start,
            content.audio_end - content.audio_start,
            content.size - content.audio_end,
        )
    )
