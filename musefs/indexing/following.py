"""Follows one origin for as long as the service runs: scan, watch, scan what has changed.

Watching starts before the first scan, so that nothing falls between the two. An origin that cannot
be listed is tried again after a while; one line in the log says so, and one when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

from musefs.errors import StateBroken
from musefs.indexing.scanning import Progress, Scanner, ScanOptions
from musefs.indexing.verifying import Verified, Verifier
from origins import Origin, OriginError
from origins.base import WHOLE_ORIGIN

log = logging.getLogger(__name__)

CHANGED_PATHS_MAX = 5_000
"""More changed paths than that are met by one listing of the whole origin."""

RETRY_S = (2.0, 5.0, 15.0, 60.0)

WATCH_BEGIN_S = 2.0
"""A watcher that takes longer to begin is not waited for: all is listed again once it has."""


class Follower:
    """One origin's follower: `run` until it is cancelled, `rescan` at any time."""

    def __init__(self, origin: Origin, scanner: Scanner, verifier: Verifier) -> None:
        self.origin = origin
        self._verifier = verifier
        self._doubted: set[str] = set()
        self.progress = Progress(origin.id)
        self._scanner = scanner
        self._turn = asyncio.Lock()
        self._changed = {WHOLE_ORIGIN}
        self._woken = asyncio.Event()
        self._failures = 0
        self._watching = asyncio.Event()
        self._unwatched = False

    async def run(self) -> None:
        """Scan and watch. Ends only when it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._follow())

    async def rescan(self, options: ScanOptions) -> Progress:
        """Scan now, after the scan that may be running. Raises OriginError, StateBroken."""
        async with self._turn:
            progress = self.progress = Progress(self.origin.id)
            began_s = time.perf_counter()
            try:
                await self._scanner.scan(self.origin, options, progress)
            except (OriginError, StateBroken) as error:
                progress.error = str(error)
                raise
            finally:
                progress.done = True
            taken_ms = (time.perf_counter() - began_s) * 1_000
            log.debug("%s: %d files looked at: %.2f ms", progress.origin, progress.listed, taken_ms)
        return progress

    def look_at(self, path: str) -> None:
        """Somebody found a file to be another than the catalogue says."""
        self._note({path})

    def doubt(self, path: str) -> None:
        """Somebody found a file to have other bytes than it had at the same version."""
        if len(self._doubted) < CHANGED_PATHS_MAX:
            self._doubted.add(path)
            self._woken.set()

    async def verify(self, bytes_per_s: int | None = None) -> AsyncGenerator[Verified, None]:
        """Compare every file of which something is stored with what the origin has now.

        Raises StateBroken.
        """
        async with (
            self._turn,
            aclosing(self._verifier.verify_all(self.origin, bytes_per_s)) as found,
        ):
            async for one in found:
                yield one

    async def _watch(self) -> None:
        async for paths in self.origin.watch():
            if not self._watching.is_set():
                self._watching.set()
                if self._unwatched:
                    self._note({WHOLE_ORIGIN})
            self._note(paths)

    def _note(self, paths: Iterable[str]) -> None:
        self._changed.update(paths)
        if WHOLE_ORIGIN in self._changed or len(self._changed) > CHANGED_PATHS_MAX:
            self._changed = {WHOLE_ORIGIN}
        self._woken.set()

    async def _follow(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_BEGIN_S):
                await self._watching.wait()
        self._unwatched = not self._watching.is_set()
        while True:
            paths, self._changed = self._changed, set()
            self._woken.clear()
            await self._settle_doubts()
            if paths:
                try:
                    await self.rescan(ScanOptions(paths=_outermost(paths)))
                    self._recovered()
                except (OriginError, StateBroken) as error:
                    self._failed(error)
                    self._note(paths)
                    await asyncio.sleep(RETRY_S[min(self._failures, len(RETRY_S)) - 1])
            else:
                await self._woken.wait()

    async def _settle_doubts(self) -> None:
        doubted, self._doubted = self._doubted, set()
        for path in sorted(doubted):
            try:
                async with self._turn:
                    await self._verifier.verify_path(self.origin, path)
            except StateBroken as error:
                log.warning("%s: %s cannot be verified: %s", self.origin.id, path, error)

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("%s: cannot be scanned, will be tried again: %s", self.origin.id, error)

    def _recovered(self) -> None:
        if self._failures:
            log.info("%s: scanned again after %d failures", self.origin.id, self._failures)
        self._failures = 0


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that do not lie below another of them, sorted."""
    kept: list[str] = []
    # "/" first in the order, so that what lies below a path follows it directly.
    for path in sorted(paths, key=lambda path: path.replace("/", "\0")):
        if not kept or not path.startswith(kept[-1] + "/"):
            kept.append(path)
    return kept
