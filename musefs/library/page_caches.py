"""What the kernel may keep of a file's pages: no reader shall meet those of another version. Pure.

The kernel has one page cache for an inode, whatever version its readers opened. A reader of an old
version may fill it at any time until it closes the file: meanwhile readers of the new one go past
the cache, and the next reader after that begins with an empty one.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from enum import Enum, auto

from musefs.model import ContentId, Inode

INODES_MAX = 100_000


class Caching(Enum):
    """How a file is opened: pages kept from before, dropped first, or not used at all."""

    KEEP = auto()
    FRESH = auto()
    DIRECT = auto()


class PageCaches:
    """Of the inodes that were opened last, the content that their pages are of."""

    def __init__(self, inodes_max: int = INODES_MAX) -> None:
        self._inodes_max = inodes_max
        self._pages: OrderedDict[Inode, ContentId] = OrderedDict()
        self._readers: dict[Inode, Counter[ContentId]] = {}

    def opened(self, inode: Inode, content: ContentId) -> Caching:
        """A file is opened: how."""
        readers = self._readers.setdefault(inode, Counter())
        others = any(other != content for other in readers)
        readers[content] += 1
        if others:
            return Caching.DIRECT
        known = self._pages.pop(inode, None)
        self._pages[inode] = content
        if len(self._pages) > self._inodes_max:
            self._pages.popitem(last=False)
        return Caching.KEEP if known == content else Caching.FRESH

    def released(self, inode: Inode, content: ContentId) -> None:
        """One of those who opened it has closed it."""
        readers = self._readers[inode]
        readers[content] -= 1
        if not readers[content]:
            del readers[content]
        if not readers:
            del self._readers[inode]
