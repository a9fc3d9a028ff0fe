"""What lies on the disk, counted: sizes, sharing, and who is evicted next. Pure.

A digest is stored once and counted once for each content that has it, so `logical - stored` is what
sharing saves.
"""

from __future__ import annotations

from musefs.content.eviction import Sieve


class ChunkLedger:
    """Stored digests; `logical_bytes` and `stored_bytes` are kept as they change."""

    def __init__(self) -> None:
        self._sieve: Sieve[bytes] = Sieve()
        self._references: dict[bytes, int] = {}
        self._sizes: dict[bytes, int] = {}
        self.logical_bytes = 0
        self.evictions = 0

    def __len__(self) -> int:
        return len(self._references)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._references

    @property
    def stored_bytes(self) -> int:
        """On the disk, each digest once."""
        return self._sieve.bytes

    def add(self, digest: bytes, size: int) -> None:
        """One more content has this chunk."""
        if digest not in self._references:
            self._sieve.insert(digest, size)
            self._sizes[digest] = size
        self._references[digest] = self._references.get(digest, 0) + 1
        self.logical_bytes += size

    def touch(self, digest: bytes) -> None:
        """Note that it was read."""
        self._sieve.touch(digest)

    def remove(self, digest: bytes) -> None:
        """It is gone, for all contents."""
        if digest in self._references:
            self._sieve.remove(digest)
            self._uncount(digest)

    def evict(self, bytes_min: int) -> list[bytes]:
        """Choose at least so many bytes to go and take them out; fewer when there are no more."""
        goal = max(self.stored_bytes - bytes_min, 0)
        victims = []
        while self.stored_bytes > goal and (digest := self._sieve.evict()) is not None:
            self._uncount(digest)
            victims.append(digest)
        self.evictions += len(victims)
        return victims

    def _uncount(self, digest: bytes) -> None:
        self.logical_bytes -= self._references.pop(digest) * self._sizes.pop(digest)

    def digests(self) -> set[bytes]:
        """All of them, as a set of the caller's own."""
        return set(self._references)

    def clear(self) -> None:
        """Nothing is stored."""
        self.evict(self.stored_bytes)
        self.evictions = 0
