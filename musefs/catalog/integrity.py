"""Whether the catalogue is whole: its file, its references, and the tree that is stored in it.

The tree follows from the rest of the catalogue, so what is wrong with it can be mended: broken
parts are taken out, and everything is noted to be placed again. Entries keep their inodes. What
users have set or given is never taken out.
"""

from __future__ import annotations

from collections import Counter

from musefs.catalog.changelog import log_everything
from musefs.catalog.database import Queries, Transaction
from musefs.catalog.nodes import ROOT

DAMAGES_MAX = 100

_REFERENCES = {
    ("content_chunks", "contents"): "DELETE FROM content_chunks"
    " WHERE content_id NOT IN (SELECT id FROM contents)",
    ("content_chunks", "chunks"): "DELETE FROM content_chunks"
    " WHERE digest NOT IN (SELECT digest FROM chunks)",
    ("layouts", "contents"): "DELETE FROM layouts"
    " WHERE content_id NOT IN (SELECT id FROM contents)",
    ("layouts", "tracks"): "DELETE FROM layouts WHERE track_id NOT IN (SELECT id FROM tracks)",
    ("tags", "tracks"): "DELETE FROM tags WHERE track_id NOT IN (SELECT id FROM tracks)",
    ("art", "tracks"): "DELETE FROM art WHERE track_id NOT IN (SELECT id FROM tracks)",
    # The next scan finds the file again.
    ("files", "contents"): "DELETE FROM files WHERE content_id NOT IN (SELECT id FROM contents)",
    ("nodes", "tracks"): "DELETE FROM nodes WHERE track_id NOT IN (SELECT id FROM tracks)",
    ("nodes", "files"): "UPDATE nodes SET file_id = NULL"
    " WHERE file_id NOT IN (SELECT id FROM files)",
    ("nodes", "contents"): "UPDATE nodes SET content_id = NULL"
    " WHERE content_id NOT IN (SELECT id FROM contents)",
    # Pins are resolved to contents again at the next start.
    ("pinned_contents", "contents"): "DELETE FROM pinned_contents"
    " WHERE content_id NOT IN (SELECT id FROM contents)",
    # Values that a user set are worth more than the time at which that was.
    ("edits", "edited"): "INSERT INTO edited (track_id, edited_ns)"
    " SELECT DISTINCT track_id, 0 FROM edits WHERE track_id IN (SELECT id FROM tracks)"
    " AND track_id NOT IN (SELECT track_id FROM edited)",
}
"""References, from one table to another, that follow from the rest or can be filled in again: what
mends those that lead nowhere."""

_REACHABLE = (
    "WITH RECURSIVE reachable (inode) AS (SELECT inode FROM nodes WHERE inode = :root"
    " AND kind = 'folder' UNION SELECT n.inode FROM nodes n JOIN reachable r"
    " ON n.parent = r.inode WHERE n.kind = 'folder') "
)
_SUBFOLDERS = "(SELECT count(*) FROM nodes c WHERE c.parent = nodes.inode AND c.kind = 'folder')"
_UNFOLLOWED = "(SELECT track_id FROM changelog WHERE track_id IS NOT NULL)"

_TOTALS = "SELECT kind, count(*), sum(size) FROM nodes WHERE TRUE GROUP BY kind"
_FILE_COUNTS = "SELECT origin, count(*) FROM files GROUP BY origin"

_TREE_CHECKS = (
    (
        f"SELECT count(*) FROM ({_TOTALS} EXCEPT SELECT kind, entries, size FROM totals)",
        "kinds of entries are counted wrongly",
    ),
    (
        f"SELECT count(*) FROM ({_FILE_COUNTS} EXCEPT SELECT origin, files FROM file_counts)",
        "origins have their files counted wrongly",
    ),
    (
        "SELECT count(*) = 0 FROM nodes WHERE inode = :root AND kind = 'folder'",
        "root folders are missing",
    ),
    (
        _REACHABLE + "SELECT count(*) FROM nodes WHERE inode <> :root"
        " AND parent NOT IN (SELECT inode FROM reachable)",
        "entries are in no folder that can be reached from the root",
    ),
    (
        f"SELECT count(*) FROM nodes WHERE kind = 'folder' AND subfolders <> {_SUBFOLDERS}",
        "folders count their subfolders wrongly",
    ),
    (
        "SELECT count(*) FROM nodes n LEFT JOIN tracks t ON t.id = n.track_id"
        " WHERE n.kind = 'track' AND t.content_id IS NOT n.content_id"
        f" AND (t.id IS NULL OR t.id NOT IN {_UNFOLLOWED})",
        "entries show another content than their track has",
    ),
    (
        "SELECT count(*) FROM nodes n JOIN files f ON f.id = n.file_id"
        " WHERE f.content_id IS NOT n.content_id AND NOT EXISTS (SELECT 1 FROM changelog c"
        " WHERE c.origin = f.origin AND c.folder = f.folder)",
        "entries show another content than their sidecar file has",
    ),
    (
        "SELECT count(*) FROM nodes n LEFT JOIN layouts l ON l.id = n.layout_id"
        " AND l.content_id = n.content_id AND l.size = n.size AND l.segments IS NOT NULL"
        f" WHERE n.layout_id IS NOT NULL AND l.id IS NULL AND n.track_id NOT IN {_UNFOLLOWED}",
        "re-tagged entries show a layout that is not theirs",
    ),
    (
        # Before the first placing there is no tree to be missing from.
        "SELECT count(*) FROM tracks t WHERE EXISTS (SELECT 1 FROM settings"
        " WHERE name = 'tree_rules') AND EXISTS (SELECT 1 FROM files f"
        " WHERE f.content_id = t.content_id AND f.kind = 'audio')"
        f" AND t.id NOT IN {_UNFOLLOWED}"
        " AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.track_id = t.id)",
        "tracks are missing from the tree",
    ),
)


async def damage(queries: Queries) -> list[str]:
    """What is wrong with the file and its references, a line each; none of it can be mended.

    See SQLite's documentation of integrity_check and foreign_key_check.
    """
    broken = [
        " ".join(str(row[0]).split())
        for row in await queries.rows(f"PRAGMA integrity_check({DAMAGES_MAX})")
        if row[0] != "ok"
    ]
    return broken + await _dangling(queries, mendable=False)


async def dangling(queries: Queries) -> list[str]:
    """Which references lead nowhere that can be mended, a line each."""
    return await _dangling(queries, mendable=True)


async def mend_references(tx: Transaction) -> None:
    """Take out or fill in what leads nowhere. The tree has to be mended after it."""
    for sql in _REFERENCES.values():
        await tx.run(sql)


async def _dangling(queries: Queries, *, mendable: bool) -> list[str]:
    rows = await queries.rows("PRAGMA foreign_key_check")
    counts = Counter((row[0], row[2]) for row in rows)
    return [
        f"{count} rows of {table} refer to rows of {parent} that are not there"
        for (table, parent), count in sorted(counts.items())
        if ((table, parent) in _REFERENCES) is mendable
    ]


async def tree_faults(queries: Queries) -> list[str]:
    """What is wrong with the stored tree, a line each."""
    found = []
    for sql, text in _TREE_CHECKS:
        row = await queries.row(sql, {"root": ROOT})
        if row is not None and row[0]:
            found.append(f"{row[0]} {text}")
    return found


async def mend_tree(tx: Transaction) -> None:
    """Take out what cannot stay, and have everything placed again at the next refresh."""
    await tx.run(
        "INSERT INTO nodes (inode, parent, name, folded, kind, size, mtime_ns)"
        " VALUES (:root, 0, '', '', 'folder', 0, 0) ON CONFLICT (inode) DO UPDATE"
        " SET kind = 'folder', parent = 0, name = '', folded = ''",
        {"root": ROOT},
    )
    await tx.run(
        _REACHABLE + "DELETE FROM nodes WHERE kind = 'folder'"
        " AND inode NOT IN (SELECT inode FROM reachable)",
        {"root": ROOT},
    )
    # What was in no folder keeps its inode, and moves to its place from a parent that never was.
    await tx.run(
        "UPDATE nodes SET parent = -inode WHERE kind <> 'folder'"
        " AND parent NOT IN (SELECT inode FROM nodes WHERE kind = 'folder')"
    )
    await tx.run(
        "DELETE FROM nodes WHERE kind = 'track'"
        " AND (track_id IS NULL OR track_id NOT IN (SELECT id FROM tracks))"
    )
    # Layouts follow from the rest of the catalogue too: they are made anew.
    await tx.run("UPDATE nodes SET layout_id = NULL WHERE layout_id IS NOT NULL")
    await tx.run("DELETE FROM layouts")
    await tx.run("UPDATE edited SET unmade = 1")
    await _mend_counts(tx)
    await tx.run(f"UPDATE nodes SET subfolders = {_SUBFOLDERS} WHERE kind = 'folder'")
    await log_everything(tx)


async def _mend_counts(tx: Transaction) -> None:
    await tx.run("UPDATE totals SET entries = 0, size = 0")
    await tx.run(
        f"INSERT INTO totals (kind, entries, size) {_TOTALS}"
        " ON CONFLICT (kind) DO UPDATE SET entries = excluded.entries, size = excluded.size"
    )
    await tx.run("DELETE FROM file_counts")
    await tx.run(f"INSERT INTO file_counts (origin, files) {_FILE_COUNTS}")
