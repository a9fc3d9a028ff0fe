"""Files that somebody has open: each read asks the layout which parts, and joins them.

A handle keeps the content that it was opened with, whatever becomes of the track meanwhile.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Collection
from dataclasses import dataclass

from musefs.catalog.contents import Contents, Replica, StoredContent
from musefs.catalog.nodes import Node
from musefs.content.block_pool import BlockPool
from musefs.content.chunk_store import ChunkStore
from musefs.content.readahead import ReadAhead
from musefs.errors import NoSuchEntry
from musefs.layout.segments import Backing, Layout, Synthesised, original
from musefs.model import Buffer, Content, Inode

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class OpenFile:
    """What an open file is made of. Without a content, all of it is synthesised."""

    inode: Inode
    layout: Layout
    source: BlockPool | ReadAhead
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class Keepers:
    """The keepers of content that open files ask. `read_ahead` makes one for an open file."""

    pool: BlockPool
    store: ChunkStore
    read_ahead: Callable[[], ReadAhead]


class OpenFiles:
    """All open files, by their handles."""

    def __init__(self, contents: Contents, keepers: Keepers, read_through: Collection[str]) -> None:
        """`read_through`: the origins whose files are not cached."""
        self._contents = contents
        self._keepers = keepers
        self._read_through = frozenset(read_through)
        self._open: dict[int, OpenFile] = {}
        self._numbers = itertools.count(1)
        self.idle = asyncio.Event()
        self.idle.set()

    def __len__(self) -> int:
        return len(self._open)

    async def open(self, node: Node) -> int:
        """Open a track or sidecar; its handle. Raises NoSuchEntry when it went meanwhile."""
        content = await self._content(node)
        source = self._keepers.read_ahead() if content.cacheable else self._keepers.pool
        return self._keep(OpenFile(node.inode, original(content.size), source, content))

    def open_bytes(self, inode: Inode, data: bytes) -> int:
        """Open a file that is made of these bytes; its handle."""
        layout = Layout((Synthesised(data),) if data else ())
        return self._keep(OpenFile(inode, layout, self._keepers.pool))

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
        if file is not None and isinstance(file.source, ReadAhead):
            file.source.close()
        if not self._open:
            self.idle.set()

    async def replicas(self, node: Node) -> list[Replica]:
        """The files that hold what an entry shows."""
        assert node.content_id is not None
        return await self._contents.replicas(node.content_id)

    async def fingerprint(self, node: Node) -> bytes:
        """What an entry's content is recognised by."""
        return (await self._stored(node)).fingerprint

    async def cached_percent(self, node: Node) -> int:
        """How much of an entry's content is in the chunk store: 0 to 100, rounded down."""
        content = await self._content(node)
        if not content.cacheable:
            return 0
        return int(await self._keepers.store.cached_share(content) * _PERCENT)

    async def _part(self, file: OpenFile, part: Synthesised | Backing) -> Buffer:
        if isinstance(part, Synthesised):
            return part.data
        assert file.content is not None
        return await file.source.read(file.content, part.offset, part.length)

    async def _stored(self, node: Node) -> StoredContent:
        stored = (
            await self._contents.content(node.content_id) if node.content_id is not None else None
        )
        if stored is None:
            raise NoSuchEntry(f"{node.name}: its content is no longer in the catalogue")
        return stored

    async def _content(self, node: Node) -> Content:
        stored = await self._stored(node)
        origins = {replica.origin_id for replica in await self._contents.replicas(stored.id)}
        return Content(
            stored.id,
            stored.size,
            stored.audio_start,
            stored.audio_end,
            cacheable=not origins <= self._read_through,
        )

    def _keep(self, file: OpenFile) -> int:
        handle = next(self._numbers)
        self._open[handle] = file
        self.idle.clear()
        return handle
