"""Entries of the tree as the kernel wants them, and a memory of whole folders made ready."""

from __future__ import annotations

import asyncio
import stat
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyfuse3

from musefs.catalog.database import Row
from musefs.catalog.nodes import Node
from musefs.model import Inode

KERNEL_TIMEOUT_S = 3600.0
"""How long the kernel may trust what it was told: changes are told to it when they happen."""

ENTRIES_MAX = 300_000
"""Some 330 bytes each. A walk that finds more begins anew each time: the oldest go first."""
ENTRIES_PER_TURN = 2_000
_BLOCK_BYTES = 512
_PREFERRED_BYTES = 4096
"""Buffered readers take this much at a time: readers of tags want little."""
_FOLDER, _FILE = stat.S_IFDIR, stat.S_IFREG


@dataclass(frozen=True, slots=True)
class Appearance:
    """Owner and modes of everything in the mount."""

    uid: int
    gid: int
    file_mode: int
    folder_mode: int

    def attributes(self, node: Node) -> pyfuse3.EntryAttributes:
        """A node's attributes; times in nanoseconds since 1970."""
        inode, _, _, kind, _, _, size, mtime_ns, subfolders, _ = node
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode
        entry.entry_timeout = entry.attr_timeout = KERNEL_TIMEOUT_S
        entry.st_uid, entry.st_gid = self.uid, self.gid
        if kind == "folder":
            entry.st_mode = _FOLDER | self.folder_mode
            entry.st_nlink = 2 + subfolders
        else:
            entry.st_mode = _FILE | self.file_mode
            entry.st_nlink = 1
        entry.st_size = size
        entry.st_blksize = _PREFERRED_BYTES
        entry.st_blocks = -(-size // _BLOCK_BYTES)
        if mtime_ns < 0:
            mtime_ns = 0
        entry.st_atime_ns = entry.st_mtime_ns = entry.st_ctime_ns = mtime_ns
        return entry

    def add_listed(self, rows: Iterable[Row], found: list[pyfuse3.EntryAttributes]) -> None:
        """The same of the rows of `nodes.listed`, in half the time: there may be very many."""
        new, uid, gid = pyfuse3.EntryAttributes, self.uid, self.gid
        file_mode, folder_mode = _FILE | self.file_mode, _FOLDER | self.folder_mode
        for _, inode, links, size, mtime_ns in rows:
            entry = new()
            entry.st_ino = inode
            entry.entry_timeout = entry.attr_timeout = KERNEL_TIMEOUT_S
            entry.st_uid, entry.st_gid = uid, gid
            entry.st_mode, entry.st_nlink = (folder_mode, links) if links else (file_mode, 1)
            entry.st_size = size
            entry.st_blksize = _PREFERRED_BYTES
            entry.st_blocks = -(-size // _BLOCK_BYTES)
            entry.st_atime_ns = entry.st_mtime_ns = entry.st_ctime_ns = mtime_ns
            found.append(entry)


@dataclass(frozen=True, slots=True)
class Listing:
    """A folder's entries in the order in which they are listed."""

    names: tuple[bytes, ...]
    attributes: tuple[pyfuse3.EntryAttributes, ...]


async def listing_of(appearance: Appearance, own: Sequence[Node], rows: Sequence[Row]) -> Listing:
    """Make a folder ready to be listed: musefs' own entries, and the rows of `nodes.listed`.

    Lets others run in between when it is large.
    """
    names = [node.name.encode() for node in own]
    attributes = [appearance.attributes(node) for node in own]
    names += [row[0] for row in rows]
    for first in range(0, len(rows), ENTRIES_PER_TURN):
        some = rows[first : first + ENTRIES_PER_TURN]
        appearance.add_listed(some, attributes)
        if len(some) == ENTRIES_PER_TURN:
            await asyncio.sleep(0)
    return Listing(tuple(names), tuple(attributes))


class Listings:
    """Folders made ready, the least recently used dropped. Never one that has changed meanwhile."""

    def __init__(self, entries_max: int = ENTRIES_MAX) -> None:
        self._entries_max = entries_max
        self._listings: OrderedDict[Inode, Listing] = OrderedDict()
        self._entries = 0
        self.changes = 0

    def get(self, inode: Inode) -> Listing | None:
        """A folder that is ready, or None."""
        listing = self._listings.get(inode)
        if listing is not None:
            self._listings.move_to_end(inode)
        return listing

    def keep(self, inode: Inode, listing: Listing, as_of: int) -> None:
        """Remember a folder that was read when `changes` was `as_of`."""
        if as_of != self.changes or inode in self._listings:
            return
        self._listings[inode] = listing
        self._entries += len(listing.names)
        while self._entries > self._entries_max:
            _, dropped = self._listings.popitem(last=False)
            self._entries -= len(dropped.names)

    def drop(self, folders: Iterable[Inode]) -> None:
        """Forget folders whose entries have changed."""
        self.changes += 1
        for inode in folders:
            dropped = self._listings.pop(inode, None)
            if dropped is not None:
                self._entries -= len(dropped.names)
