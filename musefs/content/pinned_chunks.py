"""Chunks of claimed contents, which are never evicted. Pure.

A chunk is pinned as long as one of the claimed contents that have it holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from musefs.model import ContentId


@dataclass(slots=True)
class _Pinned:
    """Its bytes, whether it is kept when nobody holds it any more, and who holds it."""

    size: int
    kept: bool
    holders: set[ContentId] = field(default_factory=set)


class PinnedChunks:
    """The pinned digests of a ledger, out of its other classes; `bytes` is their sum."""

    def __init__(
        self,
        take_out: Callable[[bytes], tuple[int, bool] | None],
        put_back: Callable[[bytes, int, bool], None],
    ) -> None:
        """`take_out`: a chunk leaves the other classes: size and whether it was kept, or None."""
        self._take_out = take_out
        self._put_back = put_back
        self._pinned: dict[bytes, _Pinned] = {}
        self._claims: dict[ContentId, set[bytes]] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._pinned)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._pinned

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pinned)

    def claim(self, content_id: ContentId) -> None:
        """A content's chunks may be pinned from now on; `pin` does it for each."""
        self._claims.setdefault(content_id, set())

    def is_claimed(self, content_id: ContentId) -> bool:
        """Whether a content's chunks are to be pinned."""
        return content_id in self._claims

    def pin(self, digest: bytes, content_id: ContentId) -> None:
        """Never evict a content's chunk; nothing when that is not claimed, or it is not stored."""
        if content_id not in self._claims:
            return
        if digest not in self._pinned:
            taken = self._take_out(digest)
            if taken is None:
                return
            self._pinned[digest] = _Pinned(*taken)
            self.bytes += taken[0]
        self._pinned[digest].holders.add(content_id)
        self._claims[content_id].add(digest)

    def release(self, content_id: ContentId) -> None:
        """A content is no longer claimed; what no other claim holds is a chunk like others."""
        for digest in self._claims.pop(content_id, ()):
            pinned = self._pinned[digest]
            pinned.holders.discard(content_id)
            if not pinned.holders:
                del self._pinned[digest]
                self.bytes -= pinned.size
                self._put_back(digest, pinned.size, pinned.kept)

    def keep(self, digest: bytes) -> None:
        """Have it be kept when nobody holds it any more."""
        self._pinned[digest].kept = True

    def is_kept(self, digest: bytes) -> bool:
        """Whether it is pinned, and kept after that."""
        return digest in self._pinned and self._pinned[digest].kept

    def remove(self, digest: bytes) -> int:
        """It is gone, and its claims stay; its size, 0 when it was not pinned."""
        pinned = self._pinned.pop(digest, None)
        if pinned is None:
            return 0
        self.bytes -= pinned.size
        for holder in pinned.holders:
            self._claims[holder].discard(digest)
        return pinned.size
