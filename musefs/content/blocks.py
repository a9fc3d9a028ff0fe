"""The blocks in memory: who is there, who is pinned, who goes next. Synchronous, no waiting.

A pinned block is being put together with others by a reader and is not evicted. Dropped blocks stay
readable for whoever holds them; they only no longer count.
"""

from __future__ import annotations

from musefs.content.eviction import Sieve
from musefs.model import ContentId

BlockKey = tuple[ContentId, int]
"""Content and chunk index."""


class Block:
    """One chunk's bytes."""

    __slots__ = ("key", "pins", "view")

    def __init__(self, key: BlockKey, data: bytes | memoryview) -> None:
        self.key = key
        self.view = memoryview(data).toreadonly()
        self.pins = 0


class BlockTable:
    """Blocks by key, in SIEVE order. `bytes` and `pinned_bytes` are kept as they change."""

    def __init__(self) -> None:
        self._blocks: dict[BlockKey, Block] = {}
        self._indexes: dict[ContentId, set[int]] = {}
        self._sieve: Sieve[BlockKey] = Sieve()
        self.evictions = 0
        self.pinned = 0
        self.pinned_bytes = 0

    def __len__(self) -> int:
        return len(self._blocks)

    def __contains__(self, key: BlockKey) -> bool:
        return key in self._blocks

    @property
    def bytes(self) -> int:
        """Of all blocks, pinned ones included."""
        return self._sieve.bytes

    def hit(self, key: BlockKey) -> Block | None:
        """The block, marked as used."""
        block = self._blocks.get(key)
        if block is not None:
            self._sieve.touch(key)
        return block

    def insert(self, block: Block) -> None:
        """Keep a block; one of its key that is there already stays instead."""
        content_id, index = block.key
        if block.key in self._blocks:
            return
        self._blocks[block.key] = block
        self._indexes.setdefault(content_id, set()).add(index)
        self._sieve.insert(block.key, block.view.nbytes)

    def evict(self) -> bool:
        """Remove the victim; False when every block is pinned."""
        key = self._sieve.evict(lambda key: self._blocks[key].pins > 0)
        if key is None:
            return False
        self._forget(key)
        self.evictions += 1
        return True

    def pin(self, block: Block) -> None:
        """Keep a block from eviction until as many `unpin`."""
        block.pins += 1
        if block.pins == 1 and self._blocks.get(block.key) is block:
            self.pinned += 1
            self.pinned_bytes += block.view.nbytes

    def unpin(self, block: Block) -> None:
        """Take one pin back."""
        block.pins -= 1
        if block.pins == 0 and self._blocks.get(block.key) is block:
            self.pinned -= 1
            self.pinned_bytes -= block.view.nbytes

    def remove(self, key: BlockKey) -> None:
        """Forget a block that is not pinned; an unknown key is nothing."""
        block = self._blocks.get(key)
        if block is not None and not block.pins:
            self._sieve.remove(key)
            self._forget(key)

    def drop(self, content_id: ContentId) -> None:
        """Forget every block of a content."""
        for index in list(self._indexes.get(content_id, ())):
            key = (content_id, index)
            block = self._blocks[key]
            if block.pins:
                self.pinned -= 1
                self.pinned_bytes -= block.view.nbytes
            self._sieve.remove(key)
            self._forget(key)

    def clear(self) -> None:
        """Forget every block."""
        for content_id in list(self._indexes):
            self.drop(content_id)

    def _forget(self, key: BlockKey) -> None:
        del self._blocks[key]
        indexes = self._indexes[key[0]]
        indexes.discard(key[1])
        if not indexes:
            del self._indexes[key[0]]
