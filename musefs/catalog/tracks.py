"""Tracks: their tags, their art, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.database import Queries
from musefs.catalog.paths import from_blob
from musefs.catalog.records import ArtRecord
from musefs.model import ContentId, TrackId


@dataclass(frozen=True, slots=True)
class TrackFile:
    """One of the files that hold a track."""

    origin: str
    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """A track with all that its place in the tree depends on."""

    id: TrackId
    content_id: ContentId
    format: str
    tags: Mapping[str, Sequence[str]]
    files: Sequence[TrackFile]


async def stored_tracks(queries: Queries, ids: Sequence[TrackId]) -> list[StoredTrack]:
    """These tracks (some hundreds at most), in the order of their ids; unknown ones left out."""
    marks = ",".join("?" * len(ids))
    rows = await queries.rows(
        f"SELECT id, content_id, format FROM tracks WHERE id IN ({marks}) ORDER BY id", ids
    )
    tags = await queries.rows(
        f"SELECT track_id, field, value FROM tags WHERE track_id IN ({marks})"
        " ORDER BY track_id, field, position",
        ids,
    )
    files = await queries.rows(
        "SELECT t.id, f.origin, f.path, f.size, f.mtime_ns FROM tracks t"
        " JOIN files f ON f.content_id = t.content_id AND f.kind = 'audio'"
        f" WHERE t.id IN ({marks}) ORDER BY t.id, f.origin, f.path",
        ids,
    )
    tags_of: dict[int, dict[str, list[str]]] = {}
    for track_id, name, value in tags:
        tags_of.setdefault(track_id, {}).setdefault(name, []).append(value)
    files_of: dict[int, list[TrackFile]] = {}
    for track_id, origin, path, size, mtime_ns in files:
        file = TrackFile(origin, from_blob(path), size, mtime_ns)
        files_of.setdefault(track_id, []).append(file)
    return [
        StoredTrack(row[0], row[1], row[2], tags_of.get(row[0], {}), files_of.get(row[0], []))
        for row in rows
    ]


async def art_of(queries: Queries, track_id: TrackId) -> list[ArtRecord]:
    """The pictures embedded in a track, in their order."""
    rows = await queries.rows(
        "SELECT kind, mime, byte_offset, length FROM art WHERE track_id = ? ORDER BY position",
        [track_id],
    )
    return [ArtRecord(*row) for row in rows]
