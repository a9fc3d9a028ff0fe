"""Which stored chunks are hashed again when they are read. Pure.

After an unclean start every chunk is, until it has passed once: the disk may have kept a name and
lost the bytes. Otherwise one read in so many is, which finds a disk that rots.
"""

from __future__ import annotations

SAMPLED_EVERY = 16
PASSED_MAX = 1 << 20


class Verification:
    """What has been proven in this run."""

    def __init__(self, *, unclean: bool) -> None:
        self._unclean = unclean
        self._passed: set[bytes] = set()
        self._reads = 0

    def due(self, digest: bytes) -> bool:
        """Whether this read has to be verified."""
        self._reads += 1
        return not self.vouches_for(digest) or self._reads % SAMPLED_EVERY == 0

    def waives(self, digest: bytes, is_first: bool) -> bool:
        """Whether this read of a part needs no verification; one that does is left to `due`.

        `is_first`: it is the chunk's first part, which counts as a read.
        """
        if not self.vouches_for(digest):
            return False
        if is_first:
            if (self._reads + 1) % SAMPLED_EVERY == 0:
                return False
            self._reads += 1
        return True

    def vouches_for(self, digest: bytes) -> bool:
        """Whether the stored bytes may be taken for right."""
        return not self._unclean or digest in self._passed

    def passed(self, digest: bytes) -> None:
        """The bytes were right, or have just been written."""
        if self._unclean:
            if len(self._passed) >= PASSED_MAX:
                self._passed.clear()
            self._passed.add(digest)

    def forget(self, digest: bytes) -> None:
        """The chunk is gone; what is stored under its name later is unknown again."""
        self._passed.discard(digest)
