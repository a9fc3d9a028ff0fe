"""Stored chunks looked at one by one: hashed, and fetched again where they are wrong.

Nothing is read from a wrong chunk while it is being fetched. The bytes that come have to have the
chunk's digest: otherwise, and when none come, the chunk is dropped and counts as lost for now.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from musefs.content.chunk_files import ChunkFiles, DiskRefused, digest_of
from musefs.content.chunk_index import ChunkIndex
from musefs.content.chunk_shelf import Books
from musefs.content.chunk_writer import ChunkWriter
from musefs.content.chunking import chunk_numbered
from musefs.errors import ContentChanged, ContentUnavailable, NoSuchEntry
from musefs.model import Buffer, Content, ContentId, ContentSource

READY_WAIT_S = 30.0
"""How long it may take until it is known what is stored."""
DROP_WAIT_S = 10.0
PAGE_CHUNKS = 256
HOLDERS_ASKED_MAX = 8
"""Contents whose replicas are asked for a chunk that they share."""

ContentOf = Callable[[ContentId], Awaitable[Content]]
"""A content by its id. Raises NoSuchEntry."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """What is stored, and what is known of it."""

    files: ChunkFiles
    index: ChunkIndex
    books: Books


class ChunkRepair:
    """The third door of a chunk store, for those who look after it."""

    def __init__(self, below: ContentSource, shelved: Shelved, writer: ChunkWriter) -> None:
        self._below = below
        self._files = shelved.files
        self._index = shelved.index
        self._ledger = shelved.books.ledger
        self._verification = shelved.books.verification
        self._writer = writer

    @property
    def chunk_count(self) -> int:
        """How many chunks are stored."""
        return len(self._ledger)

    @property
    def readers_waiting(self) -> int:
        """How many reads wait for the disk now."""
        return self._files.readers_waiting

    async def ready(self) -> None:
        """Return when it is known what is stored. Raises DiskRefused."""
        if not await self._writer.until(lambda: self._writer.loaded, _now() + READY_WAIT_S):
            raise DiskRefused("the disk cache cannot be read now: see the log for the reason")

    async def chunks(self) -> AsyncIterator[tuple[bytes, int]]:
        """Digest and size of every recorded chunk, those that come meanwhile perhaps.

        Raises StateBroken.
        """
        last = b""
        while page := await self._index.after(last, PAGE_CHUNKS):
            for digest, size in page:
                yield digest, size
            last = page[-1][0]

    async def is_wrong(self, digest: bytes, size: int) -> bool:
        """Whether a chunk's file is gone or has other bytes; one that was evicted is not wrong.

        Neither is one that somebody else has found and is dealing with.
        """
        if not self._is_due(digest):
            return False
        try:
            right = await self._files.is_right(digest, size)
        except DiskRefused:
            right = False  # a sector may be bad: whether the disk is, writing will tell
        if right:
            self._verification.passed(digest)
        return not right and self._is_due(digest)

    async def mend(self, digest: bytes, content_of: ContentOf) -> bool:
        """Fetch a wrong chunk again, or drop it; False when it is lost for now.

        Raises DiskRefused when the disk takes nothing, StateBroken; then it is dropped.
        """
        self._writer.broken.distrust(digest)
        try:
            holders = await self._index.holders(digest)
            data = await self._fetched(digest, holders[:HOLDERS_ASKED_MAX], content_of)
            if data is not None and await self._writer.broken.restore(digest, data):
                return True
        except BaseException:
            self._writer.broken.drop(digest)
            raise
        lost = data is None and bool(holders) and digest in self._ledger
        self._writer.broken.drop(digest)
        await self._writer.until(lambda: digest not in self._writer.broken, _now() + DROP_WAIT_S)
        return not lost

    async def _fetched(
        self, digest: bytes, holders: Sequence[tuple[ContentId, int]], content_of: ContentOf
    ) -> Buffer | None:
        for content_id, index in holders:
            try:
                content = await content_of(content_id)
                chunk = chunk_numbered(content, index)
                if chunk is None:
                    continue
                data = await self._below.read(content, chunk.start, chunk.size)
            except (NoSuchEntry, ContentUnavailable, ContentChanged):
                continue
            if digest_of(data) == digest:
                return data
        return None

    def _is_due(self, digest: bytes) -> bool:
        return digest in self._ledger and digest not in self._writer.broken


def _now() -> float:
    return asyncio.get_running_loop().time()
