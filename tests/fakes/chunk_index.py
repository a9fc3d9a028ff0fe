"""A chunk index in memory, which can be told to fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence

from musefs.content.chunk_index import ChunkRow
from musefs.errors import StateBroken
from musefs.model import ContentId


class MemoryChunkIndex:
    """Rows by content and index; `queries` counts look-ups."""

    def __init__(self) -> None:
        self.rows: dict[tuple[ContentId, int], tuple[bytes, int]] = {}
        self.kept: set[bytes] = set()
        self.pinned_contents: set[ContentId] = set()
        self.batches: list[int] = []
        self.queries = 0
        self.broken = False
        self.hangs = False

    async def chunks(self, content_id: ContentId) -> Mapping[int, bytes]:
        """Digest by chunk index."""
        self._check()
        self.queries += 1
        return {
            index: digest
            for (owner, index), (digest, _) in self.rows.items()
            if owner == content_id
        }

    async def record(self, rows: Sequence[ChunkRow]) -> None:
        """Keep rows."""
        self._check()
        if self.hangs:
            await asyncio.Event().wait()
        self.batches.append(len(rows))
        for row in rows:
            self.rows[row.content_id, row.index] = (row.digest, row.size)
            if row.kept:
                self.kept.add(row.digest)

    async def forget(self, digests: Collection[bytes]) -> None:
        """Drop every row of these digests."""
        self._check()
        gone = set(digests)
        self.kept -= gone
        self.rows = {key: row for key, row in self.rows.items() if row[0] not in gone}

    async def after(self, digest: bytes, count: int) -> Sequence[tuple[bytes, int]]:
        """The rows of the next digests."""
        self._check()
        return sorted({row for row in self.rows.values() if row[0] > digest})[:count]

    async def holders(self, digest: bytes) -> Sequence[tuple[ContentId, int]]:
        """Where a digest is."""
        self._check()
        return [key for key, row in self.rows.items() if row[0] == digest]

    async def all(self) -> AsyncIterator[tuple[bytes, int, bool]]:
        """Every row's digest and size, and whether it is kept."""
        self._check()
        for digest, size in list(self.rows.values()):
            yield digest, size, digest in self.kept

    async def pinned(self) -> AsyncIterator[tuple[ContentId, bytes]]:
        """Rows of the contents that the test has pinned."""
        self._check()
        for (content_id, _), (digest, _) in list(self.rows.items()):
            if content_id in self.pinned_contents:
                yield content_id, digest

    def _check(self) -> None:
        if self.broken:
            raise StateBroken("the catalogue is broken; restore it from a backup")
