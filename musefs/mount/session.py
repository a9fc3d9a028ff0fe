"""The connection to the kernel: from the mount to a clean unmount within a bound.

pyfuse3 serves one mount per process. Its workers wait inside our handlers; those that still wait
when the mount ends are cancelled, which answers their callers with EIO.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyfuse3
import pyfuse3.asyncio

from musefs.errors import MountFailed
from musefs.library.tree_change import TreeChange
from musefs.model import Inode
from musefs.mount import mountpoint as mountpoints
from musefs.mount.device_polling import poll_first
from musefs.mount.operations import Operations

log = logging.getLogger(__name__)

WAITING_REQUESTS_MAX = 1_200
DRAIN_S = 1.0
READAHEAD_KIB = 64
"""As much as is kept near of a remote file's beginning: its first read goes no farther.

More makes the kernel reach beyond what a reader of tags wants. Remote files have a read-ahead of
their own. Without root it stays at the kernel's 128.
"""
LOCAL_READAHEAD_KIB = 1024
"""Where every file is read straight through: nothing is fetched in vain, and it is faster."""


@dataclass(frozen=True, slots=True)
class MountOptions:
    """Where and how to mount. `state` is shown as part of the source's name.

    `is_local`: no file is fetched from afar.
    """

    mountpoint: Path
    state: Path
    allow_other: bool = False
    is_local: bool = False


class Session:
    """One mount: `prepare`, `start`, `serve` until it is unmounted or `stop` is called, `close`."""

    def __init__(self, operations: Operations, options: MountOptions) -> None:
        self._operations = operations
        self._options = options
        self.mountpoint = options.mountpoint
        self._device: int | None = None
        # Invalidations may block on the kernel's locks: never in the loop, and one at a time.
        self._telling = ThreadPoolExecutor(1, thread_name_prefix="invalidate")

    async def prepare(self) -> None:
        """See that it can be mounted, and clear what a crash left. Raises MountFailed."""
        await asyncio.to_thread(mountpoints.prepare, self.mountpoint, self._options.state)

    async def start(self) -> None:
        """Mount. Raises MountFailed."""
        path = self._options.mountpoint
        options = {
            f"fsname={mountpoints.source_name(self._options.state)}".replace(",", "\\,"),
            "subtype=musefs",
            "default_permissions",
            "ro",
        }
        if self._options.allow_other:
            options.add("allow_other")
        pyfuse3.asyncio.enable()
        poll_first()
        try:
            pyfuse3.init(self._operations, os.fspath(path), options)
        except RuntimeError as error:
            raise MountFailed(
                f"{path}: the kernel refused the mount ({error}): root or fusermount3 is needed, "
                "and for allow_other without root the line user_allow_other in /etc/fuse.conf"
            ) from error

    async def serve(self) -> None:
        """Answer the kernel until the mount has ended."""
        await pyfuse3.main(max_tasks=WAITING_REQUESTS_MAX)

    async def prepare_reading(self) -> None:
        """Once served: set how far the kernel reads ahead, where that is allowed."""

        kib = LOCAL_READAHEAD_KIB if self._options.is_local else READAHEAD_KIB

        def widen() -> None:
            self._device = os.stat(self._options.mountpoint).st_dev
            number = f"{os.major(self._device)}:{os.minor(self._device)}"
            with contextlib.suppress(OSError):
                Path(f"/sys/class/bdi/{number}/read_ahead_kb").write_text(str(kib))

        with contextlib.suppress(OSError):
            await asyncio.to_thread(widen)

    async def tell(self, change: TreeChange) -> None:
        """Have the kernel forget what is no longer so."""
        self._operations.listings.drop(change.folders)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._telling, _invalidate, change)

    async def stop(self) -> None:
        """End `serve`: answer what can be answered within a bound, and refuse the rest."""
        pyfuse3.terminate()
        waiting = _workers()
        if waiting:
            await asyncio.wait(waiting, timeout=DRAIN_S)
        for worker in _workers():
            worker.cancel()

    async def close(self) -> None:
        """Unmount. Returns within seconds even when the kernel does not cooperate."""
        try:
            # pyfuse3 must not be told anything any more once its session is gone.
            async with asyncio.timeout(DRAIN_S):
                await asyncio.to_thread(self._telling.shutdown)
            async with asyncio.timeout(DRAIN_S):
                await asyncio.to_thread(pyfuse3.close)
        except TimeoutError:
            log.warning("%s: the unmount hangs, the connection is cut off", self.mountpoint)
            if self._device is not None:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(mountpoints.abort_connection, self._device)
        if await asyncio.to_thread(mountpoints.mounted_at, self.mountpoint) is not None:
            with contextlib.suppress(MountFailed):
                await asyncio.to_thread(mountpoints.detach, self.mountpoint)


def _workers() -> list[asyncio.Task[object]]:
    """pyfuse3's tasks: its asyncio nursery marks each with a `name` attribute."""
    return [
        task
        for task in asyncio.all_tasks()
        if str(getattr(task, "name", "")).startswith("pyfuse-") and not task.done()
    ]


def _invalidate(change: TreeChange) -> None:
    for parent, name, inode in change.gone:
        with contextlib.suppress(OSError):
            pyfuse3.invalidate_entry(pyfuse3.InodeT(parent), name.encode(), pyfuse3.InodeT(inode))
    _invalidate_inodes(change.rewritten, attr_only=False)
    _invalidate_inodes(change.folders, attr_only=True)


def _invalidate_inodes(inodes: Iterable[Inode], attr_only: bool) -> None:
    for inode in inodes:
        # The kernel answers ENOENT for what it does not know: there is nothing to forget.
        with contextlib.suppress(OSError):
            pyfuse3.invalidate_inode(pyfuse3.InodeT(inode), attr_only)
