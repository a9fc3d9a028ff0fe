"""Room for bytes that are still on their way: cached + reserved never exceeds the limit.

Who finds no room waits in line. When nothing is on its way that could make room later, because
readers have pinned all there is, or when the wait took too long, the first in line goes through the
one over-commit slot: its bytes are served and not kept. So a full pool is slow for a moment, never
stuck and never an error.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from musefs.content.blocks import BlockTable


class Reservations:
    """Bytes reserved in a table's memory; `reserved_bytes` is their sum."""

    def __init__(self, table: BlockTable, memory_bytes_max: int, wait_s: float) -> None:
        self._table = table
        self._memory_bytes_max = memory_bytes_max
        self._wait_s = wait_s
        self._line: deque[tuple[int, asyncio.Future[bool]]] = deque()
        self._over_commit = asyncio.Lock()
        self.reserved_bytes = 0

    @asynccontextmanager
    async def room(self, size: int) -> AsyncIterator[bool]:
        """Hold room for `size` bytes; False inside means: serve them, but do not keep them."""
        if await self._reserve(size):
            try:
                yield True
            finally:
                self.reserved_bytes -= size
                self.settle()
        else:
            try:
                async with self._over_commit:
                    yield False
            finally:
                self.settle()

    def settle(self) -> None:
        """Let in who fits now: call it when room may have come up."""
        while self._line:
            size, turn = self._line[0]
            if turn.done():
                self._line.popleft()
            elif self._fits(size):
                self.reserved_bytes += size
                turn.set_result(True)
            elif not self.reserved_bytes and not self._over_commit.locked():
                turn.set_result(False)
                return
            else:
                return

    async def _reserve(self, size: int) -> bool:
        if not self._line and self._fits(size):
            self.reserved_bytes += size
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._line.append((size, turn))
        self.settle()
        try:
            async with asyncio.timeout(self._wait_s):
                return await turn
        except TimeoutError:
            return not turn.cancelled() and turn.result()
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.result():
                self.reserved_bytes -= size
            self.settle()
            raise

    def _fits(self, size: int) -> bool:
        """Whether `size` bytes more have room, after evicting what may go."""
        table = self._table
        if table.pinned_bytes + self.reserved_bytes + size > self._memory_bytes_max:
            return False
        while table.bytes + self.reserved_bytes + size > self._memory_bytes_max:
            if not table.evict():
                return False
        return True
