"""The one writer of the chunk store: everything that changes the disk happens here, in order.

Readers leave what they fetched, and what they found broken, and go on. Memory for what waits is
bounded: a reader's chunks beyond it are not stored, who brings chunks to be kept waits for room.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from musefs.content.broken_chunks import BrokenChunks
from musefs.content.chunk_shelf import ChunkShelf, StoreLimits
from musefs.model import Buffer, ContentId

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Arrived:
    content_id: ContentId
    index: int
    data: Buffer
    kept: bool

    @property
    def key(self) -> tuple[ContentId, int]:
        return self.content_id, self.index


@dataclass(frozen=True, slots=True)
class _Broken:
    digest: bytes


class ChunkWriter:
    """Chunks on their way to the disk. `run` is its life; without it nothing is written."""

    def __init__(self, shelf: ChunkShelf, limits: StoreLimits) -> None:
        self._shelf = shelf
        self._limits = limits
        self._queue: deque[_Arrived | _Broken] = deque()
        self._arrived: dict[tuple[ContentId, int], _Arrived] = {}
        self._news = asyncio.Event()
        self._progress = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self.broken = BrokenChunks(shelf, self._one_at_a_time, self._enqueue_broken)
        self._closed = False
        self._hurries = 0
        self.loaded = False
        self.queued_bytes = 0
        self._kept_bytes = 0
        self.refused = 0

    def offer(self, content_id: ContentId, index: int, data: Buffer) -> None:
        """Store a chunk, unless too much is waiting already or the disk refuses."""
        if (content_id, index) in self._arrived:
            return
        full = self.queued_bytes + len(data) > self._limits.queue_bytes_max
        if full or self._closed or self._shelf.refuses:
            self.refused += 1
            return
        self._enqueue(_Arrived(content_id, index, data, kept=False))

    async def keep(self, content_id: ContentId, index: int, data: Buffer, deadline: float) -> bool:
        """Store a chunk to be evicted last, once there is room for it in the queue.

        False when the disk refuses, or the deadline, in the loop's time, has passed.
        """
        waiting = self._arrived.get((content_id, index))
        if waiting is not None and waiting.kept:
            return True
        while not self._closed and not self._shelf.refuses:
            if self._has_room_to_keep(len(data)):
                self._enqueue(_Arrived(content_id, index, data, kept=True))
                return True
            if not await self._progressed(deadline):
                break
        self.refused += 1
        return False

    @property
    def is_idle(self) -> bool:
        """Whether all that came is stored and recorded."""
        return not self._queue and self._shelf.is_recorded

    async def finished(self, deadline: float) -> bool:
        """Have all that came stored and recorded, without waiting for a batch to be full.

        False when the disk refuses, or the deadline, in the loop's time, has passed.
        """
        self._hurries += 1
        self._news.set()
        try:
            return await self.until(lambda: self.is_idle, deadline)
        finally:
            self._hurries -= 1

    async def until(self, reached: Callable[[], bool], deadline: float) -> bool:
        """Wait for something that the writer's steps bring about.

        False when the disk refuses, or the deadline, in the loop's time, has passed.
        """
        while not reached():
            if self._closed or self._shelf.refuses or not await self._progressed(deadline):
                return False
        return True

    def waiting(self, content_id: ContentId, index: int) -> Buffer | None:
        """A chunk that is not on the disk yet."""
        found = self._arrived.get((content_id, index))
        return found.data if found is not None else None

    async def run(self) -> None:
        """Work until cancelled, then write what waits, for `flush_s` at most."""
        try:
            while not self.loaded:
                async with self._one_at_a_time:
                    loaded = await self._shelf.load()
                    await self._shelf.settle()
                    self.loaded = loaded
                self._progress.set()
                if not self.loaded:
                    await asyncio.sleep(self._limits.retry_after_s)
            while True:
                await self._wait()
                await self._step()
        finally:
            self._closed = True
            self._progress.set()
            if self.loaded:
                await self._flush()

    async def clear(self) -> int:
        """Remove every chunk from the disk; how many bytes they had. Raises DiskRefused."""
        async with self._one_at_a_time:
            return await self._shelf.clear()

    def _enqueue(self, item: _Arrived) -> None:
        self._arrived[item.key] = item
        self.queued_bytes += len(item.data)
        self._kept_bytes += len(item.data) if item.kept else 0
        self._queue.append(item)
        self._news.set()

    def _enqueue_broken(self, digest: bytes) -> None:
        self._queue.append(_Broken(digest))
        self._news.set()

    def _has_room_to_keep(self, size: int) -> bool:
        """At most half of the queue, so that readers' chunks find room beside a scan's."""
        if not self._kept_bytes:
            return True
        most = self._limits.queue_bytes_max
        return self._kept_bytes + size <= most // 2 and self.queued_bytes + size <= most

    async def _progressed(self, deadline: float) -> bool:
        """Wait for the writer's next step; False when the deadline came first."""
        self._progress.clear()
        try:
            async with asyncio.timeout_at(deadline):
                await self._progress.wait()
        except TimeoutError:
            return False
        return True

    async def _wait(self) -> None:
        """Until something has come in or is due."""
        due = self._shelf.due_at
        while not (self._queue or self._is_hurried) and asyncio.get_running_loop().time() < due:
            self._news.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._news.wait()
            except TimeoutError:
                return

    @property
    def _is_hurried(self) -> bool:
        return self._hurries > 0 and not self._shelf.is_recorded

    async def _step(self) -> None:
        async with self._one_at_a_time:
            if self._queue:
                # it leaves the queue when done, so that a step that was cancelled is done again
                await self._handle(self._queue[0])
                self._leave_queue()
            if not self._queue and self._is_hurried:
                await self._shelf.record()
            await self._shelf.settle()
        self._progress.set()

    async def _handle(self, item: _Arrived | _Broken) -> None:
        if isinstance(item, _Broken):
            await self.broken.remove(item.digest)
        elif not await self._shelf.put(item.content_id, item.index, item.data, kept=item.kept):
            self.refused += 1

    def _leave_queue(self) -> None:
        item = self._queue.popleft()
        if isinstance(item, _Arrived):
            if self._arrived.get(item.key) is item:
                del self._arrived[item.key]
            self.queued_bytes -= len(item.data)
            self._kept_bytes -= len(item.data) if item.kept else 0

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(self._limits.flush_s), self._one_at_a_time:
                while self._queue:
                    await self._handle(self._queue[0])
                    self._leave_queue()
                await self._shelf.record()
        except TimeoutError:
            log.info("%d chunks were not written before the end", len(self._queue))
