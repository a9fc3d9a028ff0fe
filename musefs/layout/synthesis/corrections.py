"""A range of the backing file with a few bytes written over: sizes and offsets, mostly."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from musefs.layout.segments import Backing, Segment, Synthesised

Correction = tuple[int, bytes]
"""An offset in the backing file, and the bytes that shall stand there instead."""


def corrected(start: int, end: int, corrections: Iterable[Correction]) -> Iterator[Segment]:
    """The range [start, end) with those corrections that lie in it; they do not overlap."""
    for offset, data in sorted(corrections):
        if start <= offset < end:
            yield Backing(start, offset - start)
            yield Synthesised(data)
            start = offset + len(data)
    yield Backing(start, end - start)
