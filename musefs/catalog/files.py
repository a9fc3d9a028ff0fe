"""Files at origins: what a listing is compared with, and what an inspection found."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from musefs.catalog.changelog import log_folders, log_tracks_of
from musefs.catalog.contents import Contents, StoredContent
from musefs.catalog.database import Database
from musefs.catalog.paths import from_blob, to_blob
from musefs.catalog.records import FileRecord
from musefs.catalog.storing import store


@dataclass(frozen=True, slots=True)
class KnownFile:
    """What the catalogue says of a file. `version` is empty when it has to be read again."""

    id: int
    path: str
    version: str


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that is served untouched, or not at all, and why."""

    origin: str
    path: str
    reason: str


class Files:
    """The files table and what hangs on it; `contents` are those of the files."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.contents = Contents(database)

    async def known(self, origin: str, paths: Sequence[str]) -> dict[str, KnownFile]:
        """The files of these paths (some hundreds at most) that the catalogue knows."""
        marks = ",".join("?" * len(paths))
        rows = await self._db.rows(
            "SELECT id, path, iif(content_id IS NULL, '', version) FROM files"
            f" WHERE origin = ? AND path IN ({marks})",
            [origin, *map(to_blob, paths)],
        )
        return {from_blob(row[1]): KnownFile(row[0], from_blob(row[1]), row[2]) for row in rows}

    async def newest_id(self) -> int:
        """No file that is recorded later has an id of this or less."""
        row = await self._db.row("SELECT coalesce(max(id), 0) FROM files")
        return int(row[0]) if row else 0

    async def ids(self, origin: str, below: str = "") -> AsyncGenerator[int, None]:
        """The ids of an origin's files: all, or those at or below a path."""
        if not below:
            sql, values = "SELECT id FROM files WHERE origin = ?", [origin]
            # There may be a million: nobody else's query waits for them.
            async with aclosing(self._db.stream(sql, values)) as all_rows:
                async for row in all_rows:
                    yield row[0]
            return
        path = to_blob(below)
        rows = await self._db.rows(
            # Two look-ups: with OR, SQLite would look at all of the origin's files.
            "SELECT id FROM files WHERE origin = ? AND path = ?"
            " UNION ALL SELECT id FROM files WHERE origin = ? AND path > ? AND path < ?",
            # "0" follows "/" in ASCII: the range holds exactly what starts with "path/".
            [origin, path, origin, path + b"/", path + b"0"],
        )
        for row in rows:
            yield row[0]

    async def count(self, origin: str) -> int:
        """How many files of an origin are known."""
        row = await self._db.row("SELECT files FROM file_counts WHERE origin = ?", [origin])
        return int(row[0]) if row else 0

    async def failures(self) -> list[FailedFile]:
        """Every file with a reason why it is not served re-tagged, or not at all."""
        rows = await self._db.rows(
            # Sorted from the index of failures: that of all files in this order is a long one.
            "SELECT origin, path, failure FROM files WHERE failure IS NOT NULL"
            " ORDER BY +origin, +path"
        )
        return [FailedFile(row[0], from_blob(row[1]), row[2]) for row in rows]

    async def failure_count(self) -> int:
        """How many files have such a reason."""
        row = await self._db.row("SELECT count(*) FROM files WHERE failure IS NOT NULL")
        return int(row[0]) if row else 0

    async def record(self, origin: str, records: Sequence[FileRecord]) -> dict[str, StoredContent]:
        """Store a batch (some hundreds at most) of inspected files, and tell the tree.

        The content of each path that has one.
        """
        if not records:
            return {}
        async with self._db.writing() as tx:
            return await store(tx, origin, records)

    async def remove(self, origin: str, ids: Iterable[int]) -> None:
        """Forget files that a complete listing no longer shows, and tell the tree."""
        async with self._db.writing() as tx:
            for file_id in ids:
                row = await tx.row(
                    "DELETE FROM files WHERE id = ? RETURNING folder, content_id", [file_id]
                )
                if row is not None:
                    await log_tracks_of(tx, [row[1]])
                    await log_folders(tx, origin, {from_blob(row[0])})


async def keep_origins(database: Database, origins: Sequence[str]) -> list[str]:
    """Forget the files of all other origins; the ids of those that had any."""
    files = Files(database)
    rows = await database.rows("SELECT origin FROM file_counts WHERE files > 0")
    others = [row[0] for row in rows if row[0] not in origins]
    for origin in others:
        await files.remove(origin, [file_id async for file_id in files.ids(origin)])
    return others
