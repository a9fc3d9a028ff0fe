"""The names that are taken in folders, as one transaction sees them: a query a folder, not a name.

Of a folder with very many entries each name is asked for by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from musefs.catalog import nodes
from musefs.catalog.database import Transaction
from musefs.catalog.nodes import NodeKind
from musefs.model import Inode

ENTRIES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Taken:
    """Who has a name."""

    inode: Inode
    kind: NodeKind


class FolderNames:
    """Folded names by folder. Whoever changes entries has to tell."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[Inode, dict[str, Taken] | None] = {}

    def begin(self, folder: Inode) -> None:
        """A folder was made: it is empty."""
        self._known[folder] = {}

    async def is_known(self, folder: Inode) -> bool:
        """Whether all names of a folder are at hand; False when it has too many."""
        if folder not in self._known:
            some = await nodes.names_in(self._tx, folder, ENTRIES_MAX + 1)
            found = {folded: Taken(inode, kind) for folded, inode, kind in some}
            self._known[folder] = found if len(found) <= ENTRIES_MAX else None
        return self._known[folder] is not None

    async def taken(self, folder: Inode, folded: str) -> Taken | None:
        """Who has this name in a folder; None: it is free."""
        if await self.is_known(folder):
            known = self._known[folder]
            return known.get(folded) if known is not None else None
        entry = await nodes.child(self._tx, folder, folded)
        return Taken(entry.inode, entry.kind) if entry is not None else None

    def add(self, folder: Inode, folded: str, taken: Taken) -> None:
        """Somebody has this name now."""
        if (known := self._known.get(folder)) is not None:
            known[folded] = taken

    def remove(self, folder: Inode, inode: Inode) -> None:
        """An entry is no longer in a folder."""
        known = self._known.get(folder)
        if known is None:
            return
        for folded in [folded for folded, taken in known.items() if taken.inode == inode]:
            del known[folded]
