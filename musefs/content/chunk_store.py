"""Content on the disk: chunks that were read once are read from the disk until there is no room.

A read answers from the chunks that are stored, fetches the others from below, neighbours in one
request, and leaves them to the writer. The disk can be slow, full, read-only or wrong: then the
bytes come from below, and the reader sees no error.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musefs.content.chunk_files import ChunkFiles, DiskRefused, digest_of
from musefs.content.chunk_index import ChunkIndex, ChunkRow
from musefs.content.chunk_keeping import ChunkKeeping
from musefs.content.chunk_ledger import ChunkLedger
from musefs.content.chunk_repair import ChunkRepair, Shelved
from musefs.content.chunk_shelf import Books, ChunkShelf, StoreLimits
from musefs.content.chunk_warming import ChunkWarming
from musefs.content.chunk_writer import ChunkWriter
from musefs.content.chunking import Chunk, chunk_at, chunks_of
from musefs.content.chunks_at_hand import ChunksAtHand
from musefs.content.digest_check import DigestCheck
from musefs.content.digest_maps import DigestMap, DigestMaps
from musefs.content.verification import Verification
from musefs.errors import ContentUnavailable
from musefs.kit.occasionally import Occasionally
from musefs.model import Buffer, CheckedSource, Content, ContentId

log = logging.getLogger(__name__)

REQUEST_BYTES_MAX = 4 << 20
"""Neighbouring chunks are fetched together up to this size."""

COMPLAINT_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class StoreStats:
    """Counts since the start, in chunks, and what lies on the disk now."""

    hits: int
    misses: int
    corrupt: int
    refused: int
    evictions: int
    chunks: int
    logical_bytes: int
    stored_bytes: int
    saved_bytes: int
    queued_bytes: int
    kept_bytes: int = 0
    pinned_bytes: int = 0
    repaired: int = 0


class ChunkStore:
    """A content source over another, with a disk. `run` has to be running for chunks to be kept."""

    def __init__(
        self,
        below: CheckedSource,
        files: ChunkFiles,
        index: ChunkIndex,
        limits: StoreLimits,
        *,
        unclean: bool = False,
    ) -> None:
        """`unclean`: the last run did not end in good order, so trust no stored chunk unseen."""
        self._below = below
        self._files = files
        self._ledger = ChunkLedger()
        self._verification = Verification(unclean=unclean)
        self._unreadable = Occasionally(COMPLAINT_EVERY_S, time.monotonic)
        self._wrong = Occasionally(COMPLAINT_EVERY_S, time.monotonic)
        self._maps = DigestMaps(index, limits.digests_max)
        books = Books(self._ledger, self._verification, self._note)
        self._shelf = shelf = ChunkShelf(files, index, limits, books)
        self._writer = ChunkWriter(shelf, limits)
        self.at_hand = ChunksAtHand(
            files.pages, self._maps, self._ledger, self._verification, self._writer.broken
        )
        self.repair = ChunkRepair(below, Shelved(files, index, books), self._writer)
        self.keeping = ChunkKeeping(self._writer, shelf, limits)
        self.warming = ChunkWarming(self, self._writer, self._ledger, self._maps, self._is_kept)
        self._limits = limits
        self._hits = self._misses = self._corrupt = 0

    def __repr__(self) -> str:
        used, limit = self._ledger.stored_bytes >> 20, self._limits.disk_bytes_max >> 20
        return f"<ChunkStore {len(self._ledger)} chunks, {used} MB of {limit}>"

    def stats(self) -> StoreStats:
        """The counters now; costs the same however many chunks there are."""
        stored, logical = self._ledger.stored_bytes, self._ledger.logical_bytes
        return StoreStats(
            hits=self._hits + self.at_hand.hits,
            misses=self._misses,
            corrupt=self._corrupt,
            refused=self._writer.refused,
            evictions=self._ledger.evictions,
            chunks=len(self._ledger),
            logical_bytes=logical,
            stored_bytes=stored,
            saved_bytes=logical - stored,
            queued_bytes=self._writer.queued_bytes,
            kept_bytes=self._ledger.kept_bytes,
            pinned_bytes=self._ledger.pinned.bytes,
            repaired=self._shelf.repaired,
        )

    async def run(self) -> None:
        """Load what is stored and write what comes, until cancelled; then flush within a bound."""
        try:
            await self._writer.run()
        finally:
            await self._maps.aclose()

    async def clear(self) -> int:
        """Remove every chunk; how many bytes they had. Raises DiskRefused."""
        self.keeping.clearings += 1
        freed = await self._writer.clear()
        self._maps.clear()
        return freed

    async def cached_share(self, content: Content) -> float:
        """How much of a content is on the disk or on its way there: 0 to 1."""
        digests = await self._maps.of(content.id)
        cached = sum(
            chunk.size
            for chunk in chunks_of(content, 0, content.size)
            if self._is_kept(content, chunk, digests)
        )
        return cached / content.size if content.size else 1.0

    async def has(self, content: Content, offset: int) -> bool:
        """Whether the chunk that holds `offset` is on the disk or on its way there."""
        digests = await self._maps.of(content.id)
        return self._is_kept(content, chunk_at(content, offset), digests)

    async def digests(self, content_id: ContentId) -> Mapping[int, bytes]:
        """The known digests by chunk index, some of chunks that are not on the disk any more."""
        return await self._maps.of(content_id)

    async def stored(self, content: Content, chunk: Chunk) -> Buffer | None:
        """A chunk's bytes from the disk, or on their way there; None: they are not at hand."""
        return await self._stored(content, chunk, await self._maps.of(content.id))

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size), fewer only at the end of the content.

        Raises what the source below raises: ContentUnavailable, ContentChanged.
        """
        if not content.cacheable:
            return await self._below.read(content, offset, size)
        chunks = list(chunks_of(content, offset, size))
        if not chunks:
            return b""
        digests = self._maps.known(content.id)
        if digests is None:
            digests = await self._maps.of(content.id)
        parts = await self._parts(content, chunks, digests)
        end = min(offset + size, content.size)
        if end < chunks[-1].end:
            parts[-1] = parts[-1][: end - chunks[-1].start]
        parts[0] = parts[0][offset - chunks[0].start :]
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _parts(
        self, content: Content, chunks: Sequence[Chunk], digests: DigestMap
    ) -> list[Buffer]:
        parts: list[Buffer] = []
        missing: list[Chunk] = []
        for chunk in chunks:
            stored = await self._stored(content, chunk, digests)
            together = chunk.end - missing[0].start if missing else 0
            if missing and (stored is not None or together > REQUEST_BYTES_MAX):
                parts += await self._fetched(content, missing, digests)
                missing = []
            if stored is None:
                missing.append(chunk)
            else:
                parts.append(stored)
        if missing:
            parts += await self._fetched(content, missing, digests)
        return parts

    async def _stored(self, content: Content, chunk: Chunk, digests: DigestMap) -> Buffer | None:
        data = self._writer.waiting(content.id, chunk.index)
        digest = digests.get(chunk.index)
        if data is None and digest is not None and digest not in self._writer.broken:
            data = await self._from_disk(digest, chunk.size)
        if data is None:
            self._misses += 1
        else:
            self._hits += 1
        return data

    async def _from_disk(self, digest: bytes, size: int) -> Buffer | None:
        try:
            data = await self._files.read(digest, size)
        except DiskRefused as error:
            if count := self._unreadable.due():
                log.warning("the chunk store cannot be read (%d times): %s", count, error)
            return None
        if data is None:
            if digest in self._ledger:
                self._writer.broken.report(digest)
            return None
        if not self._is_right(digest, data, size):
            self._corrupt += 1
            self._writer.broken.report(digest)
            if count := self._wrong.due():
                log.warning("wrong bytes in the chunk store (%d chunks): fetched again", count)
            return None
        self._ledger.touch(digest)
        return data

    def _is_right(self, digest: bytes, data: Buffer, size: int) -> bool:
        if len(data) != size:
            return False
        if self._verification.due(digest):
            if digest_of(data) != digest:
                return False
            self._verification.passed(digest)
        return True

    async def _fetched(
        self, content: Content, chunks: Sequence[Chunk], digests: DigestMap
    ) -> list[Buffer]:
        """Neighbouring chunks in one request."""
        start, end = chunks[0].start, chunks[-1].end
        data = await self._checked(content, chunks, digests)
        if len(data) != end - start:
            raise ContentUnavailable(
                f"content {content.id}: {len(data)} bytes instead of {end - start} at {start}; "
                "rescan its origin"
            )
        parts = [
            data if len(chunks) == 1 else bytes(data[chunk.start - start : chunk.end - start])
            for chunk in chunks
        ]
        for chunk, part in zip(chunks, parts, strict=True):
            self._writer.offer(content.id, chunk.index, part)
        return parts

    async def _checked(
        self, content: Content, chunks: Sequence[Chunk], digests: DigestMap
    ) -> Buffer:
        start, end = chunks[0].start, chunks[-1].end
        check = DigestCheck(chunks, digests)
        if not check.is_possible:
            return await self._below.read(content, start, end - start)
        # When nobody has those bytes the reader gets ContentChanged, again and again: what the
        # origins have now never mixes with them. The federation has told where to look; what is
        # found to have changed in place becomes another content.
        return await self._below.read(content, start, end - start, check.accepts)

    def _is_kept(self, content: Content, chunk: Chunk, digests: DigestMap) -> bool:
        if self._writer.waiting(content.id, chunk.index) is not None:
            return True
        digest = digests.get(chunk.index)
        return digest is not None and (not self._writer.loaded or digest in self._ledger)

    def _note(self, row: ChunkRow) -> bool:
        known = self._maps.known(row.content_id)
        is_new = known is None or known.get(row.index) != row.digest
        self._maps.note(row.content_id, row.index, row.digest)
        return is_new
