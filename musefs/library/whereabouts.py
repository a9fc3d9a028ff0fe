"""What an entry of the tree shows, and where those bytes are: at which origins, how many near."""

from __future__ import annotations

from collections.abc import Collection

from musefs.catalog.contents import Contents, Replica, StoredContent
from musefs.catalog.nodes import Node
from musefs.content.chunk_store import ChunkStore
from musefs.errors import NoSuchEntry
from musefs.model import Content, ContentId

_PERCENT = 100


class Whereabouts:
    """Questions about entries that show a content; each raises NoSuchEntry when that is gone."""

    def __init__(
        self, contents: Contents, store: ChunkStore, read_through: Collection[str]
    ) -> None:
        """`read_through`: the origins whose files are not cached."""
        self._contents = contents
        self._store = store
        self._read_through = frozenset(read_through)

    async def content(self, node: Node) -> Content:
        """The content of which an entry is made."""
        return await self._content(await self._stored(node))

    async def content_of(self, content_id: ContentId) -> Content:
        """A content by its id. Raises NoSuchEntry."""
        stored = await self._contents.content(content_id)
        if stored is None:
            raise NoSuchEntry(f"content {content_id}: it is no longer in the catalogue")
        return await self._content(stored)

    async def _content(self, stored: StoredContent) -> Content:
        origins = {replica.origin_id for replica in await self._contents.replicas(stored.id)}
        return stored.content(cacheable=not origins <= self._read_through)

    async def replicas(self, node: Node) -> list[Replica]:
        """The files that hold it."""
        stored = await self._stored(node)
        return await self._contents.replicas(stored.id)

    async def fingerprint(self, node: Node) -> bytes:
        """What it is recognised by."""
        return (await self._stored(node)).fingerprint

    async def cached_percent(self, node: Node) -> int:
        """How much of it is in the chunk store: 0 to 100, rounded down."""
        content = await self.content(node)
        if not content.cacheable:
            return 0
        return int(await self._store.cached_share(content) * _PERCENT)

    async def _stored(self, node: Node) -> StoredContent:
        stored = (
            await self._contents.content(node.content_id) if node.content_id is not None else None
        )
        if stored is None:
            raise NoSuchEntry(f"{node.name}: its content is no longer in the catalogue")
        return stored
