"""Contents and where they are: what opening a file and reading it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from musefs.catalog.database import Database, Row
from musefs.catalog.paths import from_blob
from musefs.model import Content, ContentId
from origins.base import Version


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A content as the catalogue knows it."""

    id: ContentId
    size: int
    fingerprint: bytes
    audio_start: int
    audio_end: int
    regions: tuple[int, ...] = ()

    def content(self, *, cacheable: bool = True) -> Content:
        """What the layers below read it as."""
        return Content(
            self.id, self.size, self.audio_start, self.audio_end, cacheable, self.regions
        )


@dataclass(frozen=True, slots=True)
class Replica:
    """A file at an origin that has the content's bytes, as long as it is of that version."""

    origin_id: str
    path: str
    version: Version


CONTENT_COLUMNS = "id, size, fingerprint, audio_start, audio_end, regions"
"""What `stored_content` takes."""


def stored_content(row: Row) -> StoredContent:
    """A content from its columns; one of an older catalogue has no regions of its own."""
    content_id, size, fingerprint, audio_start, audio_end, regions = row
    return StoredContent(
        content_id, size, fingerprint, audio_start, audio_end, regions_from(regions)
    )


def regions_text(regions: Sequence[int]) -> str | None:
    """Boundaries as the catalogue stores them: decimal numbers with blanks between."""
    return " ".join(map(str, regions)) or None


def regions_from(text: str | None) -> tuple[int, ...]:
    """The boundaries of `regions_text`."""
    return tuple(map(int, text.split())) if text else ()


class Contents:
    """The contents table, and the files that hold each content."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def content(self, content_id: ContentId) -> StoredContent | None:
        """One content, or None."""
        row = await self._db.row(
            f"SELECT {CONTENT_COLUMNS} FROM contents WHERE id = ?", [content_id]
        )
        return stored_content(row) if row else None

    async def replicas(self, content_id: ContentId) -> list[Replica]:
        """Every file that holds the content, in a stable order."""
        rows = await self._db.rows(
            "SELECT origin, path, version FROM files WHERE content_id = ? ORDER BY origin, path",
            [content_id],
        )
        return [Replica(row[0], from_blob(row[1]), Version(row[2])) for row in rows]
