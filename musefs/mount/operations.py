"""The kernel's requests: a handler asks the library or an open file and translates the answer."""

from __future__ import annotations

import errno
import itertools
import os
from typing import TYPE_CHECKING

import pyfuse3

from musefs.catalog.nodes import ROOT, Node
from musefs.errors import IsAFolder, NoSuchEntry, ReadOnly
from musefs.library.library import Library
from musefs.library.open_files import OpenFiles
from musefs.library.own_files import OwnFiles
from musefs.library.page_caches import Caching
from musefs.model import Buffer, Inode
from musefs.mount.answering import answering
from musefs.mount.attributes import Appearance, Listing, Listings, listing_of
from musefs.mount.extended import ExtendedAttributes
from musefs.mount.request_counts import RequestCounts

if TYPE_CHECKING:
    from pyfuse3 import (
        EntryAttributes,
        FileHandleT,
        FileInfo,
        FileNameT,
        FlagT,
        InodeT,
        ReaddirToken,
        RequestContext,
        StatvfsData,
        XAttrNameT,
    )

_BLOCK_BYTES = 4096
_NAME_BYTES_MAX = 255
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_TRUNC | os.O_APPEND | os.O_CREAT


class Operations(pyfuse3.Operations):  # type: ignore[misc]  # pyfuse3 has no types that hold
    """A read-only file system over the library."""

    supports_dot_lookup = True
    enable_writeback_cache = False
    enable_acl = False

    def __init__(
        self,
        library: Library,
        files: OpenFiles,
        own: OwnFiles,
        extended: ExtendedAttributes,
        appearance: Appearance,
    ) -> None:
        super().__init__()
        self.is_local = False
        """No file is fetched from afar, so that nobody has to know when one is closed."""
        self._library = library
        self._files = files
        self._own = own
        self._extended = extended
        self._appearance = appearance
        self.listings = Listings()
        self.requests = RequestCounts()
        self._folders: dict[int, Listing] = {}
        self._handles = itertools.count(1)

    # -- names and attributes ------------------------------------------------------------------

    @answering
    async def lookup(
        self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext
    ) -> EntryAttributes:
        parent, text = Inode(parent_inode), _text(name)
        own = await self._own.child(parent, text)
        return self._attributes(own or await self._library.lookup(parent, text))

    @answering
    async def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        return self._attributes(await self._entry(Inode(inode)))

    @answering
    async def statfs(self, ctx: RequestContext) -> StatvfsData:
        totals = await self._library.totals()
        answer = pyfuse3.StatvfsData()
        answer.f_bsize = answer.f_frsize = _BLOCK_BYTES
        answer.f_blocks = -(-totals.size_bytes // _BLOCK_BYTES)
        answer.f_files = totals.tracks + totals.sidecars + totals.folders
        answer.f_namemax = _NAME_BYTES_MAX
        return answer

    @answering
    async def getxattr(self, inode: InodeT, name: XAttrNameT, ctx: RequestContext) -> bytes:
        return await self._extended.value(await self._entry(Inode(inode)), name)

    @answering
    async def listxattr(self, inode: InodeT, ctx: RequestContext) -> list[bytes]:
        return self._extended.names(await self._entry(Inode(inode)))

    # -- folders -------------------------------------------------------------------------------

    @answering
    async def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        handle = next(self._handles)
        self._folders[handle] = await self._listing(Inode(inode))
        return pyfuse3.FileHandleT(handle)

    @answering
    async def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        listing = self._folders[fh]
        names, attributes = listing.names, listing.attributes
        for index in range(start_id, len(names)):
            if not pyfuse3.readdir_reply(token, names[index], attributes[index], index + 1):
                break

    @answering
    async def releasedir(self, fh: FileHandleT) -> None:
        self._folders.pop(fh, None)

    # -- files ---------------------------------------------------------------------------------

    @answering
    async def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        if flags & _WRITING:
            raise ReadOnly("the mount takes no changes")
        own = Inode(inode)
        fh = self._files.open_ready(own)
        if fh is None:
            fh = await self._open(own)
        caching = self._files.caching(fh)
        return pyfuse3.FileInfo(
            fh=pyfuse3.FileHandleT(fh),
            keep_cache=caching is Caching.KEEP,
            direct_io=caching is Caching.DIRECT,
        )

    @answering
    async def read(self, fh: FileHandleT, off: int, size: int) -> Buffer:
        ready = self._files.peek(fh, off, size)
        return ready if ready is not None else await self._files.read(fh, off, size)

    @answering
    async def release(self, fh: FileHandleT) -> None:
        self._files.release(fh)

    @answering
    async def flush(self, fh: FileHandleT) -> None:
        if self.is_local:
            raise pyfuse3.FUSEError(errno.ENOSYS)  # the kernel asks no more, which spares a request
        # A file is closed; it is released only after what the kernel still reads ahead in it.
        self._files.release(fh, is_final=False)

    @answering
    async def forget(self, inode_list: object) -> None:
        """Nothing is kept for the inodes that the kernel knows."""

    # -- changes: there are none ---------------------------------------------------------------

    @answering
    async def _refuse(self, *request: object) -> object:
        raise ReadOnly("the mount takes no changes")

    setattr = mknod = mkdir = unlink = rmdir = symlink = rename = link = _refuse
    create = write = setxattr = removexattr = _refuse

    # -- helpers of the above ------------------------------------------------------------------

    async def _open(self, inode: Inode) -> int:
        if inode in self._own:
            return self._files.open_bytes(await self._own.content(inode))
        as_of = self._files.ready.changes
        node = await self._library.entry(inode)
        if node.kind == "folder":
            raise IsAFolder(f"{node.name}: it is a folder")
        return await self._files.open(node, as_of)

    async def _entry(self, inode: Inode) -> Node:
        try:
            return await self._own.entry(inode) or await self._library.entry(inode)
        except NoSuchEntry:
            # It has left the tree, but somebody who opened it may ask for its attributes.
            node = self._files.node(inode)
            if node is None:
                raise
            return node

    def _attributes(self, node: Node) -> EntryAttributes:
        attributes = self._appearance.attributes(node)
        if node.inode == ROOT:
            attributes.st_nlink += 1  # the folder of musefs' own files is not in the library
        if node.inode in self._own:
            # Made anew each time: the kernel must not remember their size.
            attributes.attr_timeout = 0
        return attributes

    async def _listing(self, inode: Inode) -> Listing:
        ready = self.listings.get(inode)
        if ready is not None:
            return ready
        as_of = self.listings.changes
        own = await self._own.children(inode)
        if inode in self._own:
            return Listing(
                tuple(os.fsencode(node.name) for node in own),
                tuple(self._attributes(node) for node in own),
            )
        rows = await self._library.listed(inode)
        listing = await listing_of(self._appearance, own, rows)
        self.listings.keep(inode, listing, as_of)
        return listing


def _text(name: bytes) -> str:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NoSuchEntry("every name in the tree is UTF-8, this one is not") from error


assert pyfuse3.ROOT_INODE == ROOT
