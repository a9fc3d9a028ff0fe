"""Brings the chunks of tracks into the chunk store, behind everybody who waits for a read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from musefs.content.chunk_warming import ChunkWarming, requests
from musefs.errors import MusefsError
from musefs.library.choosing import ChosenTrack
from musefs.model import Content, ContentId

REQUESTS_MAX = 4
"""In flight at once, for all that is warmed."""

GIVE_WAY_S_MAX = 2.0
"""So long a request waits for readers; after it one goes, so that a player starves nobody."""

GIVE_WAY_STEP_S = 0.02

Wanted = Callable[[ContentId], bool]


@dataclass(frozen=True, slots=True)
class WarmingProgress:
    """How far warming is, in tracks and bytes. `error`: why the last failed track did."""

    tracks: int
    tracks_done: int
    failed_tracks: int
    bytes: int
    bytes_done: int
    bytes_fetched: int
    done: bool = False
    error: str | None = None


@dataclass(slots=True)
class _Job:
    track: ChosenTrack
    left: int
    reason: str | None = None


class Warmer:
    """What all warming shares: the door to the chunk store, and its manners."""

    def __init__(
        self,
        door: ChunkWarming,
        content_of: Callable[[ContentId], Awaitable[Content]],
        readers_waiting: Callable[[], int],
    ) -> None:
        """`readers_waiting`: how many fetches are under way for readers."""
        self.door = door
        self.content_of = content_of
        self._readers_waiting = readers_waiting
        self._slots = asyncio.Semaphore(REQUESTS_MAX)
        self._gate = asyncio.Lock()

    async def fetch(self, content: Content, start: int, end: int) -> None:
        """Fetch a range of chunks in turn. Raises ContentUnavailable, ContentChanged."""
        async with self._slots:
            async with self._gate:
                await self._give_way()
            await self.door.fetch(content, start, end)

    async def _give_way(self) -> None:
        until_s = _now() + GIVE_WAY_S_MAX
        while self._readers_waiting() and _now() < until_s:  # noqa: ASYNC110 - a gauge, no event
            await asyncio.sleep(GIVE_WAY_STEP_S)


class Prefetch:
    """One run over some tracks, each content once; `run` works until all that can be is there."""

    def __init__(
        self, warmer: Warmer, tracks: Iterable[ChosenTrack], wanted: Wanted = lambda _content: True
    ) -> None:
        """`wanted`: whether a content is still to be fetched."""
        self._warmer = warmer
        self._wanted = wanted
        distinct = {track.content_id: track for track in tracks}
        self._jobs = [
            _Job(track, track.size if track.is_cached else 0) for track in distinct.values()
        ]
        self._bytes = sum(job.track.size for job in self._jobs)
        self._left = sum(job.left for job in self._jobs)
        self._complete = sum(not job.left for job in self._jobs)
        self._fetched = self._failed = 0
        self._error: str | None = None
        self._done = False

    @property
    def progress(self) -> WarmingProgress:
        """How far it is."""
        return WarmingProgress(
            tracks=len(self._jobs),
            tracks_done=self._complete,
            failed_tracks=self._failed,
            bytes=self._bytes,
            bytes_done=self._bytes - self._left,
            bytes_fetched=self._fetched,
            done=self._done,
            error=self._error,
        )

    @property
    def failures(self) -> dict[ContentId, str]:
        """Why contents could not be fetched."""
        return {job.track.content_id: job.reason for job in self._jobs if job.reason is not None}

    async def run(self) -> None:
        """Fetch what is missing; what fails is in `progress` and `failures`."""
        plan = self._plan()
        turn = asyncio.Lock()

        async def work() -> None:
            while True:
                async with turn:
                    request = await anext(plan, None)
                if request is None:
                    return
                await self._request(*request)

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(REQUESTS_MAX):
                    workers.create_task(work())
        finally:
            await plan.aclose()
        await self._look_after()
        self._done = True

    async def _plan(self) -> AsyncGenerator[tuple[_Job, Content, int, int], None]:
        for job in self._jobs:
            if not job.left:
                continue
            try:
                content = await self._warmer.content_of(job.track.content_id)
                chunks = await self._warmer.door.missing(content)
            except MusefsError as error:
                self._fail(job, str(error))
                continue
            self._note(job, job.left - sum(chunk.size for chunk in chunks))
            for start, end in requests(chunks):
                if job.reason is not None or not self._wanted(content.id):
                    break
                yield job, content, start, end

    async def _request(self, job: _Job, content: Content, start: int, end: int) -> None:
        if job.reason is not None:
            return
        try:
            await self._warmer.fetch(content, start, end)
        except MusefsError as error:
            self._fail(job, str(error))
            return
        self._fetched += end - start
        self._note(job, end - start)

    async def _look_after(self) -> None:
        """What was fetched may not have stayed: the disk may be full or slow, the cache small."""
        if not self._fetched:
            return
        await self._warmer.door.settled()
        for job in self._jobs:
            if job.left or job.reason is not None or not job.track.is_cached:
                continue
            try:
                content = await self._warmer.content_of(job.track.content_id)
                gone = sum(chunk.size for chunk in await self._warmer.door.missing(content))
            except MusefsError as error:
                self._fail(job, str(error))
                continue
            if gone:
                self._note(job, -gone)
                self._fail(job, "the disk cache did not keep all of it: raise cache.disk, or pin")

    def _note(self, job: _Job, size: int) -> None:
        was_complete = not job.left
        job.left -= size
        self._left -= size
        self._complete += (not job.left) - was_complete

    def _fail(self, job: _Job, reason: str) -> None:
        self._failed += job.reason is None
        job.reason = reason
        self._error = f"{job.track.path}: {reason}" if job.track.path else reason


def _now() -> float:
    return asyncio.get_running_loop().time()
