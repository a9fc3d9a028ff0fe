"""Which chunks the disk holds, and which part of which content each of them is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.database import Database
from musefs.model import ContentId


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """Chunk `index` of a content has that digest and that many bytes."""

    content_id: ContentId
    index: int
    digest: bytes
    size: int


class Chunks:
    """The chunks of every content. Rows may be lost at a crash, never wrong."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def chunks(self, content_id: ContentId) -> Mapping[int, bytes]:
        """The digests of a content's chunks by their position in it."""
        rows = await self._db.rows(
            "SELECT position, digest FROM content_chunks WHERE content_id = ?", [content_id]
        )
        return dict(rows)

    async def record(self, rows: Sequence[ChunkRow]) -> None:
        """Remember chunks that are on disk, in one transaction."""
        async with self._db.writing() as tx:
            await tx.run_many(
                "INSERT INTO chunks (digest, size) VALUES (?, ?) ON CONFLICT DO NOTHING",
                [(row.digest, row.size) for row in rows],
            )
            await tx.run_many(
                "INSERT OR REPLACE INTO content_chunks (content_id, position, digest)"
                " SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM contents WHERE id = ?)",
                [(row.content_id, row.index, row.digest, row.content_id) for row in rows],
            )

    async def forget(self, digests: Collection[bytes]) -> None:
        """Chunks that are gone from the disk."""
        async with self._db.writing() as tx:
            await tx.run_many("DELETE FROM chunks WHERE digest = ?", [(d,) for d in digests])

    async def all(self) -> AsyncIterator[tuple[bytes, int]]:
        """Digest and size in bytes of every row: a digest comes as often as contents share it."""
        async for digest, size in self._db.stream(
            "SELECT c.digest, c.size FROM chunks c"
            " LEFT JOIN content_chunks p ON p.digest = c.digest"
        ):
            yield digest, size
