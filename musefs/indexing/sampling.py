"""Which parts of a stored content are compared with a file, and what a variant is called. Pure.

Windows lie at both ends of what is stored and in between, at places that follow from the content's
fingerprint: another replica is compared at the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blake3 import blake3

from musefs.content.chunking import Chunk
from musefs.model import Buffer

WINDOW_BYTES = 8 << 10
WINDOWS_BETWEEN = 6

_DRAW_BYTES = 8


@dataclass(frozen=True, slots=True)
class Window:
    """Bytes [start, end) of a content, which lie in one chunk of it."""

    chunk: Chunk
    start: int
    end: int


def windows_of(stored: Sequence[Chunk], fingerprint: bytes) -> list[Window]:
    """The windows to compare of these chunks, which are in order: each place once, in order."""
    if not stored:
        return []
    first, last = stored[0], stored[-1]
    found = {
        _window(first, first.start),
        _window(last, max(last.start, last.end - WINDOW_BYTES)),
    }
    draws = blake3(fingerprint).digest(length=WINDOWS_BETWEEN * _DRAW_BYTES)
    for number in range(WINDOWS_BETWEEN):
        draw = int.from_bytes(draws[number * _DRAW_BYTES : (number + 1) * _DRAW_BYTES], "little")
        # One in each part of equal size: windows that fall together show less.
        low = number * len(stored) // WINDOWS_BETWEEN
        high = max(low + 1, (number + 1) * len(stored) // WINDOWS_BETWEEN)
        chunk = stored[low + draw % (high - low)]
        room = max(1, chunk.size - WINDOW_BYTES + 1)
        found.add(_window(chunk, chunk.start + (draw >> 32) % room))
    return sorted(found, key=lambda window: (window.start, window.end))


def variant(ends: bytes, earlier: bytes, seen: Iterable[tuple[int, Buffer]]) -> bytes:
    """The fingerprint of a file that has the size and ends of a content and other bytes between.

    BLAKE3 over the fingerprint of its size and ends, the one it had so far, and the BLAKE3 of what
    was `seen` of it: offsets (8 bytes, little-endian), each with its bytes. With `earlier` in it,
    it is never the one that the file had.
    """
    windows = blake3()
    for offset, data in seen:
        windows.update(offset.to_bytes(8, "little"))
        windows.update(data)
    return blake3(ends + earlier + windows.digest()).digest()


def _window(chunk: Chunk, start: int) -> Window:
    return Window(chunk, start, min(start + WINDOW_BYTES, chunk.end))
