"""Listing a local folder, blocking, one file after another; runs in a thread.

Symbolic links are followed only where they stay inside the root, and not into a folder that they
are in. A folder that cannot be read is left out and named at the end. If the root is another folder
at the end than at the start (a disk was unmounted meanwhile), the listing fails: what it left out
is not deleted.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from origins.base import FileInfo
from origins.errors import FileMissing, OriginError, OriginUnavailable
from origins.local_files import info_of, translated
from origins.paths import DEPTH_MAX, Ancestry, decoded, join, left_out, lies_in

log = logging.getLogger(__name__)

_VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


@dataclass(frozen=True, slots=True)
class _Folder:
    path: bytes
    ancestry: Ancestry


class Walk:
    """The files below a folder of the root. Iterate `files` once."""

    def __init__(self, root: bytes, below: bytes) -> None:
        self._root = root
        self._real_root = b""
        self._below = below
        self._pending: list[_Folder] = []
        self._omitted: list[str] = []

    def files(self) -> Iterator[FileInfo]:
        """Raises OriginUnavailable, FileMissing, AccessDenied, and ListingIncomplete at the end."""
        root_at_start = self._identify_root()
        self._real_root = os.path.realpath(self._root)
        self._pending.append(_Folder(self._below, Ancestry(self._identify_start())))
        while self._pending:
            yield from self._files_of(self._pending.pop())
        if self._identify_root() != root_at_start:
            raise OriginUnavailable(
                f"{decoded(self._root)!r} was replaced while it was listed: list it again"
            )
        if self._omitted:
            raise left_out(self._omitted)

    def _identify_root(self) -> tuple[int, int]:
        try:
            found = os.stat(self._root)
        except OSError as error:
            raise unreachable(self._root, error) from error
        return found.st_dev, found.st_ino

    def _identify_start(self) -> tuple[int, int]:
        start = os.path.join(self._root, self._below)
        try:
            found = os.stat(start)
            with os.scandir(start):
                pass
        except PermissionError as error:
            raise translated(error, repr(decoded(start))) from error
        except OSError as error:
            if not self._below:
                raise unreachable(self._root, error) from error
            raise translated(error, repr(decoded(start))) from error
        if not lies_in(self._real_root, os.path.realpath(start)):
            raise FileMissing(f"{decoded(self._below)!r} leads out of the origin's root")
        return found.st_dev, found.st_ino

    def _files_of(self, folder: _Folder) -> Iterator[FileInfo]:
        try:
            with os.scandir(os.path.join(self._root, folder.path)) as entries:
                for entry in entries:
                    if (info := self._entered(folder, entry)) is not None:
                        yield info
        except OSError as error:
            self._note(folder.path, error)

    def _entered(self, folder: _Folder, entry: os.DirEntry[bytes]) -> FileInfo | None:
        path = join(folder.path, entry.name)
        try:
            if entry.is_symlink() and not lies_in(self._real_root, os.path.realpath(entry.path)):
                return None
            found = entry.stat()
        except OSError as error:
            self._note(path, error)
            return None
        if stat.S_ISREG(found.st_mode):
            return info_of(path, found)
        if stat.S_ISDIR(found.st_mode):
            self._enter_later(path, folder.ancestry, (found.st_dev, found.st_ino))
        return None

    def _enter_later(self, path: bytes, above: Ancestry, identity: tuple[int, int]) -> None:
        if above.holds(identity):
            return
        if above.depth >= DEPTH_MAX:
            log.warning("%r is left out: deeper than %d folders", decoded(path), DEPTH_MAX)
            return
        self._pending.append(_Folder(path, above.child(identity)))

    def _note(self, path: bytes, error: OSError) -> None:
        """What has gone since it was seen is not an omission, everything else is."""
        if error.errno not in _VANISHED:
            self._omitted.append(decoded(path))


class Pieces:
    """An iterator of files taken piece by piece, each in whatever thread is free."""

    PIECE_MAX = 256
    PIECE_S = 0.2

    def __init__(self, files: Iterator[FileInfo]) -> None:
        self._files = files
        self._failure: OriginError | None = None
        self._lock = threading.Lock()

    def take(self) -> list[FileInfo]:
        """The next files, at least one; none at the end. Raises what the iterator raises."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            piece: list[FileInfo] = []
            try:
                self._fill(piece)
            except OriginError as error:
                if not piece:
                    raise
                self._failure = error  # told after the files that came before it
            return piece

    def _fill(self, piece: list[FileInfo]) -> None:
        until_s = time.monotonic() + self.PIECE_S
        for info in self._files:
            piece.append(info)
            if len(piece) >= self.PIECE_MAX or time.monotonic() > until_s:
                return


def unreachable(root: bytes, error: OSError) -> OriginUnavailable:
    """The root itself does not answer: perhaps a disk that is not mounted."""
    return OriginUnavailable(
        f"the folder {decoded(root)!r} cannot be reached ({error.strerror}): "
        "mount its disk or correct the path"
    )
