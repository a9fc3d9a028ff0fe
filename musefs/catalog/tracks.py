"""Tracks: their tags, their art, and the files that hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.database import Queries
from musefs.catalog.edits import Edits, edits_of
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
    """A track with all that its place in the tree and its served bytes depend on.

    `tags` are those that are served, `own_tags` those of its file.
    """

    id: TrackId
    content_id: ContentId
    format: str
    own_tags: Mapping[str, Sequence[str]]
    files: Sequence[TrackFile]
    edits: Edits | None = None

    @property
    def tags(self) -> Mapping[str, Sequence[str]]:
        """The file's tags with the edits over them."""
        return self.edits.over(self.own_tags) if self.edits is not None else self.own_tags


async def stored_tracks(
    queries: Queries, ids: Sequence[TrackId], *, edited_only: bool = False
) -> list[StoredTrack]:
    """These tracks (some hundreds at most), in the order of their ids; unknown ones left out.

    With `edited_only` those that were never edited too.
    """
    edits = await edits_of(queries, ids)
    if edited_only:
        ids = [track_id for track_id in ids if track_id in edits]
    if not ids:
        return []
    marks = ",".join("?" * len(ids))
    rows = await queries.rows(
        f"SELECT id, content_id, format FROM tracks WHERE id IN ({marks}) ORDER BY id", ids
    )
    tags, files = await _tags_of(queries, ids), await _files_of(queries, ids)
    return [
        StoredTrack(
            row[0],
            row[1],
            row[2],
            tags.get(row[0], {}),
            files.get(row[0], []),
            edits.get(row[0]),
        )
        for row in rows
    ]


async def _tags_of(queries: Queries, ids: Sequence[TrackId]) -> dict[TrackId, dict[str, list[str]]]:
    marks = ",".join("?" * len(ids))
    rows = await queries.rows(
        f"SELECT track_id, field, value FROM tags WHERE track_id IN ({marks})"
        " ORDER BY track_id, field, position",
        ids,
    )
    tags: dict[TrackId, dict[str, list[str]]] = {}
    for track_id, name, value in rows:
        tags.setdefault(track_id, {}).setdefault(name, []).append(value)
    return tags


async def _files_of(queries: Queries, ids: Sequence[TrackId]) -> dict[TrackId, list[TrackFile]]:
    marks = ",".join("?" * len(ids))
    rows = await queries.rows(
        "SELECT t.id, f.origin, f.path, f.size, f.mtime_ns FROM tracks t"
        " JOIN files f ON f.content_id = t.content_id AND f.kind = 'audio'"
        f" WHERE t.id IN ({marks}) ORDER BY t.id, f.origin, f.path",
        ids,
    )
    files: dict[TrackId, list[TrackFile]] = {}
    for track_id, origin, path, size, mtime_ns in rows:
        file = TrackFile(origin, from_blob(path), size, mtime_ns)
        files.setdefault(track_id, []).append(file)
    return files


async def art_of(queries: Queries, track_id: TrackId) -> list[ArtRecord]:
    """The pictures embedded in a track, in their order."""
    rows = await queries.rows(
        "SELECT kind, mime, byte_offset, length FROM art WHERE track_id = ? ORDER BY position",
        [track_id],
    )
    return [ArtRecord(*row) for row in rows]
