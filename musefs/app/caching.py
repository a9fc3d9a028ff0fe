"""The caches as an operator sees them: what they hold, emptying them, looking through them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from musefs.app.parts import Parts
from musefs.catalog.backup import back_up, backup_name
from musefs.errors import BackupFailed, UnknownTier
from musefs.status import BackedUp, CacheStats, CacheStatus, Cleared, VerifyProgress

PROGRESS_EVERY_S = 0.3
TIERS = ("memory", "chunks", "all")


class Caching:
    """What the control service asks of the caches, and of the catalogue as a file."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._copying = asyncio.Lock()

    def totals(self) -> CacheStatus:
        """What the caches hold now, and how they did."""
        memory, disk = self._parts.reading.keepers.pool.stats(), self._parts.reading.store.stats()
        limits = self._parts.config.cache
        return CacheStatus(
            memory_bytes=memory.bytes,
            memory_bytes_max=limits.memory_bytes_max,
            memory_hits=memory.hits,
            memory_misses=memory.misses,
            disk_bytes=disk.stored_bytes,
            disk_bytes_max=limits.disk_bytes_max,
            disk_hits=disk.hits,
            disk_misses=disk.misses,
            disk_saved_bytes=disk.saved_bytes,
            corrupt_chunks=disk.corrupt,
        )

    def stats(self) -> CacheStats:
        """The same in detail."""
        memory, disk = self._parts.reading.keepers.pool.stats(), self._parts.reading.store.stats()
        return CacheStats(
            totals=self.totals(),
            memory_blocks=memory.blocks,
            memory_evictions=memory.evictions,
            chunks=disk.chunks,
            logical_bytes=disk.logical_bytes,
            kept_bytes=disk.kept_bytes,
            pinned_bytes=disk.pinned_bytes,
            queued_bytes=disk.queued_bytes,
            chunk_evictions=disk.evictions,
            refused_chunks=disk.refused,
            scrubbed_chunks=self._parts.scrubber.checked,
            repaired_chunks=disk.repaired,
        )

    async def clear(self, tier: str, *, dry_run: bool) -> Cleared:
        """Empty the memory, the chunks on the disk, or all; only count them in a dry run.

        Files that are being read go on being read. Raises UnknownTier, DiskRefused.
        """
        if tier not in TIERS:
            raise UnknownTier(f"{tier}: there is no such cache: choose one of {', '.join(TIERS)}")
        reading = self._parts.reading
        pools = (reading.keepers.pool, reading.keepers.pictures) if tier != "chunks" else ()
        if dry_run:
            stored = reading.store.stats().stored_bytes if tier != "memory" else 0
            return Cleared(sum(pool.stats().bytes for pool in pools), stored)
        disk_bytes = await reading.store.clear() if tier != "memory" else 0
        return Cleared(sum(pool.clear() for pool in pools), disk_bytes)

    async def verify(self, *, originals: bool) -> AsyncGenerator[VerifyProgress, None]:
        """Hash every chunk and mend what is wrong: how far that is, from time to time.

        With `originals` the files at the origins are compared with their chunks after that.
        Raises DiskRefused, StateBroken.
        """
        progress = VerifyProgress()
        running = asyncio.create_task(self._verify(progress, originals))
        try:
            while not running.done():
                await asyncio.wait([running], timeout=PROGRESS_EVERY_S)
                if not running.done():
                    yield replace(progress)
        finally:
            running.cancel()
            await asyncio.wait([running])
        running.result()
        yield replace(progress)

    async def _verify(self, progress: VerifyProgress, originals: bool) -> None:
        await self._parts.scrubber.verify(progress)
        if not originals:
            return
        progress.done = False
        for follower in self._parts.followers.values():
            async for file in follower.verify():
                progress.files += 1
                progress.changed_files += file.outcome == "other"
                progress.unread_files += file.outcome == "unread"
        progress.done = True

    async def back_up(self, path: str | None) -> BackedUp:
        """Copy the catalogue to a path, or to one in the state folder. Raises BackupFailed."""
        state = self._parts.state
        if path is None:
            target = state.path / "backups" / backup_name(datetime.now(UTC))
            await asyncio.to_thread(_make_folder, target.parent)
        else:
            target = Path(path)
            if not target.is_absolute():
                raise BackupFailed(f"{path}: the path is not absolute: give a whole one")
        async with self._copying:
            size = await back_up(state.catalogue, target)
        return BackedUp(str(target), size)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BackupFailed(
            f"{folder}: the folder cannot be made ({error.strerror}): name another file"
        ) from error
