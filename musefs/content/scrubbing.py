"""The disk cache looked through, chunk after chunk: slowly beside the readers, or at once.

A disk that rots is found before somebody reads what it has lost, and while an origin still has it.
"""

from __future__ import annotations

import asyncio
import logging

from musefs.content.chunk_repair import ChunkRepair, ContentOf
from musefs.status import VerifyProgress
from origins.limited import TokenBucket

log = logging.getLogger(__name__)

FIRST_ROUND_AFTER_S = 3600.0
ROUND_EVERY_S = 7 * 86_400.0
"""From the beginning of one round to that of the next."""
GIVE_WAY_STEP_S = 0.05
GIVE_WAY_STEPS_MAX = 100
"""How often a chunk waits for readers to be served, so that a round ends at last."""


class Scrubber:
    """Rounds over all chunks of a store. `checked` counts chunks since the start."""

    def __init__(self, repair: ChunkRepair, content_of: ContentOf, bytes_per_s: int) -> None:
        """`bytes_per_s`: how fast rounds in the background read; 0: there are none."""
        self._repair = repair
        self._content_of = content_of
        self._bytes_per_s = bytes_per_s
        self.checked = 0

    async def run(self) -> None:
        """A round now and then, for ever. One that fails is told in the log."""
        if not self._bytes_per_s:
            return
        await asyncio.sleep(FIRST_ROUND_AFTER_S)
        while True:
            begun = _now()
            try:
                await self._beside_readers()
            except Exception as error:  # noqa: BLE001 - a broken cache must not end the service
                log.warning("the disk cache was not looked through to the end: %s", error)
            await asyncio.sleep(max(0.0, begun + ROUND_EVERY_S - _now()))

    async def verify(self, progress: VerifyProgress) -> None:
        """A round at once, as fast as the disk can. Raises DiskRefused, StateBroken."""
        await self._round(progress, None)

    async def _beside_readers(self) -> None:
        progress = VerifyProgress()
        await self._round(progress, TokenBucket(self._bytes_per_s, _now()))
        if progress.wrong:
            log.warning(
                "the disk cache had %d wrong chunks of %d: %d were fetched again, %d are to be "
                "when they are read; check the disk",
                *(progress.wrong, progress.checked, progress.repaired, progress.lost),
            )

    async def _round(self, progress: VerifyProgress, bucket: TokenBucket | None) -> None:
        await self._repair.ready()
        progress.chunks = self._repair.chunk_count
        async for digest, size in self._repair.chunks():
            if bucket is not None:
                await self._wait_for_turn(bucket, size)
            await self._look_at(digest, size, progress)
        progress.chunks = progress.checked
        progress.done = True

    async def _look_at(self, digest: bytes, size: int, progress: VerifyProgress) -> None:
        is_wrong = await self._repair.is_wrong(digest, size)
        self.checked += 1
        progress.checked += 1
        if not is_wrong:
            return
        progress.wrong += 1
        if await self._repair.mend(digest, self._content_of):
            progress.repaired += 1
        else:
            progress.lost += 1

    async def _wait_for_turn(self, bucket: TokenBucket, size: int) -> None:
        await asyncio.sleep(bucket.take(size, _now()))
        for _ in range(GIVE_WAY_STEPS_MAX):
            if not self._repair.readers_waiting:
                return
            await asyncio.sleep(GIVE_WAY_STEP_S)


def _now() -> float:
    return asyncio.get_running_loop().time()
