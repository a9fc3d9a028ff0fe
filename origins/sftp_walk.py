"""Listing a folder on an SFTP server, several subfolders at once.

Each round asks for one piece of every open folder, so that the round trips overlap and nothing runs
between two rounds. A server is not trusted: impossible names are dropped, symbolic links are
followed only inside the root and not into a folder they are in, and the depth is bounded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
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
PIECE_MAX = 256


@dataclass(frozen=True, slots=True)
class _Folder:
    path: bytes
    real: bytes
    ancestry: Ancestry


@dataclass(frozen=True, slots=True)
class _Reading:
    folder: _Folder
    names: AsyncGenerator[asyncssh.SFTPName, None]


@dataclass(slots=True)
class _Piece:
    files: list[FileInfo] = field(default_factory=list)
    folders: list[_Folder] = field(default_factory=list)
    failed: list[tuple[bytes, OriginError]] = field(default_factory=list)
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
        self._reading: list[_Reading] = []
        self._omitted: list[str] = []
        self._dropped = 0

    async def files(self) -> AsyncGenerator[FileInfo, None]:
        """Raises FileMissing, AccessDenied, OriginUnavailable; ListingIncomplete at the end."""
        self._pending.append(await self._start())
        try:
            while self._pending or self._reading:
                while self._pending and len(self._reading) < FOLDERS_MAX:
                    self._reading.append(self._open(self._pending.pop()))
                for info in await self._round():
                    yield info
        finally:
            for reading in self._reading:
                await reading.names.aclose()
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

    def _open(self, folder: _Folder) -> _Reading:
        names = self._connection.sftp.scandir(self._absolute(folder.path))
        assert isinstance(names, AsyncGenerator)
        return _Reading(folder, names)

    async def _round(self) -> list[FileInfo]:
        """One piece of each open folder; what has been read to its end is left."""
        outcomes = await asyncio.gather(
            *(self._piece(reading) for reading in self._reading), return_exceptions=True
        )
        files: list[FileInfo] = []
        going_on: list[_Reading] = []
        for reading, outcome in zip(self._reading, outcomes, strict=True):
            piece = result(outcome)
            files += piece.files
            self._pending += piece.folders
            for path, error in piece.failed:
                self._note(path, error)
            if piece.more:
                going_on.append(reading)
        self._reading = going_on
        return files

    async def _piece(self, reading: _Reading) -> _Piece:
        piece = _Piece()
        try:
            for _ in range(PIECE_MAX):
                name = await anext(reading.names, None)
                if name is None:
                    piece.more = False
                    break
                await self._sort(piece, reading.folder, name)
        except (asyncssh.Error, OSError) as error:
            piece.more = False
            piece.failed.append((reading.folder.path, translated(error, self._what)))
        return piece

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
