"""The files that musefs shows of itself below `/.musefs`: made anew whenever one is asked for."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from musefs.catalog.nodes import ROOT, Node
from musefs.model import Inode

FOLDER_NAME = ".musefs"
_FOLDER = Inode(2)
_FIRST_FILE = 3

Maker = Callable[[], Awaitable[bytes]]


class OwnFiles:
    """A folder of generated files. Their inodes are below those that the tree gives out."""

    def __init__(self, makers: Mapping[str, Maker]) -> None:
        self._makers = {
            Inode(inode): (name, maker)
            for inode, (name, maker) in enumerate(sorted(makers.items()), _FIRST_FILE)
        }

    def __contains__(self, inode: Inode) -> bool:
        return inode == _FOLDER or inode in self._makers

    async def entry(self, inode: Inode) -> Node | None:
        """The folder or one of its files, with the size that it has now; None for other inodes."""
        if inode == _FOLDER:
            return _node(_FOLDER, ROOT, FOLDER_NAME, 0)
        if inode in self._makers:
            name, maker = self._makers[inode]
            return _node(inode, _FOLDER, name, len(await maker()))
        return None

    async def child(self, parent: Inode, name: str) -> Node | None:
        """An entry by its name; None for what is not musefs' own."""
        if parent == ROOT and name == FOLDER_NAME:
            return await self.entry(_FOLDER)
        if parent == _FOLDER:
            for inode, (own, _) in self._makers.items():
                if own == name:
                    return await self.entry(inode)
        return None

    async def children(self, folder: Inode) -> list[Node]:
        """What is added to the entries of a folder."""
        if folder == ROOT:
            wanted = [_FOLDER]
        elif folder == _FOLDER:
            wanted = list(self._makers)
        else:
            return []
        return [node for inode in wanted if (node := await self.entry(inode)) is not None]

    async def content(self, inode: Inode) -> bytes:
        """What one of the files holds now."""
        _, maker = self._makers[inode]
        return await maker()


def _node(inode: Inode, parent: Inode, name: str, size: int) -> Node:
    kind = "folder" if inode == _FOLDER else "sidecar"
    return Node(
        inode=inode,
        parent=parent,
        name=name,
        kind="folder" if kind == "folder" else "sidecar",
        track_id=None,
        content_id=None,
        size=size,
        mtime_ns=time.time_ns(),
        subfolders=0,
    )
