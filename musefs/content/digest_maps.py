"""The chunk index, remembered for the contents that were read last: one query per cold content.

An index that fails is as good as an empty one: the chunks are fetched again.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict

from musefs.content.chunk_index import ChunkIndex
from musefs.kit.occasionally import Occasionally
from musefs.kit.single_flight import SingleFlight
from musefs.model import ContentId

log = logging.getLogger(__name__)

COMPLAINT_EVERY_S = 60.0

DigestMap = dict[int, bytes]
"""Chunk index to digest."""


class DigestMaps:
    """At most `digests_max` digests over all contents, the longest unused content goes first."""

    def __init__(self, index: ChunkIndex, digests_max: int) -> None:
        self._index = index
        self._digests_max = digests_max
        self._complaints = Occasionally(COMPLAINT_EVERY_S, time.monotonic)
        self._maps: OrderedDict[ContentId, DigestMap] = OrderedDict()
        self._digests = 0
        self._queries: SingleFlight[ContentId, DigestMap] = SingleFlight()

    def known(self, content_id: ContentId) -> DigestMap | None:
        """A content's map when it is in memory."""
        found = self._maps.get(content_id)
        if found is not None:
            self._maps.move_to_end(content_id)
        return found

    async def of(self, content_id: ContentId) -> DigestMap:
        """A content's map. Never raises: without the index it is empty."""
        found = self.known(content_id)
        if found is not None:
            return found
        return await self._queries.fetch(content_id, lambda: self._query(content_id))

    def note(self, content_id: ContentId, index: int, digest: bytes) -> None:
        """A chunk was stored; nothing to do for a content that is not in memory."""
        found = self._maps.get(content_id)
        if found is not None:
            self._digests += index not in found
            found[index] = digest

    def drop(self, content_id: ContentId) -> None:
        """Look it up again the next time."""
        self._digests -= len(self._maps.pop(content_id, ()))

    def clear(self) -> None:
        """Look every content up again."""
        self._maps.clear()
        self._digests = 0

    async def aclose(self) -> None:
        """End the queries that are under way."""
        await self._queries.aclose()

    async def _query(self, content_id: ContentId) -> DigestMap:
        try:
            found = dict(await self._index.chunks(content_id))
        except Exception as error:  # noqa: BLE001 - a broken index is a miss, never a reader's error
            if count := self._complaints.due():
                log.warning("the chunk index cannot be read (%d times): %s", count, error)
            return {}
        self._maps[content_id] = found
        self._digests += len(found)
        while self._digests > self._digests_max and len(self._maps) > 1:
            _, oldest = self._maps.popitem(last=False)
            self._digests -= len(oldest)
        return found
