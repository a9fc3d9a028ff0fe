"""What the page cache has of the chunk files: parts of them, without waiting for the disk.

A digest names its bytes, so an open file may serve for ever; it is closed when the chunk is removed
or written again, so that neither its space nor wrong bytes stay. Used from the event loop.
"""

from __future__ import annotations

import contextlib
import os
from collections import OrderedDict
from collections.abc import Collection
from concurrent.futures import Executor
from pathlib import Path

from musefs.content.chunk_names import name_of

DESCRIPTORS_MAX = 8


class ChunkPages:
    """The chunk files below one folder; those read last are kept open, a few at most."""

    def __init__(self, root: Path, threads: Executor) -> None:
        self._root = root
        self._threads = threads
        self._open: OrderedDict[bytes, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    def peek(self, digest: bytes, offset: int, into: memoryview) -> bool:
        """Fill `into` from a chunk's file, if that can be done without waiting for the disk.

        Whatever is wrong is left to ChunkFiles.read, which meets it again.
        """
        try:
            descriptor = self._descriptor(digest)
            return os.preadv(descriptor, [into], offset, os.RWF_NOWAIT) == len(into)
        except OSError:
            return False

    def will_need(self, digests: Collection[bytes]) -> None:
        """Have the kernel read chunks ahead; nobody waits for that. Never raises."""
        paths = [self._root / name_of(digest) for digest in digests]
        with contextlib.suppress(RuntimeError):  # no new work after the end
            self._threads.submit(_advise, paths)

    def drop(self, digest: bytes) -> None:
        """Close a chunk's file; one that is not open is nothing."""
        descriptor = self._open.pop(digest, None)
        if descriptor is not None:
            os.close(descriptor)

    def close(self) -> None:
        """Close all."""
        for digest in list(self._open):
            self.drop(digest)

    def _descriptor(self, digest: bytes) -> int:
        found = self._open.get(digest)
        if found is not None:
            self._open.move_to_end(digest)
            return found
        path = self._root / name_of(digest)
        descriptor = self._open[digest] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if len(self._open) > DESCRIPTORS_MAX:
            self.drop(next(iter(self._open)))
        return descriptor


def _advise(paths: Collection[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError), path.open("rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
