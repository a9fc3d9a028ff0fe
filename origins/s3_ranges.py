"""Which ranges of an object are asked for, and what an answer holds of it. Pure."""

from __future__ import annotations

PARTS_MAX = 4
PART_BYTES_MIN = 64 << 10
LONE_PARTS_MAX = 8
LONE_PART_BYTES_MIN = 32 << 10
"""An idle connection sends so much in two round trips (RFC 6928: 10 segments, then 20)."""

Parts = list[tuple[int, int]]
"""Offset and length of each."""


def split(offset: int, size: int, idle: int, under_way: int, *, is_lone: bool) -> Parts:
    """The parts in which a range is read.

    By so many `idle` connections at most, and fewer the more requests are `under_way`; more and
    smaller parts for a read that comes alone.
    """
    most = min(idle, (LONE_PARTS_MAX if is_lone else PARTS_MAX) - under_way)
    count = max(1, min(most, size // (LONE_PART_BYTES_MIN if is_lone else PART_BYTES_MIN)))
    length = -(-size // count)
    return [(at, min(length, offset + size - at)) for at in range(offset, offset + size, length)]


def extent(length: int, content_range: str | None) -> tuple[int, int]:
    """Where a body of `length` bytes starts in the object, and the object's size.

    Some servers answer a range with the whole object: then there is no Content-Range (RFC 9110
    section 14.4).
    """
    if content_range is None:
        return 0, length
    bounds, _, total = content_range.removeprefix("bytes ").partition("/")
    start = int(bounds.partition("-")[0])
    return start, int(total) if total.isdecimal() else start + length
