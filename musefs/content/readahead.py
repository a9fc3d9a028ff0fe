"""Reading ahead of one open file's reader, so that a single stream fills the link at any delay.

A reader has to go on where it was, out of what is kept near or for some bytes of the audio's body,
before anything happens: scans of tags and art and seeks cost nothing extra. Then a window of 2 MiB,
and of `readahead_bytes_max` once more was read than a probe of the stream reads, is asked for in
runs of neighbouring chunks, side by side, through the pool, where the reader finds them or joins
their fetch. While files are probed one after the other, it begins with 512 KiB. Runs are short at
first, since a connection that was idle sends little in its first round trips, and many do so
together. A seek or a failure ends it. All open files share one budget of bytes asked for and not
read yet, and few enough requests that those a reader waits for come first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from musefs.content.chunking import Span, chunks_of
from musefs.content.passed_runs import SLACK_BYTES, Memory, Near, PassedRuns
from musefs.errors import ContentUnavailable, MusefsError
from musefs.kit.background import BackgroundTasks
from musefs.model import CHUNK_BYTES, Buffer, Content

WINDOW_BYTES_MIN = 2 << 20
WINDOW_BYTES_WHEN_PROBED = 512 << 10
GROW_AFTER_BYTES = 512 << 10
"""ffprobe reads up to 448 KiB of a file."""
RUN_BYTES_MAX = 1 << 20
"""Asked for at once: a request costs a server the same whatever its size."""
RUN_GROWTH_SHARE = 4
"""A run is at most this part of what was read in sequence before it."""
BYTES_UNDER_WAY_MAX = 7 << 20
"""Of one file: less than the window, so that the next run begins when one ends. All at once would
end at the same time, and the link be idle for a round trip behind them."""
RUNS_UNDER_WAY_MAX = 28
"""Of all files."""
SEQUENTIAL_BYTES_MIN = 384 << 10
"""More than a probe of the stream reads; a player has seconds of music in it."""
HESITATION_S = 0.02
PAGE_BYTES = 4096
"""The kernel asks for a single page when somebody waits for just that one."""


class Pool(Memory, Protocol):
    """What read-ahead needs to know of the block pool."""

    def has(self, content: Content, offset: int) -> bool:
        """Whether the chunk at `offset` is there or on its way."""
        ...

    def peek(self, content: Content, offset: int, size: int) -> Buffer | None:
        """The bytes, when that needs no waiting."""
        ...

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """The bytes."""
        ...


class ReadAheadBudget:
    """What all open files together may ask for ahead of their readers."""

    def __init__(self, bytes_max: int, requests_max: int = RUNS_UNDER_WAY_MAX) -> None:
        self._bytes_max = bytes_max
        self.taken_bytes = 0
        self.turn = asyncio.Semaphore(requests_max)
        self.is_probed = False
        """Whether the last reader who was read ahead of closed the file soon: a scan, probably."""

    def take(self, size: int) -> bool:
        """Set `size` bytes aside; False when there are too few left."""
        if self.taken_bytes + size > self._bytes_max:
            return False
        self.taken_bytes += size
        return True

    def give_back(self, size: int) -> None:
        """They were read, or are not wanted any more."""
        self.taken_bytes -= size


class ReadAhead:
    """A content source over the pool, for one open file."""

    def __init__(
        self,
        pool: Pool,
        budget: ReadAheadBudget,
        tasks: BackgroundTasks,
        readahead_bytes_max: int = 8 << 20,
        near: Near | None = None,
    ) -> None:
        self._pool = pool
        self._budget = budget
        self._background = tasks
        self._window_bytes_max = readahead_bytes_max
        self._near = near
        self._passed = PassedRuns(pool, near) if near is not None else None
        self._is_wanted = False
        self._goes_on = False
        self._given_up: asyncio.Event | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead: deque[tuple[int, int]] = deque()
        self._queue: deque[Span] = deque()
        self._under_way_bytes = 0
        self._position: int | None = None
        self.half_read: Callable[[], None] | None = None
        """Called once, when a reader has gone through half of the audio from one end."""
        self._run_bytes = self._window_bytes = self._grow_at = self._asked_up_to = 0

    def __repr__(self) -> str:
        return f"<ReadAhead {self._window_bytes >> 10} KiB, {len(self._tasks)} loading>"

    def peek(self, content: Content, offset: int, size: int) -> Buffer | None:
        """The pool's `peek`; a hit moves the window on."""
        found = self._pool.peek(content, offset, size)
        if found is not None:
            self._follow(content, offset, size)
        return found

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """The pool's `read`, with its errors.

        The kernel reads ahead too, and where it first reaches out of what is kept near it may be
        alone: a scan of tags closes its file in a moment. So the origin is asked a moment later,
        once for each open file; ContentUnavailable when the file was closed meanwhile.
        """
        if not self._is_wanted and await self._reaches_out(content, offset, size):
            await self._hesitate()
            self._goes_on = await self._is_at_hand(content, offset)
        self._follow(content, offset, size)
        return await self._pool.read(content, offset, size)

    def give_up(self) -> None:
        """Somebody has closed the file: what was not wanted yet may never be."""
        if self._given_up is not None:
            self._given_up.set()
            self._given_up = None

    def close(self) -> None:
        """The file is closed: cancel what is on its way for nobody else."""
        if self._position is not None and self._position < self._grow_at:
            self._budget.is_probed = True
        self._stop()
        self._position = None
        passed = self._passed
        if passed:
            self._background.start(lambda: passed.release(None))

    async def _reaches_out(self, content: Content, offset: int, size: int) -> bool:
        """Whether the kernel goes on from the beginning into what is far. A seek is meant."""
        start = max(offset, content.body[0])
        end = min(offset + size, content.body[1])
        sought = offset >= content.body[0] + CHUNK_BYTES
        if size <= PAGE_BYTES or sought or not content.cacheable:
            return False
        for chunk in chunks_of(content, start, end - start):
            if not await self._is_at_hand(content, chunk.start):
                return True
        return False

    async def _is_at_hand(self, content: Content, offset: int) -> bool:
        if self._pool.has(content, offset):
            return True
        return self._near is not None and await self._near.has(content, offset)

    async def _hesitate(self) -> None:
        self._given_up = given_up = self._given_up or asyncio.Event()
        try:
            async with asyncio.timeout(HESITATION_S):
                await given_up.wait()
        except TimeoutError:
            self._is_wanted = True
        else:
            raise ContentUnavailable("the file was closed before it was read that far")

    def _follow(self, content: Content, offset: int, size: int) -> None:
        if not content.cacheable:
            return
        end = min(offset + size, content.size)
        position = self._position
        if position is None or abs(offset - position) > SLACK_BYTES:
            self._stop()
            self._goes_on &= position is None
            self._position, self._run_bytes = end, max(0, end - max(offset, content.body[0]))
        elif end > position:
            self._position = end
            # Tags and pictures in front of the audio are read by every scan, and are kept near.
            self._run_bytes += max(0, end - max(position, offset, content.body[0]))
            self._tell_of_half(content)
        else:
            return
        if self._goes_on or self._run_bytes >= SEQUENTIAL_BYTES_MIN:
            self._extend(content, end)

    def _tell_of_half(self, content: Content) -> None:
        start, end = content.body
        if self.half_read is not None and self._run_bytes * 2 > end - start:
            told, self.half_read = self.half_read, None
            told()

    def _extend(self, content: Content, position: int) -> None:
        while self._ahead and self._ahead[0][0] <= position:
            self._budget.give_back(self._ahead.popleft()[1])
        while self._queue and self._queue[0][0] < position:
            self._queue.popleft()
        self._widen(position)
        start = max(self._asked_up_to, position)
        goal = min(position + self._window_bytes, content.size)
        run_bytes = min(RUN_BYTES_MAX, max(CHUNK_BYTES, self._run_bytes // RUN_GROWTH_SHARE))
        if goal - start >= run_bytes or goal == content.size:
            runs, self._asked_up_to = self._runs(content, start, goal, run_bytes)
            self._queue.extend(runs)
        if self._queue:
            self._start_queued(content)

    def _widen(self, position: int) -> None:
        if not self._window_bytes:
            probed = self._budget.is_probed
            window_bytes = WINDOW_BYTES_WHEN_PROBED if probed else WINDOW_BYTES_MIN
            self._window_bytes = min(window_bytes, self._window_bytes_max)
            self._grow_at = position + GROW_AFTER_BYTES
        elif position >= self._grow_at:
            self._window_bytes = self._window_bytes_max
            self._budget.is_probed = False

    def _runs(
        self, content: Content, start: int, goal: int, run_bytes: int
    ) -> tuple[list[Span], int]:
        """Neighbouring chunks that nobody has asked for, and where to look next time.

        The last ones before `goal` are left for then, while they are no whole run.
        """
        runs: list[Span] = []
        run: Span | None = None
        reached = start
        for chunk in chunks_of(content, start, goal - start):
            # The chunk that the reader stands in is its own.
            wanted = chunk.start >= start and not self._pool.has(content, chunk.start)
            if run is not None and (not wanted or chunk.end - run[0] > run_bytes):
                runs.append(run)
                run = None
            if wanted:
                run = (run[0] if run is not None else chunk.start, chunk.end)
            reached = chunk.end
        if run is not None and goal < content.size and run[1] - run[0] <= run_bytes - CHUNK_BYTES:
            return runs, run[0]
        return [*runs, run] if run is not None else runs, reached

    def _start_queued(self, content: Content) -> None:
        while self._queue:
            start, end = run = self._queue[0]
            size = end - start
            if self._tasks and self._under_way_bytes + size > BYTES_UNDER_WAY_MAX:
                return
            if not self._budget.take(size):
                return
            task = self._background.start(partial(self._fetch, content, run))
            if task is None:
                self._budget.give_back(size)
                return
            self._queue.popleft()
            self._ahead.append((end, size))
            self._under_way_bytes += size
            self._tasks.add(task)
            task.add_done_callback(partial(self._ended, content, size))

    def _ended(self, content: Content, size: int, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._under_way_bytes -= size
        self._start_queued(content)

    async def _fetch(self, content: Content, run: Span) -> None:
        passed = self._passed
        async with self._budget.turn:
            if passed is not None and await passed.is_near(content, run):
                return
            try:
                await self._pool.read(content, run[0], run[1] - run[0])
            except MusefsError:  # the reader meets it when it gets there, and is told
                self._window_bytes = self._run_bytes = 0
        if passed and self._position is not None:
            await passed.release(self._position)

    def _stop(self) -> None:
        self._queue.clear()
        for task in self._tasks:
            task.cancel()
        while self._ahead:
            self._budget.give_back(self._ahead.pop()[1])
        self._run_bytes = self._window_bytes = self._grow_at = self._asked_up_to = 0
