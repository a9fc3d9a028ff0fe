"""Listing a folder on an SFTP server, several subfolders at once.

Each folder takes some four round trips, so many are read side by side, and a subfolder is entered
before the one it is in has been read to its end. A server is not trusted: impossible names are
dropped, symbolic links are followed only inside the root and not into a folder they are in, and the
depth is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

import asyncssh

from origins.base import FileInfo
from origins.errors import FileMissing, OriginError, OriginUnavailable
from origins.paths import DEPTH_MAX, Ancestry, acceptable, decoded, join, left_out, lies_in
from origins.sftp_files import both, info_of, is_file, is_folder, is_link, result
from origins.sftp_pool import Connection
from origins.ssh import translated, translating

log = logging.getLogger(__name__)

FOLDERS_MAX = 32
FILES_PER_PIECE = 256
PIECES_MAX = 64
CLOSE_S = 2.0


@dataclass(frozen=True, slots=True)
class _Folder:
    path: bytes
    real: bytes
    ancestry: Ancestry


@dataclass(slots=True)
class _Piece:
    """What was found in a part of a folder; the last one has no more after it."""

    files: list[FileInfo] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)
    failed: list[tuple[bytes, OriginError]] = field(default_factory=list)
    broken: Exception | None = None
    more: bool = True


def _below(real: bytes, name: bytes) -> bytes:
    return real.rstrip(b"/") + b"/" + name


class Walk:
    """The files below a folder of the root. Iterate `files` once."""

    def __init__(self, connection: Connection, below: bytes, what: str) -> None:
        self._connection = connection
        self._below = below
        self._what = what
        self._pending: list[_Folder] = []
        self._pieces: asyncio.Queue[_Piece] = asyncio.Queue(PIECES_MAX)
        self._reading: set[asyncio.Task[None]] = set()
        self._omitted: list[str] = []
        self._dropped = 0

    async def files(self) -> AsyncGenerator[FileInfo, None]:
        """Raises FileMissing, AccessDenied, OriginUnavailable; ListingIncomplete at the end."""
        self._pending.append(await self._start())
        unfinished = 0
        try:
            while self._pending or unfinished:
                while self._pending and unfinished < FOLDERS_MAX:
                    self._begin(self._pending.pop())
                    unfinished += 1
                piece = await self._pieces.get()
                unfinished -= not piece.more
                self._take(piece)
                for info in piece.files:
                    yield info
        finally:
            await self._stop()
        if self._omitted:
            raise left_out(self._omitted)

    async def _start(self) -> _Folder:
        path = self._absolute(self._below)
        sftp = self._connection.sftp
        with translating(self._what):
            found, resolved = await both(sftp.stat(path), sftp.realpath(path))
            attrs, real = result(found), result(resolved)
        if not is_folder(attrs):
            raise FileMissing(f"{self._what}: is not a folder")
        if not lies_in(self._connection.root, real):
            raise FileMissing(f"{self._what}: leads out of the origin's root")
        return _Folder(self._below, real, Ancestry(real))

    def _absolute(self, path: bytes) -> bytes:
        root = self._connection.root
        return _below(root, path) if path else root

    def _begin(self, folder: _Folder) -> None:
        task = asyncio.get_running_loop().create_task(self._read(folder))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _stop(self) -> None:
        """End what still reads; a server that does not answer is not waited for."""
        for task in self._reading:
            task.cancel()
        if self._reading:
            await asyncio.wait(self._reading, timeout=CLOSE_S)

    def _take(self, piece: _Piece) -> None:
        if piece.broken is not None:
            raise piece.broken
        self._pending += piece.folders
        for path, error in piece.failed:
            self._note(path, error)

    async def _read(self, folder: _Folder) -> None:
        """Hand over a folder in pieces: subfolders at once, as they take round trips too."""
        piece = _Piece()
        try:
            names = self._connection.sftp.scandir(self._absolute(folder.path))
            assert isinstance(names, AsyncGenerator)
            async with aclosing(names):
                async for name in names:
                    await self._sort(piece, folder, name)
                    if piece.folders or len(piece.files) >= FILES_PER_PIECE:
                        await self._pieces.put(piece)
                        piece = _Piece()
        except (asyncssh.Error, OSError) as error:
            piece.failed.append((folder.path, translated(error, self._what)))
        except Exception as error:  # noqa: BLE001 - whoever iterates is told
            piece.broken = error
        piece.more = False
        await self._pieces.put(piece)

    async def _sort(self, piece: _Piece, folder: _Folder, name: asyncssh.SFTPName) -> None:
        raw = name.filename
        if raw in (b".", b".."):
            return
        if not isinstance(raw, bytes) or not acceptable(raw):
            self._drop(folder, raw)
            return
        path, real, attrs = join(folder.path, raw), _below(folder.real, raw), name.attrs
        if is_link(attrs):
            try:
                real, attrs = await self._resolve(path)
            except asyncssh.SFTPError as error:
                piece.failed.append((path, translated(error, self._what)))
                return
        if not lies_in(self._connection.root, real):
            return
        if is_file(attrs):
            piece.files.append(info_of(path, attrs))
        elif is_folder(attrs):
            self._enter_later(piece, folder.ancestry, path, real)

    async def _resolve(self, path: bytes) -> tuple[bytes, asyncssh.SFTPAttrs]:
        sftp, absolute = self._connection.sftp, self._absolute(path)
        real, attrs = await both(sftp.realpath(absolute), sftp.stat(absolute))
        return result(real), result(attrs)

    def _enter_later(self, piece: _Piece, above: Ancestry, path: bytes, real: bytes) -> None:
        if above.holds(real):
            return
        if above.depth >= DEPTH_MAX:
            log.warning("%r is left out: deeper than %d folders", decoded(path), DEPTH_MAX)
            return
        piece.folders.append(_Folder(path, real, above.child(real)))

    def _drop(self, folder: _Folder, name: object) -> None:
        self._dropped += 1
        if self._dropped == 1:
            log.warning(
                "%s: the server sent an impossible name %r in %r: it and others like it are "
                "left out",
                self._what,
                name,
                decoded(folder.path),
            )

    def _note(self, path: bytes, error: OriginError) -> None:
        """Note an omission, which what has just gone is not. A lost connection ends the listing."""
        if isinstance(error, OriginUnavailable) and not self._connection.usable:
            raise error
        if not isinstance(error, FileMissing):
            self._omitted.append(decoded(path))
