"""A file system that does nothing: what any answer through this loop and these settings costs.

Run as `python -m benchmarks.null_mount MANIFEST MOUNTPOINT`, as root. Its tree is given by the
manifest, every attribute is made before it mounts, and what it reads out is a slice of one buffer
in memory. Event loop, device polling, mount options and timeouts are those of musefs, because they
are its code. How far the kernel reads ahead is left to the one who measures.
"""

from __future__ import annotations

import asyncio
import errno
import json
import mmap
import os
import signal
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pyfuse3

from musefs.cli.running import run
from musefs.mount.attributes import KERNEL_TIMEOUT_S
from musefs.mount.operations import Operations
from musefs.mount.session import MountOptions, Session

FILL_BYTES = 1 << 20


def write_manifest(path: Path, files: Iterable[tuple[str, int]]) -> Path:
    """What the tree is made of: paths and sizes of its files."""
    path.write_text(json.dumps(list(files)))
    return path


class Tree:
    """Inodes, names and ready attributes."""

    def __init__(self, files: Iterable[tuple[str, int]]) -> None:
        self.attributes: dict[int, Any] = {}
        self.children: dict[int, list[tuple[bytes, Any]]] = {}
        self.inodes: dict[tuple[int, bytes], int] = {}
        self.sizes: dict[int, int] = {}
        self._add(None, b"", None)
        for path, size in files:
            *folders, name = os.fsencode(path).split(b"/")
            parent = int(pyfuse3.ROOT_INODE)
            for folder in folders:
                parent = self.inodes.get((parent, folder)) or self._add(parent, folder, None)
            self._add(parent, name, size)

    def _add(self, parent: int | None, name: bytes, size: int | None) -> int:
        inode = len(self.attributes) + int(pyfuse3.ROOT_INODE)
        entry = pyfuse3.EntryAttributes()
        entry.st_ino = inode
        entry.entry_timeout = entry.attr_timeout = KERNEL_TIMEOUT_S
        entry.st_uid, entry.st_gid, entry.st_nlink = os.getuid(), os.getgid(), 1
        entry.st_mode = stat.S_IFDIR | 0o555 if size is None else stat.S_IFREG | 0o444
        entry.st_size = size or 0
        entry.st_blksize = 4096
        self.attributes[inode] = entry
        if size is None:
            self.children[inode] = []
        else:
            self.sizes[inode] = size
        if parent is not None:
            self.inodes[parent, name] = inode
            self.children[parent].append((name, entry))
        return inode


class NullOperations(pyfuse3.Operations):  # type: ignore[misc]  # pyfuse3 has no types that hold
    """Answers from dictionaries and one buffer; a handle is the inode."""

    supports_dot_lookup = Operations.supports_dot_lookup
    enable_writeback_cache = Operations.enable_writeback_cache
    enable_acl = Operations.enable_acl

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree
        self._buffer = memoryview(_filled(max(tree.sizes.values(), default=0)))

    async def lookup(self, parent_inode: int, name: bytes, ctx: object) -> object:
        """An entry by its name."""
        inode = self._tree.inodes.get((parent_inode, name))
        if inode is None:
            raise pyfuse3.FUSEError(errno.ENOENT)
        return self._tree.attributes[inode]

    async def getattr(self, inode: int, ctx: object) -> object:
        """An entry by its inode."""
        return self._tree.attributes[inode]

    async def opendir(self, inode: int, ctx: object) -> int:
        """A folder."""
        return inode

    async def readdir(self, fh: int, start_id: int, token: Any) -> None:
        """Its entries, with their attributes."""
        children = self._tree.children[fh]
        for index in range(start_id, len(children)):
            name, attributes = children[index]
            if not pyfuse3.readdir_reply(token, name, attributes, index + 1):
                break

    async def releasedir(self, fh: int) -> None:
        """Nothing is held."""

    async def open(self, inode: int, flags: int, ctx: object) -> object:
        """A file."""
        return pyfuse3.FileInfo(fh=inode, keep_cache=True)

    async def read(self, fh: int, off: int, size: int) -> memoryview:
        """A slice of the buffer."""
        return self._buffer[off : min(off + size, self._tree.sizes[fh])]

    async def release(self, fh: int) -> None:
        """Nothing is held."""

    async def flush(self, fh: int) -> None:
        """The kernel asks once and then no more."""
        raise pyfuse3.FUSEError(errno.ENOSYS)

    async def forget(self, inode_list: object) -> None:
        """Nothing is held."""


def _filled(size: int) -> mmap.mmap:
    """Memory that is really there: pages nobody has written would all be one page of zeros."""
    buffer = mmap.mmap(-1, max(size, 1))
    piece = b"\x55" * FILL_BYTES
    while (left := size - buffer.tell()) > 0:
        buffer.write(piece[:left])
    return buffer


async def serve(operations: NullOperations, mountpoint: Path) -> None:
    """Mount, and answer until the mount or the process is ended."""
    session = Session(cast(Operations, operations), MountOptions(mountpoint, mountpoint.parent))
    await session.prepare()
    await session.start()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(session.serve())
            serving.add_done_callback(lambda _: ended.set())
            await ended.wait()
            await session.stop()
    finally:
        await session.close()


def main() -> None:
    """Mount what the manifest says."""
    manifest, mountpoint = map(Path, sys.argv[1:3])
    run(serve(NullOperations(Tree(json.loads(manifest.read_bytes()))), mountpoint))


if __name__ == "__main__":
    main()
