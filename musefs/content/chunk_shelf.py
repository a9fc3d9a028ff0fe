"""Chunks put on the disk and taken off it again, with their rows, within the limits.

Rows are recorded in batches. Room is made before a chunk is written, and when the disk runs full. A
disk that is full or read-only, or an index that fails, is told once and left alone for a while.
What a crash left half done is put right when the shelf is loaded: files without rows go, and rows
without files. Its calls must not overlap: the writer makes them one after another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from musefs.content.chunk_files import ChunkFiles, DiskRefused, DiskSpace
from musefs.content.chunk_index import ChunkIndex, ChunkRow
from musefs.content.chunk_ledger import ChunkLedger
from musefs.content.verification import Verification
from musefs.kit.occasionally import Occasionally
from musefs.model import Buffer, ContentId

log = logging.getLogger(__name__)

COMPLAINT_EVERY_S = 600.0
REMOVED_AT_ONCE = 64
"""Chunks removed in one transaction."""
TAKEN_OFF_MAX = 1 << 16
"""Wrong chunks that are remembered, to count those that come back."""


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """Bounds of a chunk store. Shares are of the disk: 0 to 1."""

    disk_bytes_max: int = 10 << 30
    queue_bytes_max: int = 32 << 20
    digests_max: int = 1 << 17
    batch_rows_max: int = 64
    batch_s: float = 1.0
    measure_every_s: float = 60.0
    retry_after_s: float = 60.0
    flush_s: float = 2.0
    evict_share: float = 0.90
    stop_share: float = 0.99
    kept_share_max: float = 0.9
    """Of `disk_bytes_max`: kept chunks beyond it are stored like any other."""
    kept_spare_bytes_min: int = 64 << 20
    """Of the disk: with less room on it nothing is kept, the catalogue needs it more."""


@dataclass(frozen=True, slots=True)
class Books:
    """What the readers and the writer of one store keep together."""

    ledger: ChunkLedger
    verification: Verification
    note: Callable[[ChunkRow], bool]
    """Take notice of a stored chunk; False when it was known."""


class ChunkShelf:
    """The disk as the writer uses it."""

    def __init__(
        self, files: ChunkFiles, index: ChunkIndex, limits: StoreLimits, books: Books
    ) -> None:
        self._files = files
        self._index = index
        self._limits = limits
        self._books = books
        self._rows: list[ChunkRow] = []
        self._record_at = self._measure_at = self._resume_at = float("-inf")
        self._complained = False
        self._free_bytes = 0
        self._overfull = Occasionally(COMPLAINT_EVERY_S, time.monotonic)
        self._taken_off: set[bytes] = set()
        self.repaired = 0
        """Chunks that were gone or wrong, and are right again."""

    @property
    def refuses(self) -> bool:
        """Whether the disk is being left alone."""
        return _now() < self._resume_at

    @property
    def due_at(self) -> float:
        """When `settle` has something to do, in the loop's time."""
        return min(self._measure_at, self._record_at) if self._rows else self._measure_at

    @property
    def is_recorded(self) -> bool:
        """Whether no row waits for its batch."""
        return not self._rows

    @property
    def has_spare_room(self) -> bool:
        """Whether the disk, when it was last measured, had room for more than the catalogue."""
        return self._free_bytes >= self._limits.kept_spare_bytes_min

    def may_keep(self, size: int) -> bool:
        """Whether so many more bytes may be kept of those that `disk_bytes_max` allows."""
        most = int(self._limits.disk_bytes_max * self._limits.kept_share_max)
        return self._books.ledger.kept_bytes + size <= most

    async def load(self) -> bool:
        """Learn what is stored and remove what a crash left; False when that is impossible now."""
        ledger = self._books.ledger
        ledger.clear()
        try:
            await self._files.sweep()
            async for digest, size, kept in self._index.all():
                ledger.add(digest, size, kept=kept)
            async for content_id, digest in self._index.pinned():
                ledger.pinned.claim(content_id)
                ledger.pinned.pin(digest, content_id)
            missing = ledger.digests()
            orphans = []
            async for digest, _ in self._files.listing():
                if digest in ledger:
                    missing.discard(digest)
                else:
                    orphans.append(digest)
            for digest in missing:
                ledger.remove(digest)
            await self._remove([*orphans, *missing])
        except Exception as error:  # noqa: BLE001 - a broken cache must not end the service
            self._refuse(error)
            return False
        return True

    async def put(
        self, content_id: ContentId, index: int, data: Buffer, *, kept: bool = False
    ) -> bool:
        """Store a chunk, to be evicted last if it is `kept`; False when the disk refuses."""
        ledger, verification = self._books.ledger, self._books.verification
        size = len(data)
        pinned = ledger.pinned.is_claimed(content_id)  # within a budget of its own
        if (size > self._limits.disk_bytes_max and not pinned) or self.refuses:
            return False
        try:
            await self._make_room(0 if pinned else size)
            digest = await self._files.write(
                data, lambda digest: digest in ledger and verification.vouches_for(digest)
            )
        except DiskRefused as error:
            self._refuse(error)
            return False
        self._take_up_again()
        verification.passed(digest)
        if digest in self._taken_off:
            self._taken_off.discard(digest)
            self.repaired += 1
        kept = ledger.is_kept(digest) or (kept and self._has_room_to_keep(size))
        row = ChunkRow(content_id, index, digest, size, kept)
        if self._books.note(row) or digest not in ledger:
            ledger.add(digest, size)
        if kept:
            ledger.keep(digest)
        ledger.pinned.pin(digest, content_id)
        if not self._rows:
            self._record_at = _now() + self._limits.batch_s
        self._rows.append(row)
        return True

    async def take_off(self, digest: bytes) -> bool:
        """Remove a chunk that is gone or wrong, and its rows; False when the disk refuses."""
        await self.record()
        self._books.ledger.remove(digest)
        try:
            await self._remove([digest])
        except DiskRefused as error:
            self._refuse(error)
            return False
        if len(self._taken_off) < TAKEN_OFF_MAX:
            self._taken_off.add(digest)
        return True

    async def restore(self, digest: bytes, data: Buffer) -> bool:
        """Write a stored chunk's file again, whose bytes these are; False: it is not stored.

        Raises DiskRefused.
        """
        if digest not in self._books.ledger:
            return False
        await self._files.write(data)
        self._books.verification.passed(digest)
        self.repaired += 1
        return True

    async def clear(self) -> int:
        """Remove every chunk; how many bytes they had. Raises DiskRefused."""
        freed = self._books.ledger.stored_bytes
        await self.record()
        everything = list(self._books.ledger.digests())
        for digest in everything:
            self._books.ledger.remove(digest)
        await self._remove(everything)
        return freed

    async def settle(self) -> None:
        """Record a batch that is full or old enough; measure the disk after it and on time."""
        full = len(self._rows) >= self._limits.batch_rows_max
        batch_due = full or (bool(self._rows) and _now() >= self._record_at)
        if batch_due:
            await self.record()
        if batch_due or _now() >= self._measure_at:
            await self._measure()

    async def record(self) -> None:
        """Record the rows there are."""
        rows = list(self._rows)
        if not rows:
            return
        try:
            await self._index.record(rows)
        except Exception as error:  # noqa: BLE001 - files without rows go at the next start
            self._refuse(error)
        del self._rows[: len(rows)]

    def _has_room_to_keep(self, size: int) -> bool:
        if self.may_keep(size):
            return True
        if count := self._overfull.due():
            log.warning(
                "the cache is too small for what every scan reads (%d chunks): raise cache.disk",
                count,
            )
        return False

    async def _make_room(self, size: int) -> None:
        ledger = self._books.ledger
        evictable = ledger.stored_bytes - ledger.pinned.bytes
        excess = evictable + size - self._limits.disk_bytes_max
        if excess > 0:
            await self.record()  # a row recorded after its chunk was evicted would be wrong
            slack = self._limits.disk_bytes_max // 256
            await self._remove(ledger.evict(excess + slack))

    async def _remove(self, digests: Sequence[bytes]) -> None:
        for first in range(0, len(digests), REMOVED_AT_ONCE):
            group = digests[first : first + REMOVED_AT_ONCE]
            for digest in group:
                self._books.verification.forget(digest)
            await self._files.delete(group)
            await self._forget(group)

    async def _forget(self, digests: Sequence[bytes]) -> None:
        try:
            await self._index.forget(digests)
        except Exception as error:  # noqa: BLE001 - rows without files are misses, no more
            self._refuse(error)

    async def _measure(self) -> None:
        """Ask the disk how full it is; evict above one mark, stop writing above the other."""
        self._measure_at = _now() + self._limits.measure_every_s
        try:
            space = await self._files.space()
            surplus = _bytes_above(space, self._limits.evict_share)
            if surplus > 0 and len(self._books.ledger):
                await self.record()
                await self._remove(self._books.ledger.evict(surplus))
                space = await self._files.space()
        except DiskRefused as error:
            self._refuse(error)
            return
        self._free_bytes = space.free_bytes
        if space.used_share >= self._limits.stop_share:
            self._refuse(DiskRefused(f"the disk below {self._files!r} is full; make room on it"))

    def _refuse(self, error: Exception) -> None:
        """Leave the disk alone for a while; one line in the log, not one for each chunk."""
        self._resume_at = _now() + self._limits.retry_after_s
        if not self._complained:
            self._complained = True
            self._measure_at = _now()  # evicting may be all it needs
            log.warning("nothing is cached on the disk for now: %s", error)

    def _take_up_again(self) -> None:
        if self._complained:
            self._complained = False
            log.info("chunks are cached on the disk again")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _bytes_above(space: DiskSpace, share: float) -> int:
    return space.total_bytes - space.free_bytes - int(space.total_bytes * share)
