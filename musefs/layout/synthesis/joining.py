"""Segments in a row, put together to a layout."""

from __future__ import annotations

from collections.abc import Iterable

from musefs.layout.segments import Backing, Layout, Segment, Synthesised


def joined(segments: Iterable[Segment]) -> Layout:
    """The layout of these segments: empty ones left out, neighbours in one piece."""
    parts: list[Segment] = []
    last: Segment | None = None
    for segment in segments:
        if not segment.length:
            continue
        both = _in_one(last, segment) if type(last) is type(segment) else None
        if both is None:
            last = segment
            parts.append(segment)
        else:
            last = parts[-1] = both
    return Layout(tuple(parts))


def _in_one(first: Segment | None, second: Segment) -> Segment | None:
    """Two segments as one, None where they do not belong together."""
    match first, second:
        case Synthesised(), Synthesised():
            return Synthesised(first.data + second.data)
        case Backing(), Backing() if first.offset + first.length == second.offset:
            return Backing(first.offset, first.length + second.length)
    return None
