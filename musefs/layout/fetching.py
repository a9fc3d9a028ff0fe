"""Runs a parser over ranges that are fetched as it asks for them.

A parser is synchronous and repeatable: where a byte is missing it raises Need, that range is
fetched with some more behind it, and it runs again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from musefs.layout.ranged import Extents, Malformed, Need, RangedFile

T = TypeVar("T")

FETCHES_MAX = 64
_AHEAD_BYTES_MIN = 16 << 10
_AHEAD_BYTES_MAX = 256 << 10

Read = Callable[[int, int], Awaitable[bytes]]
"""(offset, size) to bytes, fewer only at the end of the file."""


async def parsed(
    read: Read, extents: Extents, parse: Callable[[RangedFile], T], tail_bytes: int = 0
) -> T:
    """What `parse` makes of a file. What it and `read` raise passes through.

    In the last `tail_bytes` of the file all is fetched at once: tags at the end come together.
    Raises Malformed when the file is shorter than it should be, or needs more than FETCHES_MAX
    requests.
    """
    ahead = _AHEAD_BYTES_MIN
    for _ in range(FETCHES_MAX):
        try:
            return parse(RangedFile(extents))
        except Need as need:
            start, wanted_end = need.start, need.end
        behind = extents.known_before(start)
        if start - behind <= _AHEAD_BYTES_MIN:  # reading on, or over a small gap: more and more
            start, ahead = behind, min(ahead * 2, _AHEAD_BYTES_MAX)
        else:
            ahead = _AHEAD_BYTES_MIN
        end = max(wanted_end, start + ahead)
        if start >= extents.size - tail_bytes:
            end = extents.size
        end = min(end, extents.size, start + extents.spare_bytes)
        data = await read(start, end - start)
        if len(data) < wanted_end - start:
            raise Malformed("is shorter than its listing says")
        extents.add(start, data)
    raise Malformed(f"has tags in more than {FETCHES_MAX} places")
