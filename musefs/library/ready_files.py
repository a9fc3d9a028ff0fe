"""What was opened last, kept ready: opening it again asks the catalogue nothing.

Whoever changes what an entry shows says so here, and what was looked up meanwhile is not kept.
"""

from __future__ import annotations

from collections import OrderedDict

from musefs.catalog.nodes import Node
from musefs.library.servings import Serving
from musefs.library.tree_change import TreeChange
from musefs.model import Inode

FILES_MAX = 2_000
SEGMENTS_MAX = 256
"""A layout of more, as Ogg files with many pages have, is looked up again."""

Ready = tuple[Node, Serving]


class ReadyFiles:
    """Entries and what they serve, by inode; the least recently used go first."""

    def __init__(self, files_max: int = FILES_MAX) -> None:
        self._files_max = files_max
        self._ready: OrderedDict[Inode, Ready] = OrderedDict()
        self.changes = 0
        """How often something was forgotten: see `keep`."""

    def __len__(self) -> int:
        return len(self._ready)

    def get(self, inode: Inode) -> Ready | None:
        """An entry and what it serves now, when that is known."""
        found = self._ready.get(inode)
        if found is not None:
            self._ready.move_to_end(inode)
        return found

    def keep(self, node: Node, serving: Serving, as_of: int) -> None:
        """Remember what was looked up when `changes` was `as_of`."""
        if as_of != self.changes or len(serving.layout.segments) > SEGMENTS_MAX:
            return
        self._ready[node.inode] = node, serving
        if len(self._ready) > self._files_max:
            self._ready.popitem(last=False)

    async def follow(self, change: TreeChange) -> None:
        """Forget the entries that are others now."""
        self.changes += 1
        for inode in change.rewritten:
            self._ready.pop(inode, None)
        for _, _, inode in change.gone:
            self._ready.pop(inode, None)

    def forget_all(self) -> None:
        """Any of them may be others now."""
        self.changes += 1
        self._ready.clear()
