"""A tree over a catalogue: how it is told to change, and what it looks like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.catalog.nodes import ROOT, Node
from musefs.catalog.records import FileRecord
from musefs.library.naming import NamingRules, fold
from musefs.library.placing import TreeRules
from musefs.library.template import Template
from musefs.library.tree import Preferences, Tree
from musefs.library.tree_change import TreeChange
from tests.catalog.records import track

BY_TAGS = "$artist/[$album/]$title"
PRIORITIES: Mapping[str, int] = {"nas": 10, "box": 5}


def rules_of(template: str = BY_TAGS, *, case_insensitive: bool = False) -> TreeRules:
    """Rules of a template."""
    return TreeRules(
        Template.parse(template),
        NamingRules(case_insensitive=case_insensitive),
        f"{template} {case_insensitive}",
    )


def song(path: str, artist: str, title: str, *, take: int = 1) -> FileRecord:
    """A track whose tags and bytes follow from artist, title and take."""
    tags = {"artist": [artist], "title": [title]}
    return track(path, f"{artist}|{title}|{take}", tags)


@dataclass(frozen=True)
class Entry:
    """A row of the stored tree and its path."""

    node: Node
    folded: str
    file_id: int | None
    path: tuple[str, ...]


class Grove:
    """A catalogue with its tree."""

    def __init__(self, database: Database, rules: TreeRules | None = None) -> None:
        self.database = database
        self.files = Files(database)
        self.now_ns = 1_000
        self.adopted = rules or rules_of()
        self.tree = self._tree()

    def _tree(self) -> Tree:
        return Tree(self.database, self.adopted, Preferences(PRIORITIES), lambda: self.now_ns)

    async def adopt(self, rules: TreeRules) -> bool:
        """Start anew with these rules."""
        self.adopted = rules
        self.tree = self._tree()
        return await self.tree.adopt_rules()

    async def record(self, origin: str, *records: FileRecord) -> None:
        """Record files."""
        await self.files.record(origin, records)

    async def remove(self, origin: str, *paths: str) -> None:
        """Remove files."""
        known = await self.files.known(origin, paths)
        await self.files.remove(origin, [file.id for file in known.values()])

    async def refresh(self) -> list[TreeChange]:
        """Follow everything; each step happens at another time."""
        changes = []
        while (change := await self.tree.refresh()) is not None:
            self.now_ns += 1
            changes.append(change)
        return changes

    async def entries(self) -> dict[int, Entry]:
        """The tree by inodes, the root included."""
        rows = await self.database.rows(
            "SELECT inode, parent, name, kind, track_id, content_id, size, mtime_ns, subfolders,"
            " folded, file_id FROM nodes"
        )
        nodes = {row[0]: Node(*row[:9]) for row in rows}
        return {
            row[0]: Entry(nodes[row[0]], row[9], row[10], _path(nodes, nodes[row[0]]))
            for row in rows
        }

    async def paths(self) -> list[str]:
        """The paths of all files, sorted."""
        return sorted(
            "/".join(entry.path)
            for entry in (await self.entries()).values()
            if entry.node.kind != "folder"
        )

    async def inodes(self) -> dict[str, int]:
        """The inodes of all files by their paths."""
        return {
            "/".join(entry.path): inode
            for inode, entry in (await self.entries()).items()
            if entry.node.kind != "folder"
        }


def _path(nodes: Mapping[int, Node], node: Node) -> tuple[str, ...]:
    names: list[str] = []
    while node.inode != ROOT:
        names.append(node.name)
        node = nodes[node.parent]
    return tuple(reversed(names))


def assert_sound(entries: Mapping[int, Entry], names: NamingRules) -> None:
    """What holds for every tree: no empty folders, right counts, names that are found."""
    children: dict[int, list[Entry]] = {}
    for inode, entry in entries.items():
        assert entry.folded == fold(entry.node.name, names)
        if inode != ROOT:
            assert entries[entry.node.parent].node.kind == "folder"
            children.setdefault(entry.node.parent, []).append(entry)
    for inode, entry in entries.items():
        below = children.get(inode, [])
        assert len({child.folded for child in below}) == len(below)
        folders = sum(child.node.kind == "folder" for child in below)
        assert entry.node.subfolders == folders
        if entry.node.kind == "folder":
            assert below or inode == ROOT
            assert (entry.node.size, entry.node.track_id, entry.node.content_id) == (0, None, None)


def assert_told(
    before: Mapping[int, Entry], after: Mapping[int, Entry], changes: Sequence[TreeChange]
) -> None:
    """Every difference is told: whoever remembers what is not told remembers what is so."""
    gone = {told for change in changes for told in change.gone}
    rewritten = set[int]().union(*(change.rewritten for change in changes))
    folders = set[int]().union(*(change.folders for change in changes))
    for inode, old in before.items():
        new = after.get(inode)
        if new is None or _place(new.node) != _place(old.node):
            assert (old.node.parent, old.node.name, inode) in gone
        elif old.node.kind != "folder" and _bytes(new.node) != _bytes(old.node):
            assert inode in rewritten
    for inode, new in after.items():
        if new.node.kind == "folder" and _is_another_folder(inode, before, after):
            assert inode in folders
    assert all(inode in after for inode in rewritten)


def _place(node: Node) -> tuple[int, str]:
    return node.parent, node.name


def _bytes(node: Node) -> tuple[object, ...]:
    return node.content_id, node.size, node.mtime_ns


def _is_another_folder(inode: int, before: Mapping[int, Entry], after: Mapping[int, Entry]) -> bool:
    if inode not in before:
        return True
    was, is_now = before[inode].node, after[inode].node
    return (was.mtime_ns, was.subfolders) != (is_now.mtime_ns, is_now.subfolders) or _names(
        inode, before.values()
    ) != _names(inode, after.values())


def _names(folder: int, entries: Iterable[Entry]) -> set[tuple[str, int]]:
    return {(entry.node.name, entry.node.inode) for entry in entries if entry.node.parent == folder}
