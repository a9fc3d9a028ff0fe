"""A local folder as an origin.

The event loop never waits for the disk: a read that the page cache can answer is done in the loop
(preadv with RWF_NOWAIT), everything else in a few threads of the origin's own. A file's version is
its size, mtime and inode, compared after each read.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import ParamSpec, TypeVar

from origins.base import FileInfo, Version
from origins.descriptors import Descriptors
from origins.errors import AccessDenied, FileChanged, FileMissing, OriginUnavailable
from origins.local_files import info_of, open_below, translated, version_of
from origins.local_walk import Pieces, Walk, unreachable
from origins.paths import checked, encoded
from origins.polling import poll
from origins.specs import LocalSpec
from origins.watching import WatchError, changes_are_told, watch_folder

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

THREADS_MAX = 8
DESCRIPTORS_MAX = 64
IDLE_S = 30.0


class LocalOrigin:
    """The files of one folder. See Origin for the methods."""

    def __init__(self, spec: LocalSpec) -> None:
        self._spec = spec
        self._root = encoded(str(spec.path))
        self._descriptors = Descriptors(DESCRIPTORS_MAX)
        self._threads = ThreadPoolExecutor(THREADS_MAX, f"origin-{spec.id}")
        self._idle_timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<LocalOrigin {self.id} at {self._spec.path}, {len(self._descriptors)} open>"

    @property
    def id(self) -> str:
        """The name that the configuration gives it."""
        return self._spec.id

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """Every file below a folder. See Origin.list."""
        pieces = Pieces(Walk(self._root, checked(below) if below else b"").files())
        while piece := await self._in_thread(pieces.take):
            for info in piece:
                yield info

    async def stat(self, path: str) -> FileInfo:
        """One file. See Origin.stat."""
        return await self._in_thread(self._stat, path)

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """Bytes of one version. See Origin.read."""
        ready = self.read_now(path, version, offset, size)
        if ready is not None:
            return bytes(ready)
        data = await self._in_thread(self._read_waiting, path, version, offset, size)
        self._close_idle_later()
        return data

    def read_now(self, path: str, version: Version, offset: int, size: int) -> memoryview | None:
        """The bytes when the file is open and the page cache has them all. See ReadsAtOnce."""
        descriptor = self._descriptors.borrow((path, version))
        if descriptor is None:
            return None
        try:
            buffer = memoryview(bytearray(size))
            count = os.preadv(descriptor.fd, [buffer], offset, os.RWF_NOWAIT)
            found = os.fstat(descriptor.fd)
        except OSError:  # BlockingIOError, or a file system without RWF_NOWAIT: a thread tells
            return None
        finally:
            self._descriptors.give_back(descriptor)
        if count < size and offset + count < found.st_size:
            return None
        self._compare(path, version, found)
        return buffer[:count]

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """Changes by inotify or by polling, as the spec says. See Origin.watch."""
        mode = self._spec.watch
        if mode == "off":
            yield frozenset()
            await asyncio.Event().wait()
        if mode == "inotify" or (
            mode == "auto" and await self._in_thread(changes_are_told, self._root)
        ):
            try:
                async with aclosing(watch_folder(self._root)) as batches:
                    async for batch in batches:
                        yield batch
            except WatchError as error:
                log.warning("%s: %s: polling every %g s instead", self.id, error, self._poll_s)
        async with aclosing(poll(self._poll_s)) as batches:
            async for batch in batches:
                yield batch

    async def check(self) -> None:
        """Return when the folder is there and can be listed. See Origin.check."""
        await self._in_thread(self._check)

    async def aclose(self) -> None:
        """Close descriptors and let the threads end, except one that hangs on a dead disk."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._descriptors.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def _poll_s(self) -> float:
        return self._spec.limits.poll_s

    async def _in_thread(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            waiting = self._threads.submit(work, *args, **kwargs)
        except RuntimeError as error:
            raise OriginUnavailable(f"{self.id}: is closed") from error
        return await asyncio.wrap_future(waiting)

    def _check(self) -> None:
        try:
            with os.scandir(self._root) as entries:
                next(entries, None)
        except PermissionError as error:
            raise AccessDenied(f"{self._what('')}: may not be read: give read access") from error
        except OSError as error:
            raise unreachable(self._root, error) from error

    def _stat(self, path: str) -> FileInfo:
        fd, found = self._open(path, os.O_PATH)
        os.close(fd)
        return info_of(checked(path), found)

    def _open(self, path: str, flags: int) -> tuple[int, os.stat_result]:
        try:
            return open_below(self._root, checked(path), flags)
        except OSError as error:
            failure = translated(error, self._what(path))
            if isinstance(failure, FileMissing):
                self._check()  # with the root gone nothing is known about the file
            raise failure from error

    def _read_waiting(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """The same, however long the disk takes."""
        key = (path, version)
        descriptor = self._descriptors.borrow(key)
        if descriptor is None:
            fd, found = self._open(path, os.O_RDONLY)
            descriptor = self._descriptors.keep(key, fd)
        try:
            data = _pread(descriptor.fd, offset, size)
            found = os.fstat(descriptor.fd)
        except OSError as error:
            self._descriptors.forget(key)
            raise translated(error, self._what(path)) from error
        finally:
            self._descriptors.give_back(descriptor)
        self._compare(path, version, found)
        return data

    def _compare(self, path: str, version: Version, found: os.stat_result) -> None:
        """Raise FileChanged unless the bytes just read are that version's."""
        if version_of(found) != version:
            self._descriptors.forget((path, version))
            raise FileChanged(f"{self._what(path)}: has changed since it was indexed: rescan")
        if not found.st_nlink:  # deleted: these bytes are right, but its space shall be freed
            self._descriptors.forget((path, version))

    def _what(self, path: str) -> str:
        return f"{self.id}: {os.path.join(str(self._spec.path), path)!r}"

    def _close_idle_later(self) -> None:
        if self._idle_timer is None or self._idle_timer.when() < asyncio.get_running_loop().time():
            self._idle_timer = asyncio.get_running_loop().call_later(IDLE_S, self._close_idle)

    def _close_idle(self) -> None:
        self._descriptors.close_idle(IDLE_S / 2)
        if len(self._descriptors):
            self._idle_timer = asyncio.get_running_loop().call_later(IDLE_S, self._close_idle)


def _pread(fd: int, offset: int, size: int) -> bytes:
    """Bytes [offset, offset + size), fewer only at the end of the file. Raises OSError."""
    parts: list[bytes] = []
    while size > 0 and (part := os.pread(fd, size, offset)):
        parts.append(part)
        offset += len(part)
        size -= len(part)
    return b"".join(parts)
