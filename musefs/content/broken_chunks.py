"""Stored chunks whose files are gone or wrong: not read until they are restored or removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from musefs.content.chunk_shelf import ChunkShelf
from musefs.model import Buffer


class BrokenChunks:
    """Their digests. One that the disk does not let go of stays here."""

    def __init__(
        self, shelf: ChunkShelf, turn: asyncio.Lock, enqueue: Callable[[bytes], None]
    ) -> None:
        """`turn` is held by whoever uses the shelf; `enqueue` has `remove` be called."""
        self._shelf = shelf
        self._turn = turn
        self._enqueue = enqueue
        self._digests: set[bytes] = set()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._digests

    def report(self, digest: bytes) -> None:
        """The file is gone or wrong: remove it and its rows, unless that is known."""
        if digest not in self._digests:
            self.drop(digest)

    def distrust(self, digest: bytes) -> None:
        """The file is gone or wrong: somebody is about to restore or to drop it."""
        self._digests.add(digest)

    def drop(self, digest: bytes) -> None:
        """Remove its file and its rows, when their turn comes."""
        self._digests.add(digest)
        self._enqueue(digest)

    async def restore(self, digest: bytes, data: Buffer) -> bool:
        """Put the right bytes in its place; its rows stay. False when it was evicted meanwhile.

        Raises DiskRefused.
        """
        async with self._turn:
            restored = await self._shelf.restore(digest, data)
        if restored:
            self._digests.discard(digest)
        return restored

    async def remove(self, digest: bytes) -> None:
        """Its turn has come; one that was restored meanwhile stays."""
        if digest in self._digests and await self._shelf.take_off(digest):
            self._digests.discard(digest)
