"""Runs a parser over ranges that are fetched as it asks for them.

A parser is synchronous and repeatable: where a byte is missing it raises Need, that range is
fetched with some more behind it, and it runs again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from musefs.layout.ranged import Extents, Malformed, Need, RangedFile

T = TypeVar("T")

FETCHES_MAX = 64
AHEAD_BYTES_MIN = 16 << 10
AHEAD_BYTES_MAX = 256 << 10

Read = Callable[[int, int], Awaitable[bytes]]
"""(offset, size) to bytes, fewer only at the end of the file."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How much to fetch besides what is missing, in bytes.

    In the last `tail_bytes` of the file all is fetched at once: tags at the end come together. The
    first `leaps_max` times that a parser leaps over something, `leap_bytes` are fetched, of which
    `before_bytes` lie in front of where it lands.
    """

    tail_bytes: int = 0
    leaps_max: int = 0
    leap_bytes: int = AHEAD_BYTES_MIN
    before_bytes: int = 0


async def parsed(read: Read, extents: Extents, parse: Callable[[RangedFile], T], more: Ahead) -> T:
    """What `parse` makes of a file. What it and `read` raise passes through.

    Raises Malformed when the file is shorter than it should be, or needs more than FETCHES_MAX
    requests.
    """
    ahead, leaps = AHEAD_BYTES_MIN, more.leaps_max
    for _ in range(FETCHES_MAX):
        try:
            return parse(RangedFile(extents))
        except Need as need:
            start, wanted_end = need.start, need.end
        behind = extents.known_before(start)
        if start - behind <= AHEAD_BYTES_MIN:  # reading on, or over a small gap: more and more
            start, ahead = behind, min(ahead * 2, AHEAD_BYTES_MAX)
        elif leaps:
            leaps -= 1
            start, ahead = start - more.before_bytes, more.leap_bytes
        else:
            ahead = AHEAD_BYTES_MIN
        end = _fetch_end(extents, start, max(wanted_end, start + ahead), more.tail_bytes)
        data = await read(start, end - start)
        if len(data) < wanted_end - start:
            raise Malformed("is shorter than its listing says")
        extents.add(start, data)
    raise Malformed(f"has tags in more than {FETCHES_MAX} places")


def _fetch_end(extents: Extents, start: int, end: int, tail_bytes: int) -> int:
    if start >= extents.size - tail_bytes:
        end = extents.size
    return min(end, extents.size, start + extents.spare_bytes)
