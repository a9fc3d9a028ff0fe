"""What the kernel may keep of a file's pages: no reader shall meet those of another version. Pure.

The kernel has one page cache for an inode, whatever version its readers opened. A reader of an old
version may fill it at any time until it closes the file: meanwhile readers of the new one go past
the cache, and the next reader after that begins with an empty one.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable
from enum import Enum, auto

from musefs.model import Inode

INODES_MAX = 100_000

Version = Hashable
"""Names the bytes that a file had when it was opened."""


class Caching(Enum):
    """How a file is opened: pages kept from before, dropped first, or not used at all."""

    KEEP = auto()
    FRESH = auto()
    DIRECT = auto()


class PageCaches:
    """Of the inodes that were opened last, the version that their pages are of."""

    def __init__(self, inodes_max: int = INODES_MAX) -> None:
        self._inodes_max = inodes_max
        self._pages: OrderedDict[Inode, Version] = OrderedDict()
        self._readers: dict[Inode, Counter[Version]] = {}

    def opened(self, inode: Inode, version: Version) -> Caching:
        """A file is opened: how."""
        readers = self._readers.setdefault(inode, Counter())
        others = any(other != version for other in readers)
        readers[version] += 1
        if others:
            return Caching.DIRECT
        known = self._pages.pop(inode, None)
        self._pages[inode] = version
        if len(self._pages) > self._inodes_max:
            self._pages.popitem(last=False)
        return Caching.KEEP if known == version else Caching.FRESH

    def released(self, inode: Inode, version: Version) -> None:
        """One of those who opened it has closed it."""
        readers = self._readers[inode]
        readers[version] -= 1
        if not readers[version]:
            del readers[version]
        if not readers:
            del self._readers[inode]
