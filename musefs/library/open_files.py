"""Files that somebody has open: each read asks the layout which parts, and joins them.

A handle keeps the content that it was opened with, whatever becomes of the track meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass

from musefs.catalog.nodes import Node
from musefs.content.block_pool import BlockPool
from musefs.content.readahead import ReadAhead
from musefs.layout.segments import Backing, Layout, Segment, Synthesised, original
from musefs.library.page_caches import Caching, PageCaches
from musefs.library.whereabouts import Whereabouts
from musefs.model import Buffer, Content, Inode


@dataclass(frozen=True, slots=True)
class OpenFile:
    """What an open file is made of. Without a content, all of it is synthesised."""

    inode: Inode
    layout: Layout
    source: BlockPool | ReadAhead
    content: Content | None = None
    caching: Caching = Caching.DIRECT


@dataclass(frozen=True, slots=True)
class Keepers:
    """The keepers of content that open files ask. `read_ahead` makes one for an open file."""

    pool: BlockPool
    read_ahead: Callable[[], ReadAhead]


class OpenFiles:
    """All open files, by their handles."""

    def __init__(self, whereabouts: Whereabouts, keepers: Keepers) -> None:
        self._whereabouts = whereabouts
        self._keepers = keepers
        self._open: dict[int, OpenFile] = {}
        self._numbers = itertools.count(1)
        self._page_caches = PageCaches()
        self.idle = asyncio.Event()
        self.idle.set()

    def __len__(self) -> int:
        return len(self._open)

    async def open(self, node: Node) -> int:
        """Open a track or sidecar; its handle. Raises NoSuchEntry when it went meanwhile."""
        content = await self._whereabouts.content(node)
        source = self._keepers.read_ahead() if content.cacheable else self._keepers.pool
        caching = self._page_caches.opened(node.inode, content.id)
        return self._keep(OpenFile(node.inode, original(content.size), source, content, caching))

    def open_bytes(self, inode: Inode, data: bytes) -> int:
        """Open a file that is made of these bytes; its handle."""
        layout = Layout((Synthesised(data),) if data else ())
        return self._keep(OpenFile(inode, layout, self._keepers.pool))

    def caching(self, handle: int) -> Caching:
        """What the kernel may keep of the pages that are read through this handle."""
        return self._open[handle].caching

    def peek(self, handle: int, offset: int, size: int) -> Buffer | None:
        """What `read` would answer, when that takes no waiting; None otherwise."""
        file = self._open[handle]
        parts = file.layout.slice(offset, size)
        if len(parts) != 1:
            return None if parts else b""
        part = parts[0]
        if isinstance(part, Synthesised):
            return part.data
        assert file.content is not None
        assert isinstance(part, Backing)
        return file.source.peek(file.content, part.offset, part.length)

    async def read(self, handle: int, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size) of an open file, fewer only at its end.

        Raises ContentUnavailable, ContentChanged.
        """
        file = self._open[handle]
        pieces = [await self._part(file, part) for part in file.layout.slice(offset, size)]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self, handle: int) -> None:
        """Nobody has the handle any more."""
        file = self._open.pop(handle, None)
        if file is None:
            return
        if file.content is not None:
            self._page_caches.released(file.inode, file.content.id)
        if isinstance(file.source, ReadAhead):
            file.source.close()
        if not self._open:
            self.idle.set()

    async def _part(self, file: OpenFile, part: Segment) -> Buffer:
        if isinstance(part, Synthesised):
            return part.data
        assert file.content is not None
        assert isinstance(part, Backing)
        return await file.source.read(file.content, part.offset, part.length)

    def _keep(self, file: OpenFile) -> int:
        handle = next(self._numbers)
        self._open[handle] = file
        self.idle.clear()
        return handle
