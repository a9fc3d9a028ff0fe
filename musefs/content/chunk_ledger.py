"""What lies on the disk, counted: sizes, sharing, and who is evicted next. Pure.

A digest is stored once and counted once for each content that has it, so `logical - stored` is what
sharing saves. Kept chunks go when no other is left, the oldest first: they are read by every scan,
so which of them was read last says nothing. Chunks of claimed contents are pinned: they never go.
"""

from __future__ import annotations

from musefs.content.eviction import Sieve
from musefs.content.pinned_chunks import PinnedChunks


class ChunkLedger:
    """Stored digests; `logical_bytes` and `kept_bytes` are updated as they change.

    `kept_bytes` leaves out what is pinned. There may be several hundred thousand kept chunks, so
    each costs one entry and no more.
    """

    def __init__(self) -> None:
        self._sieve: Sieve[bytes] = Sieve()
        self._kept: dict[bytes, int] = {}
        self._sizes: dict[bytes, int] = {}
        self._shared: dict[bytes, int] = {}
        """How many contents have a digest, where that is more than one."""
        self.pinned = PinnedChunks(self._lend, self._return)
        self.kept_bytes = 0
        self.logical_bytes = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._kept) + len(self._sieve) + len(self.pinned)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._kept or digest in self._sieve or digest in self.pinned

    @property
    def stored_bytes(self) -> int:
        """On the disk, each digest once."""
        return self._sieve.bytes + self.kept_bytes + self.pinned.bytes

    def add(self, digest: bytes, size: int, *, kept: bool = False) -> None:
        """One more content has this chunk. One that is kept stays so."""
        if digest in self:
            self._shared[digest] = self._shared.get(digest, 1) + 1
        else:
            self._sieve.insert(digest, size)
            self._sizes[digest] = size
        self.logical_bytes += size
        if kept:
            self.keep(digest)

    def keep(self, digest: bytes) -> None:
        """Evict it last from now on; an unknown digest is nothing."""
        if digest in self.pinned:
            self.pinned.keep(digest)
        elif digest in self._sieve:
            self._sieve.remove(digest)
            size = self._kept[digest] = self._sizes.pop(digest)
            self.kept_bytes += size

    def is_kept(self, digest: bytes) -> bool:
        """Whether it is stored, and evicted last when it is not pinned."""
        return digest in self._kept or self.pinned.is_kept(digest)

    def touch(self, digest: bytes) -> None:
        """Note that it was read."""
        self._sieve.touch(digest)

    def remove(self, digest: bytes) -> None:
        """It is gone, for all contents."""
        if digest in self:
            self._uncount(digest)

    def evict(self, bytes_min: int) -> list[bytes]:
        """Choose at least so many bytes to go and take them out; fewer when there are no more."""
        goal = max(self.stored_bytes - bytes_min, 0)
        victims = []
        while self.stored_bytes > goal:
            digest = self._sieve.evict()
            if digest is None:
                digest = next(iter(self._kept), None)
            if digest is None:
                break
            self._uncount(digest)
            victims.append(digest)
        self.evictions += len(victims)
        return victims

    def digests(self) -> set[bytes]:
        """All of them, as a set of the caller's own."""
        return {*self._kept, *self._sizes, *self.pinned}

    def clear(self) -> None:
        """Nothing is stored; claims stay."""
        for digest in self.digests():
            self._uncount(digest)
        self.evictions = 0

    def _uncount(self, digest: bytes) -> None:
        size = self.pinned.remove(digest) or self._take_out(digest)
        self.logical_bytes -= self._shared.pop(digest, 1) * size

    def _take_out(self, digest: bytes) -> int:
        """Out of the classes that are evicted; the size."""
        self._sieve.remove(digest)
        size = self._sizes.pop(digest, 0)
        if not size and digest in self._kept:
            size = self._kept.pop(digest)
            self.kept_bytes -= size
        return size

    def _lend(self, digest: bytes) -> tuple[int, bool] | None:
        """To the pinned chunks."""
        kept = digest in self._kept
        size = self._take_out(digest)
        return (size, kept) if size else None

    def _return(self, digest: bytes, size: int, kept: bool) -> None:
        """From the pinned chunks."""
        self._sieve.insert(digest, size)
        self._sizes[digest] = size
        if kept:
            self.keep(digest)
