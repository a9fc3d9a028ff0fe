"""Keeps near what every scan of tags reads: hands it to the chunk store once contents have ids.

What could not be kept (the scan was interrupted, the origin away, the disk broken, the store
cleared) is made up for by the next scan of the whole origin, once, and only while there is room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from musefs.catalog.chunks import Chunks
from musefs.catalog.contents import StoredContent
from musefs.content.chunk_keeping import ChunkKeeping
from musefs.indexing.examining import KEPT_SIDECAR_BYTES_MAX, Examined


class Keeping:
    """What one origin's scans leave in the chunk store."""

    def __init__(self, store: ChunkKeeping, chunks: Chunks) -> None:
        self._store = store
        self._chunks = chunks
        self._made_up: int | None = None
        self._is_due = False
        self._kept = False

    async def begin(self, *, whole: bool) -> None:
        """A scan begins, of the whole origin or of some paths."""
        due = whole and self._made_up != self._store.clearings
        self._is_due = due and await self._store.has_room()
        self._made_up = self._store.clearings if due else self._made_up

    async def headless(self, origin: str, paths: Sequence[str]) -> set[str]:
        """Those of these files (some hundreds at most) that are to be made up for in this scan."""
        if not self._is_due or not paths:
            return set()
        return await self._chunks.headless(origin, paths, KEPT_SIDECAR_BYTES_MAX)

    async def keep(self, contents: Mapping[str, StoredContent], files: Sequence[Examined]) -> None:
        """Keep what was read of these files, as far as the store takes it."""
        for file in files:
            stored = contents.get(file.record.path)
            if file.known is not None and stored is not None:
                self._kept |= await self._store.keep(stored.content(), file.known, file.kept)

    async def settle(self) -> None:
        """The scan ends: return when what it kept is on the disk, or soon."""
        if self._kept:
            self._kept = not await self._store.settled()
