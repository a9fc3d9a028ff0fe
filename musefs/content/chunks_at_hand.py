"""The synchronous door of the chunk store: parts of stored chunks that the page cache has.

They go to the reader in one copy, without a block in memory. A chunk that is read again and again
is left to the other door, which puts it there.
"""

from __future__ import annotations

from collections import OrderedDict

from musefs.content.broken_chunks import BrokenChunks
from musefs.content.chunk_ledger import ChunkLedger
from musefs.content.chunk_pages import ChunkPages
from musefs.content.chunking import Span, chunks_of, locate
from musefs.content.digest_maps import DigestMaps
from musefs.content.verification import Verification
from musefs.model import CHUNK_BYTES, Buffer, Content

GIVEN_BYTES_MAX = CHUNK_BYTES * 3 // 2
"""Of one chunk, before the block pool shall have it."""
CHUNKS_COUNTED_MAX = 8_192


class ChunksAtHand:
    """What can be read of the stored chunks without waiting for the disk."""

    def __init__(
        self,
        pages: ChunkPages,
        maps: DigestMaps,
        ledger: ChunkLedger,
        verification: Verification,
        broken: BrokenChunks,
    ) -> None:
        self._pages = pages
        self._maps = maps
        self._ledger = ledger
        self._verification = verification
        self._broken = broken
        self._given: OrderedDict[bytes, int] = OrderedDict()
        self._disk_is_slow = True
        self.hits = 0

    def peek(self, content: Content, offset: int, size: int, *, is_keepable: bool) -> Buffer | None:
        """The bytes, fewer only at the end of the content; None when not all are at hand.

        None also when the block pool has room for them, `is_keepable`, and they are read often.
        """
        digests = self._maps.known(content.id)
        if digests is None or not content.cacheable:
            return None
        end = min(offset + size, content.size)
        view = memoryview(bytearray(max(end - offset, 0)))
        at = offset
        while at < end:
            index, start, stop = locate(content, at)
            upto = min(stop, end)
            digest = digests.get(index)
            if digest is None or (is_keepable and self._is_read_often(digest, upto - at)):
                return None
            if digest in self._broken or not self._verification.waives(digest, at == start):
                return None
            if not self._pages.peek(digest, at - start, view[at - offset : upto - offset]):
                self._disk_is_slow = True
                return None
            self._ledger.touch(digest)
            self.hits += 1
            at = upto
        return view.toreadonly()

    async def will_need(self, content: Content, span: Span) -> None:
        """Have the disk read these chunks ahead, if it was waited for lately. Never raises."""
        if not self._disk_is_slow:
            return
        self._disk_is_slow = False
        digests = await self._maps.of(content.id)
        wanted = [digests.get(chunk.index) for chunk in chunks_of(content, *_sized(span))]
        self._pages.will_need([digest for digest in wanted if digest is not None])

    def _is_read_often(self, digest: bytes, size: int) -> bool:
        """Whether all of a chunk, or nearly, is read a second time; counts `size` bytes more."""
        given = self._given.pop(digest, 0) + size
        if given > GIVEN_BYTES_MAX:
            return True
        self._given[digest] = given
        if len(self._given) > CHUNKS_COUNTED_MAX:
            self._given.popitem(last=False)
        return False


def _sized(span: Span) -> tuple[int, int]:
    return span[0], span[1] - span[0]
