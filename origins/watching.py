"""Watching a local folder with inotify, through watchfiles.

A burst of changes becomes one batch: it is told when nothing has happened for 200 ms, at the latest
after 5 s. When the root vanishes or the watcher dies, everything may have changed: WHOLE_ORIGIN,
then the watcher is set up again until it holds. As inotify can lose events (a full queue, a folder
whose watch could not be added), WHOLE_ORIGIN is told once an hour in any case.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import threading
import time
from collections.abc import AsyncGenerator, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import watchfiles

from origins.base import WHOLE_ORIGIN
from origins.paths import decoded, encoded, lies_in

log = logging.getLogger(__name__)

QUIET_MS = 200
BATCH_MS_MAX = 5_000
LOOK_MS = 400
RETRY_S = 2.0
WHOLE_EVERY_S = 3600.0
PATHS_MAX = 10_000
"""A batch of more paths is told as WHOLE_ORIGIN."""

UNTOLD_KINDS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "virtiofs", "fuse", "fuseblk"}
)
"""File systems that other machines or processes change without inotify telling."""

_OCTAL = re.compile(rb"\\([0-7]{3})")
_EVERYTHING = frozenset({WHOLE_ORIGIN})


class WatchError(Exception):
    """inotify is not available for this folder. The text says why and what to do."""


def file_system_of(mounts: str, folder: bytes) -> str:
    """The kind of file system that a resolved folder lies on, by the longest mount point above it.

    `mounts` is the text of /proc/self/mounts, see fstab(5): blanks in names are octal escapes.
    """
    kinds = {b"": "unknown"}
    for line in filter(None, mounts.split("\n")):
        _, point, kind, *_ = line.split(" ")
        raw = _OCTAL.sub(lambda found: bytes([int(found[1], 8)]), encoded(point))
        if lies_in(raw, folder):
            kinds[raw] = kind
    return kinds[max(kinds, key=len)]


def changes_are_told(root: bytes) -> bool:
    """Whether inotify tells every change below the root; reads /proc/self/mounts."""
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        kind = file_system_of(mounts.read(), os.path.realpath(root))
    return kind not in UNTOLD_KINDS and not kind.startswith("fuse.")


async def watch_folder(
    root: bytes, whole_every_s: float = WHOLE_EVERY_S
) -> AsyncGenerator[frozenset[str], None]:
    """Batches of changed paths; the first one is empty and says that watching has begun.

    Raises WatchError when inotify's limits are reached.
    """
    stop = threading.Event()
    batches = _Watch(root, whole_every_s, stop).batches()
    thread = ThreadPoolExecutor(1, "watch")
    loop = asyncio.get_running_loop()
    try:
        while (batch := await loop.run_in_executor(thread, next, batches, None)) is not None:
            yield batch
    finally:
        stop.set()
        thread.submit(batches.close)
        thread.shutdown(wait=False)


class _Watch:
    """The watcher's life, in a thread of its own."""

    def __init__(self, root: bytes, whole_every_s: float, stop: threading.Event) -> None:
        self._root = decoded(os.path.abspath(root))
        self._whole_every_s = whole_every_s
        self._stop = stop
        self._some_denied = False

    def batches(self) -> Generator[frozenset[str], None, None]:
        """Watch again and again until stopped."""
        begun = frozenset[str]()
        while not self._stop.is_set():
            lost = False
            try:
                with closing(self._watched_once(begun)) as watched:
                    for batch in watched:
                        lost = True
                        begun = _EVERYTHING  # what happens between two watchers goes unseen
                        yield batch
            except PermissionError:
                if not self._some_denied:
                    # Watch the rest. Not from the start, for then watchfiles hides that the limit
                    # of watches is reached as well.
                    self._some_denied = True
                    continue
            except (FileNotFoundError, NotADirectoryError) as error:
                log.debug("%r cannot be watched: %s", self._root, error)
            if lost and not self._stop.is_set():
                yield _EVERYTHING
            self._stop.wait(RETRY_S)

    def _watched_once(self, begun: frozenset[str]) -> Generator[frozenset[str], None, None]:
        """Until the root is another folder or the watcher fails."""
        identity = self._identify()
        whole_at_s = time.monotonic() + self._whole_every_s
        with closing(self._changes()) as changes:
            first = True
            for change in changes:
                if first:
                    yield begun
                    first = False
                paths = self._told(path for _, path in change)
                if time.monotonic() >= whole_at_s:
                    whole_at_s = time.monotonic() + self._whole_every_s
                    paths = _EVERYTHING
                if self._identify() != identity:
                    return
                if paths:
                    yield paths

    def _changes(self) -> Generator[set[tuple[watchfiles.Change, str]], None, None]:
        begun = False
        try:
            for change in watchfiles.watch(
                self._root,
                watch_filter=None,
                step=QUIET_MS,
                debounce=BATCH_MS_MAX,
                rust_timeout=LOOK_MS,
                yield_on_timeout=True,
                stop_event=self._stop,
                raise_interrupt=False,
                force_polling=False,
                ignore_permission_denied=self._some_denied,
            ):
                begun = True
                yield change
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            raise
        except (OSError, UnicodeEncodeError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            if begun:
                log.warning("the watcher of %r died (%s): it is set up again", self._root, reason)
                return
            raise WatchError(
                f"{self._root!r} cannot be watched ({reason}): "
                "raise fs.inotify.max_user_watches and max_user_instances, or set watch: poll"
            ) from error

    def _identify(self) -> tuple[int, int] | None:
        try:
            found = os.stat(encoded(self._root))
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _told(self, changed: Iterable[str]) -> frozenset[str]:
        paths = frozenset(relative(self._root, path) for path in changed)
        return _EVERYTHING if len(paths) > PATHS_MAX else paths


def relative(root: str, path: str) -> str:
    """A changed path below the root, "" for the root itself.

    watchfiles replaces what is not UTF-8 by U+FFFD: then it is the folder above that is told.
    """
    kept = path.split("\ufffd", 1)[0].rpartition("/")[0] if "\ufffd" in path else path
    return kept.removeprefix(root.rstrip("/")).strip("/")
