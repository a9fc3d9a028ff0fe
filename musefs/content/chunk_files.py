"""Chunks on the disk: one file each, named by the BLAKE3 digest of its bytes.

A file is written under a unique name in `incoming` and renamed into one of 256 folders, so a chunk
is there whole or not at all; nothing is synced, because it can be fetched again. Reading tries the
page cache in the loop (preadv with RWF_NOWAIT, Linux preadv2(2)) and goes to a thread only when
that refuses. Whatever the disk does wrong comes out as DiskRefused.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from blake3 import blake3

from musefs.content.chunk_names import listed, name_of
from musefs.content.chunk_pages import ChunkPages
from musefs.errors import MusefsError
from musefs.model import Buffer

log = logging.getLogger(__name__)

T = TypeVar("T")

THREADS_MAX = 4
SHARDS_AT_ONCE = 16
INCOMING = "incoming"


class DiskRefused(MusefsError):
    """The disk is full, read-only or broken: go on without it."""


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """Of the file system that holds the chunks, in bytes; `free` is what we may still use."""

    total_bytes: int
    free_bytes: int

    @property
    def used_share(self) -> float:
        """0 to 1."""
        return 1 - self.free_bytes / self.total_bytes if self.total_bytes else 1.0


def digest_of(data: Buffer) -> bytes:
    """The name of a chunk: BLAKE3, 32 bytes."""
    return blake3(data).digest()


class ChunkFiles:
    """The files below one folder, with a few threads of their own for slow disks."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="chunks")
        self.pages = ChunkPages(root, self._threads)
        """What the page cache has of them."""
        self._without_waiting = True
        self.readers_waiting = 0
        """Reads that wait for the disk now."""

    def __repr__(self) -> str:
        return f"<ChunkFiles {self._root}>"

    async def read(self, digest: bytes, size: int) -> Buffer | None:
        """The first `size` bytes of a chunk, fewer when its file is too short; None: not there.

        Raises DiskRefused.
        """
        try:
            descriptor = os.open(self._path(digest), os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._refused("read", error) from error
        try:
            data = self._read_at_once(descriptor, size) if self._without_waiting else None
        finally:
            os.close(descriptor)
        if data is not None:
            return data
        self.readers_waiting += 1
        try:
            return await self._in_thread("read", partial(_read_file, self._path(digest), size))
        finally:
            self.readers_waiting -= 1

    async def is_right(self, digest: bytes, size: int) -> bool:
        """Whether the disk has a chunk's bytes, all of them and no others. Raises DiskRefused."""
        return await self._in_thread("read", partial(_is_right, self._path(digest), digest, size))

    async def write(
        self, data: Buffer, is_there: Callable[[bytes], bool] = lambda _: False
    ) -> bytes:
        """Store a chunk and return its digest. Raises DiskRefused.

        `is_there` is asked in a thread; a digest for which it says yes is not written again.
        """

        def store() -> bytes:
            digest = digest_of(data)
            if not is_there(digest):
                self._store(digest, data)
            return digest

        digest = await self._in_thread("write", store)
        self.pages.drop(digest)
        return digest

    async def delete(self, digests: Collection[bytes]) -> None:
        """Remove chunks; those that are not there are nothing. Raises DiskRefused."""
        paths = [self._path(digest) for digest in digests]
        for digest in digests:
            self.pages.drop(digest)

        def remove() -> None:
            for path in paths:
                path.unlink(missing_ok=True)

        await self._in_thread("delete", remove)

    async def listing(self) -> AsyncIterator[tuple[bytes, int]]:
        """Digest and size of every chunk there is. Raises DiskRefused."""
        for first in range(0, 256, SHARDS_AT_ONCE):
            shards = range(first, first + SHARDS_AT_ONCE)
            for entry in await self._in_thread("list", partial(self._list, shards)):
                yield entry

    async def sweep(self, *, remove: bool = True) -> int:
        """How many half-written files lie about, removing them. Raises DiskRefused.

        Nobody may be writing into the folder.
        """

        def strays() -> int:
            folder = self._root / INCOMING
            paths = list(folder.iterdir()) if folder.is_dir() else []
            for path in paths if remove else ():
                path.unlink(missing_ok=True)
            return len(paths)

        return await self._in_thread("sweep", strays)

    async def space(self) -> DiskSpace:
        """Room on the disk. Raises DiskRefused."""

        def ask() -> DiskSpace:
            self._root.mkdir(parents=True, exist_ok=True)
            answer = os.statvfs(self._root)
            # as df counts: blocks kept for root are neither used nor free
            total = answer.f_blocks - answer.f_bfree + answer.f_bavail
            return DiskSpace(total * answer.f_frsize, answer.f_bavail * answer.f_frsize)

        return await self._in_thread("measure", ask)

    def close(self) -> None:
        """Give the threads back without waiting for a disk that hangs."""
        self.pages.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _path(self, digest: bytes) -> Path:
        return self._root / name_of(digest)

    def _refused(self, what: str, error: OSError) -> DiskRefused:
        return DiskRefused(
            f"cannot {what} chunks in {self._root}: {error.strerror}; check the disk"
        )

    async def _in_thread(self, what: str, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            raise self._refused(what, error) from error
        except RuntimeError as error:  # no new work after close()
            raise DiskRefused(f"the chunks in {self._root} are closed; start again") from error

    def _read_at_once(self, descriptor: int, size: int) -> memoryview | None:
        """What the page cache holds; None when the disk would have to be waited for."""
        data = bytearray(size)
        try:
            count = os.preadv(descriptor, [data], 0, os.RWF_NOWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            # an error of the disk shows again in the thread; EOPNOTSUPP stays so for ever
            self._without_waiting = error.errno != errno.EOPNOTSUPP
            return None
        return memoryview(data).toreadonly() if count == size else None

    def _store(self, digest: bytes, data: Buffer) -> None:
        path = self._path(digest)
        temporary = self._root / INCOMING / uuid.uuid4().hex
        try:
            _write_whole(temporary, data)
            _rename(temporary, path)
        except OSError:
            _discard(temporary)
            raise

    def _list(self, shards: range) -> list[tuple[bytes, int]]:
        found: list[tuple[bytes, int]] = []
        for shard in shards:
            found += listed(self._root / f"{shard:02x}")
        return found


def _read_file(path: Path, size: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        return None


def _is_right(path: Path, digest: bytes, size: int) -> bool:
    try:
        with path.open("rb", buffering=0) as file:
            # What the kernel has in memory may still be right when the disk is not.
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            data = file.read(size + 1)
    except FileNotFoundError:
        return False
    return len(data) == size and digest_of(data) == digest


def _write_whole(path: Path, data: Buffer) -> None:
    try:
        file = path.open("xb", buffering=0)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("xb", buffering=0)
    with file:
        rest = memoryview(data)
        while rest:
            rest = rest[file.write(rest) :]


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.rename(path)
    except FileNotFoundError:
        path.parent.mkdir(exist_ok=True)
        temporary.rename(path)


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.debug("cannot remove %s: %s", path, error.strerror)
