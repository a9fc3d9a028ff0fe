"""Files that somebody has open: each read asks the layout which parts, and joins them.

A handle keeps the version that it was opened with, whatever becomes of the track meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from musefs.catalog.nodes import Node
from musefs.content.block_pool import BlockPool
from musefs.content.readahead import ReadAhead
from musefs.layout.segments import Backing, Layout, Segment, Synthesised
from musefs.library.page_caches import Caching, PageCaches, Version
from musefs.library.ready_files import ReadyFiles
from musefs.library.segment_reading import SegmentReader
from musefs.library.servings import Serving, Servings
from musefs.model import Buffer, Inode, PeekingSource


@dataclass(frozen=True, slots=True)
class OpenFile:
    """What an open file is made of. Without a reader, all of it is synthesised.

    `direct`: what peeks at the content, when the file is that and nothing else.
    """

    node: Node | None
    layout: Layout
    reader: SegmentReader | None = None
    version: Version | None = None
    caching: Caching = Caching.DIRECT
    direct: Callable[[int, int], Buffer | None] | None = None


@dataclass(frozen=True, slots=True)
class Keepers:
    """The keepers of content that open files ask. `read_ahead` makes one for an open file.

    `pictures` keeps those that users gave; `origins` is asked for what is read straight through.
    """

    pool: BlockPool
    read_ahead: Callable[[], ReadAhead]
    pictures: BlockPool
    origins: PeekingSource


class OpenFiles:
    """All open files, by their handles."""

    def __init__(self, servings: Servings, keepers: Keepers) -> None:
        self._servings = servings
        self._keepers = keepers
        self.ready = ReadyFiles()
        self._open: dict[int, OpenFile] = {}
        self._numbers = itertools.count(1)
        self._page_caches = PageCaches()
        self._nodes: dict[Inode, list[Node]] = {}
        self.half_read: Callable[[Node], None] = lambda _node: None
        """Told of a file whose reader has gone through half of it."""
        self.idle = asyncio.Event()
        self.idle.set()

    def __len__(self) -> int:
        return len(self._open)

    def open_ready(self, inode: Inode) -> int | None:
        """Open a track or sidecar that was open before and is the same; None: use `open`."""
        found = self.ready.get(inode)
        return self._opened(*found) if found is not None else None

    async def open(self, node: Node, as_of: int = -1) -> int:
        """Open a track or sidecar; its handle. Raises NoSuchEntry when it went meanwhile.

        `as_of`: what `ready.changes` was before the entry was looked up; else it is not kept ready.
        """
        serving = await self._servings.of(node)
        self.ready.keep(node, serving, as_of)
        return self._opened(node, serving)

    def _opened(self, node: Node, serving: Serving) -> int:
        keepers = self._keepers
        source: PeekingSource = keepers.origins
        if serving.content.cacheable:
            source = read_ahead = keepers.read_ahead()
            read_ahead.half_read = lambda: self.half_read(node)
        reader = SegmentReader(serving, source, keepers.pictures)
        caching = self._page_caches.opened(node.inode, serving.version)
        self._nodes.setdefault(node.inode, []).append(node)
        is_plain = serving.layout.segments == (Backing(0, serving.content.size),)
        direct = partial(source.peek, serving.content) if is_plain else None
        return self._keep(OpenFile(node, serving.layout, reader, serving.version, caching, direct))

    def open_bytes(self, data: bytes) -> int:
        """Open a file that is made of these bytes; its handle."""
        layout = Layout((Synthesised(data),) if data else ())
        return self._keep(OpenFile(None, layout))

    def node(self, inode: Inode) -> Node | None:
        """An entry that is open, as it was when it was opened last; it may have left the tree."""
        nodes = self._nodes.get(inode)
        return nodes[-1] if nodes else None

    def caching(self, handle: int) -> Caching:
        """What the kernel may keep of the pages that are read through this handle."""
        return self._open[handle].caching

    def peek(self, handle: int, offset: int, size: int) -> Buffer | None:
        """What `read` would answer, when that takes no waiting; None otherwise."""
        file = self._open[handle]
        if file.direct is not None:
            return file.direct(offset, size)
        parts = file.layout.slice(offset, size)
        if len(parts) != 1:
            return None if parts else b""
        part = parts[0]
        if file.reader is None or isinstance(part, Synthesised):
            return _inline(part)
        return file.reader.peek(part)

    async def read(self, handle: int, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size) of an open file, fewer only at its end.

        Raises ContentUnavailable, ContentChanged.
        """
        file = self._open[handle]
        parts = file.layout.slice(offset, size)
        if file.reader is None:
            return b"".join(map(_inline, parts))
        pieces = [await file.reader.read(part) for part in parts]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def release(self, handle: int, *, is_final: bool = True) -> None:
        """Nobody has the handle any more; or not `is_final`: one of those who have it closed it."""
        if not is_final:
            reader = self._open[handle].reader
            if reader is not None and isinstance(reader.source, ReadAhead):
                reader.source.give_up()
            return
        file = self._open.pop(handle, None)
        if file is None:
            return
        if file.node is not None and file.version is not None:
            self._page_caches.released(file.node.inode, file.version)
            self._nodes[file.node.inode].remove(file.node)
            if not self._nodes[file.node.inode]:
                del self._nodes[file.node.inode]
        if file.reader is not None and isinstance(file.reader.source, ReadAhead):
            file.reader.source.close()
        if not self._open:
            self.idle.set()

    def _keep(self, file: OpenFile) -> int:
        handle = next(self._numbers)
        self._open[handle] = file
        self.idle.clear()
        return handle


def _inline(part: Segment) -> bytes:
    assert isinstance(part, Synthesised)
    return part.data
