"""Tracks whose tags may match a query, and what fetching them takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from musefs.catalog.database import Database, Queries
from musefs.model import ContentId, Inode, TrackId


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a value of the field (None: of any) has to be like, for SQLite's LIKE with "\\"."""

    field: str | None
    like: str


@dataclass(frozen=True, slots=True)
class PlacedTrack:
    """A track in the tree, its content, and whether that comes from an origin that is cached."""

    track_id: TrackId
    parent: Inode
    name: str
    content_id: ContentId
    size: int
    is_cached: bool


def pattern(field: str | None, text: str) -> Pattern:
    """A pattern that every value has which contains this folded text, and some others.

    LIKE folds ASCII only, so of other letters it asks nothing but that they may be there.
    """
    plain = "".join(c if c.isascii() else "%" for c in _escaped(text))
    return Pattern(field, f"%{plain}%")


async def candidates(
    database: Database, patterns: Sequence[Pattern]
) -> AsyncGenerator[TrackId, None]:
    """Tracks in the tree of which all patterns are met, by their files' tags or by edits."""
    conditions, values = [], []
    for one in patterns:
        of_field = "" if one.field is None else "v.field = ? AND "
        found = [
            f"EXISTS (SELECT 1 FROM {table} v WHERE v.track_id = n.track_id AND {of_field}"
            r"v.value LIKE ? ESCAPE '\')"
            for table in ("tags", "edits")
        ]
        conditions.append(f"({' OR '.join(found)})")
        values += [one.like] * 2 if one.field is None else [one.field, one.like] * 2
    where = " AND ".join(["n.track_id IS NOT NULL", *conditions])
    sql = f"SELECT n.track_id FROM nodes n WHERE {where}"
    async with aclosing(database.stream(sql, values)) as rows:
        async for row in rows:
            yield TrackId(row[0])


async def placed_tracks(
    queries: Queries, ids: Sequence[TrackId], read_through: Collection[str]
) -> list[PlacedTrack]:
    """Those of the tracks (some hundreds at most) that are in the tree."""
    marks, origins = ",".join("?" * len(ids)), ",".join("?" * len(read_through))
    rows = await queries.rows(
        "SELECT n.track_id, n.parent, n.name, o.id, o.size, EXISTS (SELECT 1 FROM files f"
        f" WHERE f.content_id = o.id AND f.origin NOT IN ({origins}))"
        f" FROM nodes n JOIN contents o ON o.id = n.content_id WHERE n.track_id IN ({marks})",
        [*read_through, *ids],
    )
    return [
        PlacedTrack(track_id, parent, name, content_id, size, bool(cached))
        for track_id, parent, name, content_id, size, cached in rows
    ]


def _escaped(text: str) -> str:
    for mark in ("\\", "%", "_"):
        text = text.replace(mark, f"\\{mark}")
    return text
