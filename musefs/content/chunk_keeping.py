"""Chunks that every scan of tags reads, brought into the store before anybody asks for them.

A reader's chunks are stored when there is room in the writer's queue; these wait for it, so a scan
goes no faster than the disk. A disk that is too slow or broken is left alone for a while: then they
are not kept, and the scan goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from musefs.content.chunk_shelf import ChunkShelf, StoreLimits
from musefs.content.chunk_writer import ChunkWriter
from musefs.content.chunking import Span, chunks_touched
from musefs.content.fragments import Fragments
from musefs.model import CHUNK_BYTES, Content

KEEP_WAIT_S = 10.0
"""How long the disk is waited for, at each call."""


class ChunkKeeping:
    """The second door of a chunk store. `clearings` counts how often the store was emptied."""

    def __init__(self, writer: ChunkWriter, shelf: ChunkShelf, limits: StoreLimits) -> None:
        self._writer = writer
        self._shelf = shelf
        self._limits = limits
        self._again_at = float("-inf")
        self.clearings = 0

    async def keep(self, content: Content, known: Fragments, spans: Sequence[Span]) -> bool:
        """Store the chunks that these spans touch and whose bytes are known: evicted last.

        False when one was not taken. Never raises.
        """
        if _now() < self._again_at:
            return False
        deadline = _now() + KEEP_WAIT_S
        if not await self._is_possible(deadline):
            self._again_at = _now() + self._limits.retry_after_s
            return False
        for chunk in chunks_touched(content, spans):
            data = known.between(chunk.start, chunk.end)
            if data is None:
                continue
            if not await self._writer.keep(content.id, chunk.index, data, deadline):
                self._again_at = _now() + self._limits.retry_after_s
                return False
        return True

    async def settled(self) -> bool:
        """Wait until all that came is on the disk; False when it is not within the bound."""
        return await self._writer.finished(_now() + KEEP_WAIT_S)

    async def has_room(self) -> bool:
        """Whether more may be kept; waits, within the bound, until it is known what is stored."""
        possible = await self._is_possible(_now() + KEEP_WAIT_S)
        return possible and self._shelf.may_keep(CHUNK_BYTES)

    async def _is_possible(self, deadline: float) -> bool:
        loaded = await self._writer.until(lambda: self._writer.loaded, deadline)
        return loaded and self._shelf.has_spare_room


def _now() -> float:
    return asyncio.get_running_loop().time()
