"""Puts entries into the stored tree within one transaction: folders, free names, moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from musefs.catalog import nodes
from musefs.catalog.database import Transaction
from musefs.catalog.layouts import StoredLayout
from musefs.catalog.nodes import ROOT, NewNode, Node
from musefs.catalog.tracks import StoredTrack, TrackFile
from musefs.library.fields import template_fields
from musefs.library.folder_names import FolderNames, Taken
from musefs.library.naming import NamingRules, file_name, fold, number_of, numbered, virtual_path
from musefs.library.template import Template
from musefs.library.tree_change import TreeChange
from musefs.model import Inode


@dataclass(frozen=True, slots=True)
class ShownTrack:
    """A track, the file that stands for it, and the layout by which it is served, if any."""

    track: StoredTrack
    file: TrackFile
    layout: StoredLayout | None = None


@dataclass(frozen=True, slots=True)
class TreeRules:
    """What a track's place depends on besides its tags. `text` names the rules in full.

    With `retagged`, edited tracks are shown by their layouts, else by their own bytes.
    """

    template: Template
    names: NamingRules
    text: str
    retagged: bool = True

    def place(self, track: StoredTrack, shown: TrackFile) -> tuple[str, ...]:
        """The names of the folders that lead to a track, and its own."""
        fields = template_fields(track.tags, shown.origin, shown.path)
        _, extension = _split(shown.path)
        return virtual_path(self.template, fields, extension, self.names)

    def sidecar_name(self, path: str, stem: str | None = None) -> str:
        """A sidecar keeps its own name, made safe, or gets another stem."""
        own, extension = _split(path)
        return file_name(stem or own, extension, self.names)


class Placing:
    """One transaction's changes to the tree, and the account of them."""

    def __init__(
        self, tx: Transaction, rules: TreeRules, now_ns: int, is_open: Callable[[Inode], bool]
    ) -> None:
        self.change = TreeChange()
        self._tx = tx
        self._rules = rules
        self._now_ns = now_ns
        self._is_open = is_open
        self._folders: dict[tuple[str, ...], Inode] = {(): ROOT}
        self._perhaps_empty: set[Inode] = set()
        self._names = FolderNames(tx)
        self._new: list[NewNode] = []
        self._next_inode: Inode | None = None

    async def put_track(self, shown: ShownTrack, entry: Node | None) -> None:
        """Have a track stand where its tags put it."""
        track, file, layout = shown.track, shown.file, shown.layout
        *folders, name = self._rules.place(track, file)
        parent = await self._folder(tuple(folders))
        # Media servers look at a file again when its time is another.
        edited_ns = track.edits.edited_ns if track.edits and self._rules.retagged else 0
        new = NewNode(
            parent=parent,
            name=name,
            folded="",
            kind="track",
            size=layout.size if layout else file.size,
            mtime_ns=max(file.mtime_ns, edited_ns),
            track_id=track.id,
            content_id=track.content_id,
            layout_id=layout.id if layout else None,
        )
        await self.put(new, entry)

    async def put(self, new: NewNode, entry: Node | None) -> None:
        """Make an entry, or have the one that is there become it. A taken name gets a number.

        An edited file that somebody reads becomes another file, as if a tagger had put a new one
        in its place: the kernel has one size for an inode, and readers keep their version.
        """
        if entry is not None and _is_edited(entry, new) and self._is_open(entry.inode):
            await self.take_out(entry)
            entry = None
        if entry is None:
            await self._insert(new)
            return
        await self.rename(new, entry)
        if _shown(entry) != _shown(new):
            await nodes.rewrite(self._tx, entry.inode, new)
            self.change.rewritten.add(entry.inode)

    async def rename(self, new: NewNode, entry: Node) -> None:
        """Give an entry the name and the folder of `new`, and leave what it shows."""
        fits = entry.parent == new.parent and _fits(entry.name, new.name)
        if fits and await self._is_found(entry):
            return
        name, folded = await self._free_name(new.parent, new.name, entry.inode)
        await nodes.move(self._tx, entry.inode, new.parent, name, folded)
        self._names.remove(entry.parent, entry.inode)
        self._names.add(new.parent, folded, Taken(entry.inode, entry.kind))
        if (entry.parent, entry.name) != (new.parent, name):
            self._gone(entry)
            self.change.folders.add(new.parent)

    async def take_out(self, entry: Node) -> None:
        """Remove an entry."""
        await nodes.delete(self._tx, entry)
        self._names.remove(entry.parent, entry.inode)
        self._gone(entry)

    async def flush(self) -> None:
        """Insert the entries that were put off: until then no query sees them."""
        new, self._new = self._new, []
        if new and self._next_inode is not None:
            await nodes.insert(self._tx, new, self._next_inode)
            self._next_inode = Inode(self._next_inode + len(new))

    async def tidy(self) -> None:
        """Remove folders that have become empty, and date those that have changed."""
        await self.flush()
        while self._perhaps_empty:
            inode = self._perhaps_empty.pop()
            entry = await nodes.node(self._tx, inode)
            if inode == ROOT or entry is None or not await nodes.is_empty(self._tx, inode):
                continue
            await self.take_out(entry)
            self.change.folders.discard(inode)
        await nodes.touch(self._tx, sorted(self.change.folders), self._now_ns)

    def sidecar_name(self, path: str, stem: str | None = None) -> str:
        """The name under which a sidecar appears."""
        return self._rules.sidecar_name(path, stem)

    def _gone(self, entry: Node) -> None:
        self.change.gone.append((entry.parent, entry.name, entry.inode))
        self.change.folders.add(entry.parent)
        self._perhaps_empty.add(entry.parent)

    async def _insert(self, new: NewNode) -> Inode:
        """Insert an entry, most of them later with others: nothing asks for them until then."""
        named = await self._named(new)
        if self._next_inode is None:
            self._next_inode = await nodes.next_inode(self._tx)
        inode = Inode(self._next_inode + len(self._new))
        self._new.append(named)
        self._names.add(new.parent, named.folded, Taken(inode, new.kind))
        if new.kind == "sidecar" or not await self._names.is_known(new.parent):
            await self.flush()
        return inode

    async def _named(self, new: NewNode) -> NewNode:
        name, folded = await self._free_name(new.parent, new.name)
        self.change.folders.add(new.parent)
        return replace(new, name=name, folded=folded)

    async def _folder(self, names: tuple[str, ...]) -> Inode:
        """The folder of this path, made when it is not there."""
        if (known := self._folders.get(names)) is not None:
            return known
        parent = await self._folder(names[:-1])
        inode = await self._folder_named(parent, names[-1])
        if inode is None:
            new = NewNode(parent, names[-1], "", "folder", mtime_ns=self._now_ns)
            inode = await self._insert(new)
            self._names.begin(inode)
        self._folders[names] = inode
        return inode

    async def _folder_named(self, parent: Inode, name: str) -> Inode | None:
        """The folder of this name, numbered when a file has the plain one; None: there is none."""
        number = 1
        while (taken := await self._taken(parent, numbered(name, number))) is not None:
            if taken.kind == "folder":
                return taken.inode
            number += 1
        return None

    async def _free_name(
        self, parent: Inode, wanted: str, own: Inode | None = None
    ) -> tuple[str, str]:
        """The wanted name or a numbered one, found by bisection, and what it folds to.

        The name of the entry `own` is free for it.
        """

        async def is_taken(number: int) -> bool:
            taken = await self._taken(parent, numbered(wanted, number))
            return taken is not None and (own is None or taken.inode != own)

        used, free = 0, 1
        while await is_taken(free):
            used, free = free, free * 2
        while free - used > 1:
            middle = (used + free) // 2
            if await is_taken(middle):
                used = middle
            else:
                free = middle
        name = numbered(wanted, free)
        return name, fold(name, self._rules.names)

    async def _is_found(self, entry: Node) -> bool:
        """Whether an entry is found by its name: not when names folded otherwise so far."""
        found = await self._taken(entry.parent, entry.name)
        return found is not None and found.inode == entry.inode

    async def _taken(self, parent: Inode, name: str) -> Taken | None:
        return await self._names.taken(parent, fold(name, self._rules.names))


def _shown(entry: Node | NewNode) -> tuple[object, ...]:
    return entry.content_id, entry.layout_id, entry.size, entry.mtime_ns


def _is_edited(entry: Node, new: NewNode) -> bool:
    return entry.content_id == new.content_id and entry.layout_id != new.layout_id


def _fits(name: str, wanted: str) -> bool:
    """Whether a name is the wanted one, or the wanted one with a number."""
    return name == wanted or name == numbered(wanted, number_of(name))


def _split(path: str) -> tuple[str, str]:
    """A file's stem and its extension without the dot."""
    name = path.rpartition("/")[2]
    stem, dot, extension = name.rpartition(".")
    return (stem, extension) if dot and stem else (name, "")
