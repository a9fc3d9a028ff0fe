"""Which content has which chunks: what the chunk store needs to be remembered between runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from musefs.catalog.chunks import ChunkRow
from musefs.model import ContentId

__all__ = ["ChunkIndex", "ChunkRow"]


class ChunkIndex(Protocol):
    """Rows of chunks, kept safe over a restart. What is lost is only fetched again."""

    async def chunks(self, content_id: ContentId) -> Mapping[int, bytes]:
        """The digest of each chunk of a content that is stored, by its index."""
        ...

    async def record(self, rows: Sequence[ChunkRow]) -> None:
        """Remember rows, in one transaction; a row of the same content and index is replaced.

        A chunk that was kept once stays so, whatever later rows say.
        """
        ...

    async def forget(self, digests: Collection[bytes]) -> None:
        """Remove every row with one of these digests, whatever content it belongs to."""
        ...

    async def after(self, digest: bytes, count: int) -> Sequence[tuple[bytes, int]]:
        """Digest and size of the first `count` chunks behind this digest, in their order."""
        ...

    async def holders(self, digest: bytes) -> Sequence[tuple[ContentId, int]]:
        """Every content that has this chunk, and the chunk's index in it."""
        ...

    def all(self) -> AsyncIterator[tuple[bytes, int, bool]]:
        """Digest, size and whether it is kept, of every row: once for each content that has it."""
        ...

    def pinned(self) -> AsyncIterator[tuple[ContentId, bytes]]:
        """Content and digest of every row whose content is pinned."""
        ...
