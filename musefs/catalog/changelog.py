"""What has changed in the catalogue and is not yet in the tree, oldest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from musefs.catalog.database import Queries, Transaction
from musefs.catalog.paths import from_blob, to_blob
from musefs.model import ContentId, TrackId


@dataclass(frozen=True, slots=True)
class Pending:
    """The next changes: tracks to place, and (origin, folder) pairs whose sidecars to place."""

    last_sequence: int
    tracks: tuple[TrackId, ...]
    folders: tuple[tuple[str, str], ...]


async def pending(queries: Queries, count_max: int) -> Pending | None:
    """The oldest changes, each named once; None when the tree is up to date."""
    rows = await queries.rows(
        "SELECT sequence, track_id, origin, folder FROM changelog ORDER BY sequence LIMIT ?",
        [count_max],
    )
    if not rows:
        return None
    return Pending(
        last_sequence=rows[-1][0],
        tracks=tuple(dict.fromkeys(row[1] for row in rows if row[1] is not None)),
        folders=tuple(
            dict.fromkeys((row[2], from_blob(row[3])) for row in rows if row[2] is not None)
        ),
    )


async def pending_count(queries: Queries) -> int:
    """How many changes the tree has not followed yet."""
    row = await queries.row("SELECT count(*) FROM changelog")
    return int(row[0]) if row else 0


async def finish(tx: Transaction, done: Pending) -> None:
    """These changes are in the tree now."""
    await tx.rows("DELETE FROM changelog WHERE sequence <= ?", [done.last_sequence])


async def log_tracks_of(tx: Transaction, contents: Iterable[ContentId | None]) -> None:
    """The tracks of these contents have to be placed again."""
    await tx.run_many(
        "INSERT INTO changelog (track_id) SELECT id FROM tracks WHERE content_id = ?",
        [(content_id,) for content_id in contents],
    )


async def log_folders(tx: Transaction, origin: str, folders: Iterable[str]) -> None:
    """The sidecars of these folders of an origin have to be placed again."""
    await tx.run_many(
        "INSERT INTO changelog (origin, folder) VALUES (?, ?)",
        [(origin, to_blob(folder)) for folder in folders],
    )


async def log_everything(tx: Transaction) -> None:
    """Every track and sidecar has to be placed again: the rules of placing are others now."""
    await tx.rows("INSERT INTO changelog (track_id) SELECT id FROM tracks")
    await tx.rows(
        "INSERT INTO changelog (origin, folder)"
        " SELECT DISTINCT origin, folder FROM files WHERE kind = 'sidecar'"
    )


async def setting(queries: Queries, name: str) -> str | None:
    """A value kept beside the catalogue's rows, or None."""
    row = await queries.row("SELECT value FROM settings WHERE name = ?", [name])
    return str(row[0]) if row else None


async def keep_setting(tx: Transaction, name: str, value: str) -> None:
    """Keep a value beside the catalogue's rows."""
    await tx.rows("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", [name, value])
