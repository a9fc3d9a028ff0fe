"""A running musefs as its operator sees it: status, rescans, the wish to stop."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator
from dataclasses import asdict
from importlib.metadata import version

from musefs.app.caching import Caching
from musefs.app.parts import Parts
from musefs.catalog.changelog import pending_count
from musefs.catalog.layouts import layout_failures
from musefs.errors import StateBroken, UnknownOrigin
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.mount.request_counts import RequestCounts
from musefs.status import OriginStatus, Status, WorkStatus
from origins import OriginError

PROGRESS_EVERY_S = 0.3


class App:
    """What the control service asks a running musefs."""

    def __init__(self, parts: Parts, mountpoint: str) -> None:
        self._parts = parts
        self._mountpoint = mountpoint
        self.tagging = parts.tagging
        self.warming = parts.warming
        self.caching = Caching(parts)
        self._started_s = time.monotonic()
        self.mounted = asyncio.Event()
        self.stopping = asyncio.Event()
        self.failure: BaseException | None = None
        self.drain_s = 0.0
        self.requests = RequestCounts()
        """Those of the mount, once there is one."""

    async def status(self) -> Status:
        """How the service does now."""
        parts = self._parts
        # In this order: with all scans done and nothing pending, the totals are those of the scans.
        origins = tuple([await self._origin(name) for name in parts.origins])
        pending = await pending_count(parts.database) or int(parts.refresher.is_behind)
        totals = await parts.library.totals()
        return Status(
            version=version("musefs"),
            pid=os.getpid(),
            state=str(parts.state.path),
            mountpoint=self._mountpoint,
            mode=parts.config.mount.mode,
            uptime_s=time.monotonic() - self._started_s,
            tracks=totals.tracks,
            sidecars=totals.sidecars,
            folders=totals.folders,
            library_bytes=totals.size_bytes,
            pending=pending,
            unserved=await self._unserved_count(),
            open_files=len(parts.reading.open_files),
            origins=origins,
            cache=self.caching.totals(),
        )

    async def rescan(
        self, origin: str | None, options: ScanOptions
    ) -> AsyncGenerator[Progress, None]:
        """Scan an origin, or all side by side: how far they are, from time to time and at the end.

        A scan that fails has its reason in `error`. Raises UnknownOrigin.
        """
        followers = self._parts.followers
        if origin is not None and origin not in followers:
            raise UnknownOrigin(
                f"{origin}: there is no such origin: choose one of {', '.join(followers)}"
            )
        chosen = [followers[origin]] if origin is not None else list(followers.values())
        running = asyncio.gather(
            *(follower.rescan(options) for follower in chosen), return_exceptions=True
        )
        try:
            while not running.done():
                await asyncio.wait([running], timeout=PROGRESS_EVERY_S)
                for follower in chosen:
                    yield follower.progress
        finally:
            running.cancel()
            await asyncio.wait([running])
        for result in running.result():
            if isinstance(result, BaseException) and not isinstance(
                result, OriginError | StateBroken
            ):
                raise result

    def fail(self, error: BaseException) -> None:
        """A part that must not end has ended: stop, and let `serve` raise this."""
        self.failure = error
        self.stopping.set()

    def request_shutdown(self, drain_s: float) -> None:
        """Unmount and end; open files may be read for `drain_s` more seconds."""
        self.drain_s = drain_s
        self.stopping.set()

    async def status_json(self) -> bytes:
        """The status as a file of the mount shows it: with the work that was done."""
        told = {**asdict(await self.status()), "work": asdict(self._work())}
        return json.dumps(told, indent=2).encode() + b"\n"

    async def unserved_text(self) -> bytes:
        """The files that are served untouched, or not at all, and why: one a line."""
        failures = await self._parts.files.failures()
        failures += await layout_failures(self._parts.database)
        lines = [f"{f.origin}\t{_printable(f.path)}\t{f.reason}\n" for f in failures]
        return "".join(lines).encode("utf-8", "replace")

    def _work(self) -> WorkStatus:
        return WorkStatus(
            requests=dict(self.requests.by_kind),
            failed=self.requests.failed_by_name(),
            statements=self._parts.database.statements,
        )

    async def _unserved_count(self) -> int:
        failed = len(await layout_failures(self._parts.database))
        return failed + await self._parts.files.failure_count()

    async def _origin(self, name: str) -> OriginStatus:
        parts = self._parts
        settings = next(o for o in parts.config.origins if o.id == name)
        progress = parts.followers[name].progress
        health = parts.reading.federation.health_of()[name]
        return OriginStatus(
            id=name,
            kind=settings.kind,
            priority=settings.priority,
            health=health.state.name.lower(),
            files=await parts.files.count(name),
            scan_done=progress.done,
            listed=progress.listed,
            inspected=progress.inspected,
            failed=progress.failed,
            removed=progress.removed,
            held_back=progress.held_back,
            error=progress.error or (health.last_error if health.failures else None) or "",
        )


def _printable(path: str) -> str:
    """A path on one line: control characters and undecodable bytes escaped."""
    return path.encode("unicode_escape").decode("ascii") if not path.isprintable() else path
