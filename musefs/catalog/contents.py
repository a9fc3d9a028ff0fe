"""Contents and where they are: what opening a file and reading it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from musefs.catalog.database import Database, Queries, Row
from musefs.catalog.paths import from_blob, to_blob
from musefs.model import Content, ContentId
from origins.base import Version


@dataclass(frozen=True, slots=True)
class StoredContent:
    """A content as the catalogue knows it.

    `variant_of`: see ContentRecord.
    """

    id: ContentId
    size: int
    fingerprint: bytes
    audio_start: int
    audio_end: int
    regions: tuple[int, ...] = ()
    variant_of: bytes | None = None

    @property
    def ends(self) -> bytes:
        """The fingerprint of size, beginning and end alone, which variants have in common."""
        return self.variant_of or self.fingerprint

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


@dataclass(frozen=True, slots=True)
class HeldContent:
    """What a file was when it was last looked at. `format` is None for a sidecar."""

    content: StoredContent
    version: str
    format: str | None


CONTENT_COLUMNS = "id, size, fingerprint, audio_start, audio_end, regions, variant_of"
"""What `stored_content` takes."""

_OF_CONTENT = ", ".join(f"o.{column}" for column in CONTENT_COLUMNS.split(", "))


def stored_content(row: Row) -> StoredContent:
    """A content from its columns; one of an older catalogue has no regions of its own."""
    content_id, size, fingerprint, audio_start, audio_end, regions, variant_of = row
    return StoredContent(
        content_id, size, fingerprint, audio_start, audio_end, regions_from(regions), variant_of
    )


def regions_text(regions: Sequence[int]) -> str | None:
    """Boundaries as the catalogue stores them: decimal numbers with blanks between."""
    return " ".join(map(str, regions)) or None


def regions_from(text: str | None) -> tuple[int, ...]:
    """The boundaries of `regions_text`."""
    return tuple(map(int, text.split())) if text else ()


async def contents_of(queries: Queries, keys: Sequence[tuple[int, bytes]]) -> list[StoredContent]:
    """The contents of these sizes and fingerprints (some hundreds at most)."""
    if not keys:
        return []
    rows = await queries.rows(
        # A join: for `IN (VALUES ...)` SQLite would go through all contents.
        f"WITH wanted (size, fingerprint) AS (VALUES {','.join(['(?, ?)'] * len(keys))})"
        f" SELECT {_OF_CONTENT} FROM wanted w CROSS JOIN contents o"
        " ON o.size = w.size AND o.fingerprint = w.fingerprint",
        [value for key in keys for value in key],
    )
    return [stored_content(row) for row in rows]


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

    async def held(self, origin: str, paths: Sequence[str]) -> dict[str, HeldContent]:
        """The contents of these files (some hundreds at most); those without one left out."""
        if not paths:
            return {}
        marks = ",".join("?" * len(paths))
        rows = await self._db.rows(
            f"SELECT f.path, f.version, t.format, {_OF_CONTENT} FROM files f"
            " JOIN contents o ON o.id = f.content_id LEFT JOIN tracks t ON t.content_id = o.id"
            f" WHERE f.origin = ? AND f.path IN ({marks})",
            [origin, *map(to_blob, paths)],
        )
        return {
            from_blob(row[0]): HeldContent(stored_content(row[3:]), row[1], row[2]) for row in rows
        }

    async def alike(
        self, fingerprints: Sequence[bytes]
    ) -> dict[tuple[int, bytes], list[StoredContent]]:
        """The contents of size and ends (fingerprints of some hundreds at most) that have variants.

        Each with its variants behind it.
        """
        marks = ",".join("?" * len(fingerprints))
        variants = await self._db.rows(
            f"SELECT {CONTENT_COLUMNS} FROM contents WHERE variant_of IN ({marks}) ORDER BY id",
            fingerprints,
        )
        if not variants:
            return {}
        keys = {(content.size, content.ends) for content in map(stored_content, variants)}
        plain = await contents_of(self._db, list(keys))
        found: dict[tuple[int, bytes], list[StoredContent]] = {}
        for content in (*plain, *map(stored_content, variants)):
            found.setdefault((content.size, content.ends), []).append(content)
        return {key: contents for key, contents in found.items() if contents[-1].variant_of}
