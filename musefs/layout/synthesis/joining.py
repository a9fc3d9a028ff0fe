"""Segments in a row, put together to a layout."""

from __future__ import annotations

from collections.abc import Iterable

from musefs.layout.segments import Backing, Layout, Segment, Synthesised


def joined(segments: Iterable[Segment]) -> Layout:
    """The layout of these segments: empty ones left out, neighbours in one piece."""
    parts: list[Segment] = []
    for segment in segments:
        if not segment.length:
            continue
        last = parts[-1] if parts else None
        if isinstance(last, Synthesised) and isinstance(segment, Synthesised):
            parts[-1] = Synthesised(last.data + segment.data)
        elif isinstance(last, Backing) and isinstance(segment, Backing) and _follows(segment, last):
            parts[-1] = Backing(last.offset, last.length + segment.length)
        else:
            parts.append(segment)
    return Layout(tuple(parts))


def _follows(segment: Backing, before: Backing) -> bool:
    """Whether a range begins where another one ends."""
    return before.offset + before.length == segment.offset
