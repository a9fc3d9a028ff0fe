"""How edited tracks are served: their layouts, as they were made last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from musefs.catalog.database import Queries, Transaction
from musefs.catalog.files import FailedFile
from musefs.catalog.paths import from_blob
from musefs.model import ContentId, TrackId


@dataclass(frozen=True, slots=True)
class LayoutRecord:
    """A layout of a track, made from a content for the edits of a time.

    `segments` in their stored form; None when no header can be made, for the reason `failure`.
    `size` is that of the served file, in bytes.
    """

    track_id: TrackId
    content_id: ContentId
    edited_ns: int
    size: int
    segments: bytes | None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class StoredLayout:
    """A layout in the catalogue, without its segments. A new layout has a new id."""

    id: int
    track_id: TrackId
    content_id: ContentId
    edited_ns: int
    size: int
    failure: str | None


async def layouts_of(queries: Queries, tracks: Sequence[TrackId]) -> dict[TrackId, StoredLayout]:
    """The layouts of these tracks (some hundreds at most); those that have none left out."""
    marks = ",".join("?" * len(tracks))
    rows = await queries.rows(
        "SELECT id, track_id, content_id, edited_ns, size, failure FROM layouts"
        f" WHERE track_id IN ({marks})",
        tracks,
    )
    return {row[1]: StoredLayout(*row) for row in rows}


async def segments_of(queries: Queries, layout_id: int) -> bytes | None:
    """The stored form of a layout's segments; None when the layout is gone."""
    row = await queries.row("SELECT segments FROM layouts WHERE id = ?", [layout_id])
    return row[0] if row else None


async def keep_layout(tx: Transaction, record: LayoutRecord) -> StoredLayout:
    """Have a track have this layout and no other."""
    await tx.run("DELETE FROM layouts WHERE track_id = ?", [record.track_id])
    rows = await tx.rows(
        "INSERT INTO layouts (track_id, content_id, edited_ns, size, segments, failure)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        [
            record.track_id,
            record.content_id,
            record.edited_ns,
            record.size,
            record.segments,
            record.failure,
        ],
    )
    return StoredLayout(
        rows[0][0],
        record.track_id,
        record.content_id,
        record.edited_ns,
        record.size,
        record.failure,
    )


async def drop_layout(tx: Transaction, track_id: TrackId) -> None:
    """Have a track have no layout of its own."""
    await tx.run("DELETE FROM layouts WHERE track_id = ?", [track_id])


async def unmade(queries: Queries, count_max: int) -> list[TrackId]:
    """Edited tracks whose layout is missing, or made for other bytes or an older edit."""
    rows = await queries.rows(
        # The first of them uses an index; most edits are made.
        "SELECT e.track_id FROM edited e CROSS JOIN tracks t ON t.id = e.track_id"
        " LEFT JOIN layouts l ON l.track_id = e.track_id AND l.content_id = t.content_id"
        " AND l.edited_ns = e.edited_ns WHERE e.unmade = 1 AND l.id IS NULL AND (e.art <> 'own'"
        " OR EXISTS (SELECT 1 FROM edits f WHERE f.track_id = e.track_id))"
        " AND EXISTS (SELECT 1 FROM files f WHERE f.content_id = t.content_id)"
        # None of them may keep the others from being tried.
        " ORDER BY random() LIMIT ?",
        [count_max],
    )
    return [TrackId(row[0]) for row in rows]


async def layout_failures(queries: Queries) -> list[FailedFile]:
    """The files of edited tracks that are served untouched, each with the reason."""
    rows = await queries.rows(
        # From the few layouts: in the order of files, SQLite would begin with all of these.
        "SELECT f.origin, f.path, l.failure FROM layouts l CROSS JOIN tracks t ON t.id = l.track_id"
        " AND t.content_id = l.content_id CROSS JOIN files f ON f.content_id = t.content_id"
        " WHERE l.failure IS NOT NULL ORDER BY f.origin, f.path"
    )
    return [FailedFile(row[0], from_blob(row[1]), row[2]) for row in rows]
