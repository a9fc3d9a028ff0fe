"""A small service to be operated: remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from musefs.errors import StateBroken, UnknownOrigin
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.status import CacheStatus, OriginStatus, Status
from origins import OriginUnavailable

STATUS = Status(
    version="1.2.3",
    pid=4711,
    state="/var/lib/musefs",
    mountpoint="/srv/müsik",
    mode="synthesis",
    uptime_s=12.5,
    tracks=3,
    sidecars=2,
    folders=5,
    library_bytes=1 << 40,
    pending=6,
    unserved=1,
    open_files=4,
    origins=(
        OriginStatus("nas", "local", 10, "healthy", 5, True, 5, 2, 1, 0, 0, ""),
        OriginStatus("box", "sftp", 50, "offline", 9, False, 3, 1, 0, 0, 7, "box: no route"),
    ),
    cache=CacheStatus(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
)


class SmallService:
    """Scans of "nas" end at once; "endless" has no end, other origins go wrong."""

    def __init__(self) -> None:
        self.drains_s: list[float] = []
        self.options: ScanOptions | None = None
        self.scan_ended = asyncio.Event()
        self.broken = False

    async def status(self) -> Status:
        """How it does, or why it cannot tell."""
        if self.broken:
            raise StateBroken("catalogue.db: the disk is gone: plug it in")
        return STATUS

    async def rescan(self, origin: str | None, options: ScanOptions) -> AsyncIterator[Progress]:
        """See the class."""
        self.options = options
        if origin == "away":
            raise OriginUnavailable("away: no route to host: check the network")
        if origin not in (None, "nas", "endless"):
            raise UnknownOrigin(f"{origin}: there is no such origin: choose one of nas, endless")
        try:
            yield Progress("nas", expected=2, listed=1)
            while origin == "endless":
                await asyncio.sleep(0.01)
                yield Progress("endless")
            yield Progress("nas", 2, 2, 1, failed=1, done=True, error="nas: broke off \udcff")
        finally:
            self.scan_ended.set()

    def request_shutdown(self, drain_s: float) -> None:
        """Remembers it."""
        self.drains_s.append(drain_s)
