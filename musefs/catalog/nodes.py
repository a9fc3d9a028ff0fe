"""The stored tree: folders, tracks and sidecars by inode and by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from musefs.catalog.database import Queries, Row, Transaction
from musefs.model import ContentId, Inode, TrackId

NodeKind = Literal["folder", "track", "sidecar"]

ROOT = Inode(1)

_COLUMNS = "inode, parent, name, kind, track_id, content_id, size, mtime_ns, subfolders, layout_id"


_INSERT = (
    "INSERT INTO nodes (inode, parent, name, folded, kind, mtime_ns, size, track_id, file_id,"
    " content_id, layout_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Node(NamedTuple):
    """One entry of the tree. `subfolders` counts those of a folder.

    Without a `layout_id`, a file shows the bytes of its content. A tuple, since a folder may have
    a hundred thousand: that is made four times as fast as a dataclass.
    """

    inode: Inode
    parent: Inode
    name: str
    kind: NodeKind
    track_id: TrackId | None
    content_id: ContentId | None
    size: int
    mtime_ns: int
    subfolders: int = 0
    layout_id: int | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What the tree holds."""

    tracks: int
    sidecars: int
    folders: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class NewNode:
    """An entry to be made: `folded` is the name by which it is found."""

    parent: Inode
    name: str
    folded: str
    kind: NodeKind
    mtime_ns: int
    size: int = 0
    track_id: TrackId | None = None
    file_id: int | None = None
    content_id: ContentId | None = None
    layout_id: int | None = None


async def node(queries: Queries, inode: Inode) -> Node | None:
    """The entry with this inode, or None."""
    row = await queries.row(f"SELECT {_COLUMNS} FROM nodes WHERE inode = ?", [inode])
    return Node(*row) if row else None


async def child(queries: Queries, parent: Inode, folded: str) -> Node | None:
    """A folder's entry of this (folded) name, or None."""
    row = await queries.row(
        f"SELECT {_COLUMNS} FROM nodes WHERE parent = ? AND folded = ?", [parent, folded]
    )
    return Node(*row) if row else None


async def children(queries: Queries, parent: Inode) -> list[Node]:
    """A folder's entries, by their names."""
    rows = await queries.rows(
        f"SELECT {_COLUMNS} FROM nodes WHERE parent = ? ORDER BY folded", [parent]
    )
    return list(map(Node._make, rows))


async def listed(queries: Queries, folder: Inode) -> list[Row]:
    """What a listing takes of a folder's entries, by their names; none also of what is no folder.

    Name in UTF-8, inode, links of a folder or 0, size in bytes, and time in ns since 1970.
    """
    return await queries.rows(
        "SELECT CAST(name AS BLOB), inode, iif(kind = 'folder', 2 + subfolders, 0), size,"
        " max(mtime_ns, 0) FROM nodes WHERE parent = ? ORDER BY folded",
        [folder],
    )


async def names_in(
    queries: Queries, parent: Inode, count_max: int
) -> list[tuple[str, Inode, NodeKind]]:
    """(folded name, inode, kind) of a folder's entries, `count_max` of them at most."""
    rows = await queries.rows(
        "SELECT folded, inode, kind FROM nodes WHERE parent = ? LIMIT ?", [parent, count_max]
    )
    return [(row[0], Inode(row[1]), row[2]) for row in rows]


async def track_nodes(queries: Queries, tracks: Sequence[TrackId]) -> dict[TrackId, Node]:
    """Where these tracks (some hundreds at most) are in the tree; those that are not, left out."""
    marks = ",".join("?" * len(tracks))
    rows = await queries.rows(f"SELECT {_COLUMNS} FROM nodes WHERE track_id IN ({marks})", tracks)
    nodes = [Node(*row) for row in rows]
    return {entry.track_id: entry for entry in nodes if entry.track_id is not None}


async def tracks_below(queries: Queries, folder: Inode, count_max: int) -> list[TrackId]:
    """The tracks in a folder and in all below it, `count_max` at most, by their inodes."""
    rows = await queries.rows(
        "WITH RECURSIVE folders (inode) AS (VALUES (?) UNION ALL SELECT n.inode FROM folders f"
        " JOIN nodes n ON n.parent = f.inode AND n.kind = 'folder')"
        " SELECT n.track_id FROM folders f JOIN nodes n ON n.parent = f.inode"
        " WHERE n.kind = 'track' ORDER BY n.inode LIMIT ?",
        [folder, count_max],
    )
    return [TrackId(row[0]) for row in rows]


async def next_track(queries: Queries, inode: Inode) -> Node | None:
    """The track that follows an entry in its folder, by their names; None after the last."""
    row = await queries.row(
        f"SELECT {_COLUMNS} FROM nodes WHERE kind = 'track'"
        " AND parent = (SELECT parent FROM nodes WHERE inode = :inode)"
        " AND folded > (SELECT folded FROM nodes WHERE inode = :inode) ORDER BY folded LIMIT 1",
        {"inode": inode},
    )
    return Node(*row) if row else None


async def path_of(queries: Queries, entry: Node) -> str:
    """The names that lead from the root to an entry, with "/" between them."""
    rows = await queries.rows(
        "WITH RECURSIVE above (inode, parent, name, depth) AS (SELECT inode, parent, name, 0"
        " FROM nodes WHERE inode = ? UNION ALL SELECT n.inode, n.parent, n.name, a.depth + 1"
        " FROM above a JOIN nodes n ON n.inode = a.parent)"
        " SELECT name FROM above WHERE inode <> ? ORDER BY depth DESC",
        [entry.inode, ROOT],
    )
    return "/".join(row[0] for row in rows)


async def next_inode(tx: Transaction) -> Inode:
    """The inode that the next entry gets: one never given before."""
    row = await tx.row("SELECT seq FROM sqlite_sequence WHERE name = 'nodes'")
    return Inode(row[0] + 1 if row else ROOT + 1)


async def insert(tx: Transaction, new: Sequence[NewNode], first: Inode) -> None:
    """Make entries, with the inodes from `first` on; folders in front of what is in them."""
    rows = [_inserted(inode, one) for inode, one in enumerate(new, first)]
    await tx.run_many(_INSERT, rows)
    await tx.run_many(
        "UPDATE nodes SET subfolders = subfolders + 1 WHERE inode = ?",
        [(one.parent,) for one in new if one.kind == "folder"],
    )


def _inserted(inode: int, new: NewNode) -> list[object]:
    return [
        inode,
        new.parent,
        new.name,
        new.folded,
        new.kind,
        new.mtime_ns,
        new.size,
        new.track_id,
        new.file_id,
        new.content_id,
        new.layout_id,
    ]


async def move(tx: Transaction, inode: Inode, parent: Inode, name: str, folded: str) -> None:
    """Give an entry another name, in the same folder or another one; it keeps its inode."""
    await tx.rows(
        "UPDATE nodes SET parent = ?, name = ?, folded = ? WHERE inode = ?",
        [parent, name, folded, inode],
    )


async def unfold(tx: Transaction) -> None:
    """Have every entry found by its name as it is."""
    await tx.run("UPDATE OR IGNORE nodes SET folded = name WHERE folded <> name")


async def rewrite(tx: Transaction, inode: Inode, new: NewNode) -> None:
    """Have an entry show what `new` shows; it keeps its place."""
    await tx.rows(
        "UPDATE nodes SET content_id = ?, layout_id = ?, size = ?, mtime_ns = ? WHERE inode = ?",
        [new.content_id, new.layout_id, new.size, new.mtime_ns, inode],
    )


async def delete(tx: Transaction, entry: Node) -> None:
    """Take an entry out; a folder has to be empty."""
    await tx.rows("DELETE FROM nodes WHERE inode = ?", [entry.inode])
    if entry.kind == "folder":
        await tx.rows(
            "UPDATE nodes SET subfolders = subfolders - 1 WHERE inode = ?", [entry.parent]
        )


async def is_empty(queries: Queries, folder: Inode) -> bool:
    """Whether a folder has no entry."""
    return await queries.row("SELECT 1 FROM nodes WHERE parent = ? LIMIT 1", [folder]) is None


async def touch(tx: Transaction, folders: Sequence[Inode], now_ns: int) -> None:
    """Folders whose entries have changed."""
    await tx.run_many(
        "UPDATE nodes SET mtime_ns = ? WHERE inode = ?", [(now_ns, inode) for inode in folders]
    )


async def totals(queries: Queries) -> Totals:
    """What the tree holds; costs the same for any library."""
    rows = await queries.rows("SELECT kind, entries, size FROM totals")
    counts = {row[0]: row[1] for row in rows}
    return Totals(
        tracks=counts.get("track", 0),
        sidecars=counts.get("sidecar", 0),
        folders=counts.get("folder", 0),
        size_bytes=sum(row[2] for row in rows),
    )
