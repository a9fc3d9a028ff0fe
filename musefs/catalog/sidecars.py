"""Sidecar files and their entries in the tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from musefs.catalog.database import Queries, Transaction
from musefs.catalog.nodes import Node
from musefs.catalog.paths import from_blob, to_blob
from musefs.model import ContentId, Inode

_NODE = "n.inode, n.parent, n.name, n.kind, n.track_id, n.content_id, n.size, n.mtime_ns,"
_NODE += " n.subfolders, n.layout_id"


@dataclass(frozen=True, slots=True)
class SidecarFile:
    """A sidecar at an origin, and its entry in the tree when it has one."""

    id: int
    path: str
    size: int
    mtime_ns: int
    content_id: ContentId
    entry: Node | None


async def sidecar_files(queries: Queries, origin: str, folder: str) -> list[SidecarFile]:
    """The readable sidecars of an origin's folder, by their paths."""
    rows = await queries.rows(
        # By itself, SQLite would look at all files of the origin, which are in this order.
        f"SELECT f.id, f.path, f.size, f.mtime_ns, f.content_id, {_NODE}"
        " FROM files f INDEXED BY files_sidecars"
        " LEFT JOIN nodes n ON n.file_id = f.id WHERE f.origin = ? AND f.folder = ?"
        " AND f.kind = 'sidecar' AND f.content_id IS NOT NULL ORDER BY f.path",
        [origin, to_blob(folder)],
    )
    return [
        SidecarFile(
            row[0],
            from_blob(row[1]),
            row[2],
            row[3],
            row[4],
            Node(*row[5:]) if row[5] is not None else None,
        )
        for row in rows
    ]


async def with_sidecars(
    queries: Queries, folders: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Those of these (origin, folder) pairs, some hundreds at most, that have a sidecar."""
    if not folders:
        return []
    rows = await queries.rows(
        # For `IN (VALUES ...)` SQLite would go through all sidecars.
        f"WITH wanted (origin, folder) AS (VALUES {','.join(['(?, ?)'] * len(folders))})"
        " SELECT origin, folder FROM wanted w WHERE EXISTS (SELECT 1 FROM files f"
        " WHERE f.kind = 'sidecar' AND f.origin = w.origin AND f.folder = w.folder)",
        [value for origin, folder in folders for value in (origin, to_blob(folder))],
    )
    found = {(row[0], from_blob(row[1])) for row in rows}
    return [pair for pair in folders if pair in found]


async def track_folders(queries: Queries, origin: str, folder: str) -> list[Inode]:
    """Where the tracks of an origin's folder are in the tree: most of them first."""
    rows = await queries.rows(
        "SELECT n.parent FROM files f JOIN tracks t ON t.content_id = f.content_id"
        " JOIN nodes n ON n.track_id = t.id WHERE f.origin = ? AND f.folder = ?"
        " AND f.kind = 'audio' GROUP BY n.parent ORDER BY count(*) DESC, n.parent",
        [origin, to_blob(folder)],
    )
    return [row[0] for row in rows]


async def track_folders_below(queries: Queries, origin: str, folder: str) -> list[Inode]:
    """Where the tracks of the folders just below an origin's folder are: two places at most."""
    path = to_blob(folder)
    rows = await queries.rows(
        "SELECT DISTINCT n.parent FROM files f JOIN tracks t ON t.content_id = f.content_id"
        " JOIN nodes n ON n.track_id = t.id WHERE f.origin = ? AND f.folder > ? AND f.folder < ?"
        " AND instr(substr(f.folder, ?), X'2F') = 0 AND f.kind = 'audio' LIMIT 2",
        [origin, path + b"/", path + b"0", len(path) + 2],
    )
    return [row[0] for row in rows]


async def track_names(
    queries: Queries, origin: str, folder: str, parent: Inode
) -> list[tuple[str, str]]:
    """The tracks of an origin's folder that are in one folder of the tree: path and new name."""
    rows = await queries.rows(
        "SELECT f.path, n.name FROM files f JOIN tracks t ON t.content_id = f.content_id"
        " JOIN nodes n ON n.track_id = t.id"
        " WHERE f.origin = ? AND f.folder = ? AND f.kind = 'audio' AND n.parent = ?",
        [origin, to_blob(folder), parent],
    )
    return [(from_blob(row[0]), row[1]) for row in rows]


async def twin(queries: Queries, parent: Inode, content_id: ContentId, own: Inode | None) -> bool:
    """Whether a folder of the tree shows these bytes as a sidecar other than the entry `own`."""
    row = await queries.row(
        "SELECT 1 FROM nodes WHERE content_id = ? AND parent = ? AND kind = 'sidecar'"
        " AND inode IS NOT ?",
        [content_id, parent, own],
    )
    return row is not None


async def hidden_replicas(queries: Queries, content_id: ContentId) -> list[tuple[str, str]]:
    """Origin and folder of the sidecars with these bytes that have no entry."""
    rows = await queries.rows(
        "SELECT origin, folder FROM files f WHERE content_id = ? AND kind = 'sidecar'"
        " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.file_id = f.id)",
        [content_id],
    )
    return [(row[0], from_blob(row[1])) for row in rows]


async def orphans(queries: Queries) -> list[Node]:
    """Entries whose sidecar file is gone."""
    rows = await queries.rows(
        # By itself, SQLite would look through all tracks, none of which has a file_id.
        f"SELECT {_NODE} FROM nodes n INDEXED BY nodes_without_file"
        " WHERE n.kind = 'sidecar' AND n.file_id IS NULL"
    )
    return [Node(*row) for row in rows]


async def hand_over(tx: Transaction, entry: Node) -> tuple[str, str] | None:
    """Let an orphan stand for a replica that is not shown yet: its origin and folder, or None."""
    rows = await tx.rows(
        "UPDATE nodes SET file_id = (SELECT f.id FROM files f WHERE f.content_id = :content"
        " AND f.kind = 'sidecar' AND NOT EXISTS (SELECT 1 FROM nodes o WHERE o.file_id = f.id)"
        " ORDER BY f.origin, f.path LIMIT 1) WHERE inode = :inode RETURNING file_id",
        {"content": entry.content_id, "inode": entry.inode},
    )
    if not rows or rows[0][0] is None:
        return None
    row = await tx.row("SELECT origin, folder FROM files WHERE id = ?", [rows[0][0]])
    return (row[0], from_blob(row[1])) if row else None
