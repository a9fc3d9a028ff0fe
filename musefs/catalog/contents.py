"""Contents and where they are: what opening a file and reading it needs."""

from __future__ import annotations

from dataclasses import dataclass

from musefs.catalog.database import Database
from musefs.catalog.paths import from_blob
from musefs.model import ContentId
from origins.base import Version


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A content as the catalogue knows it."""

    id: ContentId
    size: int
    fingerprint: bytes
    audio_start: int
    audio_end: int


@dataclass(frozen=True, slots=True)
class Replica:
    """A file at an origin that has the content's bytes, as long as it is of that version."""

    origin_id: str
    path: str
    version: Version


class Contents:
    """The contents table, and the files that hold each content."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def content(self, content_id: ContentId) -> StoredContent | None:
        """One content, or None."""
        row = await self._db.row(
            "SELECT id, size, fingerprint, audio_start, audio_end FROM contents WHERE id = ?",
            [content_id],
        )
        return StoredContent(*row) if row else None

    async def replicas(self, content_id: ContentId) -> list[Replica]:
        """Every file that holds the content, in a stable order."""
        rows = await self._db.rows(
            "SELECT origin, path, version FROM files WHERE content_id = ? ORDER BY origin, path",
            [content_id],
        )
        return [Replica(row[0], from_blob(row[1]), Version(row[2])) for row in rows]
