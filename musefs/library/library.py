"""The tree as it is now, read from the catalogue: names, entries, folders, totals."""

from __future__ import annotations

from musefs.catalog import nodes
from musefs.catalog.database import Queries, Row
from musefs.catalog.nodes import ROOT, Node, Totals
from musefs.errors import NoSuchEntry, NotAFolder
from musefs.library.naming import NamingRules, fold
from musefs.library.tree_change import TreeChange
from musefs.model import Inode


class Library:
    """Questions to the stored tree. Each sees all that has been committed."""

    def __init__(self, queries: Queries, rules: NamingRules) -> None:
        self._queries = queries
        self._rules = rules
        self._totals: Totals | None = None
        self._changes = 0

    async def entry(self, inode: Inode) -> Node:
        """The entry with this inode. Raises NoSuchEntry."""
        found = await nodes.node(self._queries, inode)
        if found is None:
            raise NoSuchEntry(f"inode {inode}: it is no longer in the tree")
        return found

    async def lookup(self, parent: Inode, name: str) -> Node:
        """A folder's entry of this name. Raises NoSuchEntry."""
        found = await nodes.child(self._queries, parent, fold(name, self._rules))
        if found is None:
            raise NoSuchEntry(f"{name}: there is no such file or folder in the tree")
        return found

    async def walk(self, path: str) -> Node:
        """The entry at a path below the root ("/" separates). Raises NoSuchEntry, NotAFolder."""
        found = await self.entry(ROOT)
        for name in filter(None, path.split("/")):
            if found.kind != "folder":
                raise NotAFolder(f"{path}: {found.name} is a file, not a folder")
            found = await self.lookup(found.inode, name)
        return found

    async def children(self, folder: Inode) -> list[Node]:
        """A folder's entries. Raises NoSuchEntry, NotAFolder."""
        found = await self.entry(folder)
        if found.kind != "folder":
            raise NotAFolder(f"{found.name}: it is a file, not a folder")
        return await nodes.children(self._queries, folder)

    async def listed(self, folder: Inode) -> list[Row]:
        """What `nodes.listed` tells of a folder's entries. Raises NoSuchEntry, NotAFolder."""
        rows = await nodes.listed(self._queries, folder)
        if not rows:
            await self.children(folder)  # says why there are none
        return rows

    async def totals(self) -> Totals:
        """Counts and sizes, remembered until the tree changes."""
        if self._totals is not None:
            return self._totals
        changes = self._changes
        found = await nodes.totals(self._queries)
        if changes == self._changes:
            self._totals = found
        return found

    async def follow(self, change: TreeChange) -> None:  # noqa: ARG002 - all totals are counted anew
        """The tree is another now."""
        self._totals = None
        self._changes += 1
