"""Which ranges of an object are asked for, and what an answer holds of it. Pure."""

from __future__ import annotations

PARTS_MAX = 8
PART_BYTES_MIN = 64 << 10
LONE_PART_BYTES_MIN = 32 << 10
"""An idle connection sends so much in two round trips (RFC 6928: 10 segments, then 20)."""

Parts = list[tuple[int, int]]
"""Offset and length of each."""


def split(offset: int, size: int, idle: int, reads: int) -> Parts:
    """The parts in which a range is read by its share of the `idle` connections.

    `reads` begin together, this one among them; smaller parts for a read that comes alone.
    """
    part_bytes_min = LONE_PART_BYTES_MIN if reads == 1 else PART_BYTES_MIN
    count = max(1, min(idle // reads, PARTS_MAX, size // part_bytes_min))
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
