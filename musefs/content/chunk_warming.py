"""Chunks that are wanted before anybody reads them: brought into the store, and pinned there.

What a reader fetches is stored when there is room in the writer's queue; these wait for that room
before they are asked for, so that nothing is fetched in vain.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence

from musefs.content.chunk_ledger import ChunkLedger
from musefs.content.chunk_writer import ChunkWriter
from musefs.content.chunking import Chunk, Span, chunks_touched
from musefs.content.digest_maps import DigestMap, DigestMaps
from musefs.errors import ContentUnavailable
from musefs.model import Content, ContentId, ContentSource

REQUEST_BYTES_MAX = 1 << 20
"""Neighbouring chunks are asked for together up to this size."""

ROOM_WAIT_S = 30.0
"""How long the disk is waited for, before each request and at the end."""

QUEUED_BYTES_MAX = 8 << 20
"""With more waiting to be written no request is made: readers' chunks need room, too."""

IsAtHand = Callable[[Content, Chunk, DigestMap], bool]


class ChunkWarming:
    """The third door of a chunk store."""

    def __init__(
        self,
        store: ContentSource,
        writer: ChunkWriter,
        ledger: ChunkLedger,
        maps: DigestMaps,
        is_at_hand: IsAtHand,
    ) -> None:
        self._store = store
        self._writer = writer
        self._ledger = ledger
        self._maps = maps
        self._is_at_hand = is_at_hand

    async def missing(self, content: Content, spans: Iterable[Span] | None = None) -> list[Chunk]:
        """The chunks, of all or those that these spans touch, that are not on the disk yet."""
        wanted = chunks_touched(content, spans or [(0, content.size)])
        digests = await self._maps.of(content.id)
        return [chunk for chunk in wanted if not self._is_at_hand(content, chunk, digests)]

    async def fetch(self, content: Content, start: int, end: int) -> None:
        """Read a range of whole chunks into the store.

        Raises ContentUnavailable, also when the disk takes nothing, and ContentChanged.
        """
        if not await self._until(
            lambda: self._writer.loaded and self._writer.queued_bytes <= QUEUED_BYTES_MAX
        ):
            raise ContentUnavailable(
                "the disk of the cache takes nothing now: see the log for the reason"
            )
        await self._store.read(content, start, end - start)

    async def settled(self) -> bool:
        """Wait until all that came is on the disk; False when it is not within the bound."""
        return await self._until(lambda: self._writer.is_idle)

    async def pin(self, content_id: ContentId) -> None:
        """Never evict this content's chunks, those that are stored and those to come."""
        self._ledger.pinned.claim(content_id)
        for digest in (await self._maps.of(content_id)).values():
            self._ledger.pinned.pin(digest, content_id)

    def release(self, content_id: ContentId) -> None:
        """This content's chunks are chunks like others again."""
        self._ledger.pinned.release(content_id)

    async def _until(self, reached: Callable[[], bool]) -> bool:
        deadline = asyncio.get_running_loop().time() + ROOM_WAIT_S
        return await self._writer.until(reached, deadline)


def requests(chunks: Sequence[Chunk]) -> list[Span]:
    """Ranges of neighbouring chunks, each of REQUEST_BYTES_MAX at most. Pure."""
    spans: list[Span] = []
    for chunk in chunks:
        if spans and spans[-1][1] == chunk.start and chunk.end - spans[-1][0] <= REQUEST_BYTES_MAX:
            spans[-1] = (spans[-1][0], chunk.end)
        else:
            spans.append((chunk.start, chunk.end))
    return spans
