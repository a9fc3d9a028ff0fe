"""The one writer of the chunk store: everything that changes the disk happens here, in order.

Readers leave what they fetched, and what they found broken, and go on. Memory for what waits is
bounded: chunks beyond it are simply not kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass

from musefs.content.chunk_shelf import ChunkShelf, StoreLimits
from musefs.model import Buffer, ContentId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Arrived:
    content_id: ContentId
    index: int
    data: Buffer


@dataclass(frozen=True, slots=True)
class _Broken:
    digest: bytes


class ChunkWriter:
    """Chunks on their way to the disk. `run` is its life; without it nothing is written."""

    def __init__(self, shelf: ChunkShelf, limits: StoreLimits) -> None:
        self._shelf = shelf
        self._limits = limits
        self._queue: deque[_Arrived | _Broken] = deque()
        self._arrived: dict[tuple[ContentId, int], Buffer] = {}
        self._broken: set[bytes] = set()
        self._news = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._closed = False
        self.loaded = False
        self.queued_bytes = 0
        self.refused = 0

    def offer(self, content_id: ContentId, index: int, data: Buffer) -> None:
        """Keep a chunk, unless too much is waiting already or the disk refuses."""
        key = (content_id, index)
        if key in self._arrived:
            return
        full = self.queued_bytes + len(data) > self._limits.queue_bytes_max
        if full or self._closed or self._shelf.refuses:
            self.refused += 1
            return
        self._arrived[key] = data
        self.queued_bytes += len(data)
        self._queue.append(_Arrived(content_id, index, data))
        self._news.set()

    def waiting(self, content_id: ContentId, index: int) -> Buffer | None:
        """A chunk that is not on the disk yet."""
        return self._arrived.get((content_id, index))

    def report_broken(self, digest: bytes) -> None:
        """The file is gone or wrong: remove it and its rows, and do not read it until then."""
        if digest not in self._broken:
            self._broken.add(digest)
            self._queue.append(_Broken(digest))
            self._news.set()

    def is_broken(self, digest: bytes) -> bool:
        """Whether it was reported and could not be removed yet."""
        return digest in self._broken

    async def run(self) -> None:
        """Work until cancelled, then write what waits, for `flush_s` at most."""
        try:
            while not self.loaded:
                async with self._one_at_a_time:
                    self.loaded = await self._shelf.load()
                if not self.loaded:
                    await asyncio.sleep(self._limits.retry_after_s)
            while True:
                await self._wait()
                await self._step()
        finally:
            self._closed = True
            if self.loaded:
                await self._flush()

    async def clear(self) -> int:
        """Remove every chunk from the disk; how many bytes they had. Raises DiskRefused."""
        async with self._one_at_a_time:
            return await self._shelf.clear()

    async def _wait(self) -> None:
        """Until something has come in or is due."""
        due = self._shelf.due_at
        while not self._queue and asyncio.get_running_loop().time() < due:
            self._news.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._news.wait()
            except TimeoutError:
                return

    async def _step(self) -> None:
        async with self._one_at_a_time:
            if self._queue:
                # it leaves the queue when done, so that a step that was cancelled is done again
                await self._handle(self._queue[0])
                self._leave_queue()
            await self._shelf.settle()

    async def _handle(self, item: _Arrived | _Broken) -> None:
        if isinstance(item, _Broken):
            if await self._shelf.take_off(item.digest):
                self._broken.discard(item.digest)
        elif not await self._shelf.put(item.content_id, item.index, item.data):
            self.refused += 1

    def _leave_queue(self) -> None:
        item = self._queue.popleft()
        if isinstance(item, _Arrived):
            del self._arrived[item.content_id, item.index]
            self.queued_bytes -= len(item.data)

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(self._limits.flush_s), self._one_at_a_time:
                while self._queue:
                    await self._handle(self._queue[0])
                    self._leave_queue()
                await self._shelf.record()
        except TimeoutError:
            log.info("%d chunks were not written before the end", len(self._queue))
