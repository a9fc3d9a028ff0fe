"""A folder on an SSH server as an origin, over SFTP.

A read of a file that is not open costs two round trips: open and realpath together, then the blocks
with an fstat behind them. The server answers in order, so the fstat proves that the blocks are of
the version that was asked for. Blocks are as large as the server takes, and in flight together.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from typing import cast

import asyncssh

from origins.base import FileInfo, Version
from origins.errors import FileChanged, FileMissing, OriginError, OriginUnavailable
from origins.paths import checked, decoded, encoded, lies_in
from origins.polling import poll
from origins.sftp_files import both, info_of, is_file, is_folder, result, size_in, version_of
from origins.sftp_pool import SILENT_S, Connection, Handle, Pool
from origins.sftp_walk import Walk
from origins.specs import SftpSpec
from origins.ssh import log_in, translating, where

BLOCKS_MAX = 32
"""Requests that one read has in flight."""


class SftpOrigin:
    """The files below a folder of an SFTP server. See Origin for the methods."""

    def __init__(self, spec: SftpSpec) -> None:
        self._spec = spec
        # Shorter than the deadline that gives a request up.
        silent_s = min(SILENT_S, 0.8 * spec.limits.timeout_s)
        self._pool = Pool(self._connect, spec.limits.connections_max, silent_s)

    def __repr__(self) -> str:
        return f"<SftpOrigin {self.id} at {where(self._spec)}{self._spec.path}, {self._pool!r}>"

    @property
    def id(self) -> str:
        """The name that the configuration gives it."""
        return self._spec.id

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """Every file below a folder. See Origin.list."""
        raw = checked(below) if below else b""
        async with self._asking(below), self._pool.lend() as connection:
            walk = Walk(connection, raw, self._what(below))
            async with aclosing(walk.files()) as files:
                async for info in files:
                    yield info

    async def stat(self, path: str) -> FileInfo:
        """One file. See Origin.stat."""
        raw = checked(path)
        async with self._asking(path), self._pool.lend() as connection:
            absolute = posixpath.join(connection.root, raw)
            sftp = connection.sftp
            found, resolved = await both(sftp.stat(absolute), sftp.realpath(absolute))
            attrs, real = result(found), result(resolved)
            if not is_file(attrs) or not lies_in(connection.root, real):
                raise FileMissing(f"{self._what(path)}: is not a regular file in the root")
            return info_of(raw, attrs)

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """Bytes of one version. See Origin.read."""
        raw = checked(path)
        size_whole = size_in(version)
        if size_whole is not None:
            size = min(size, size_whole - offset)
        if size <= 0:
            return b""
        key = (path, version)
        async with self._asking(path), self._pool.lend(key) as connection:
            opening = connection.handle(key, lambda: self._open(connection, raw))
            async with opening as handle:
                reading = _Reading(connection, handle, offset, size)
                data, attrs = await reading.run()
                if version_of(attrs) != version:
                    stale = connection.forget(key)
                    if stale is not None:
                        await stale.close()
                    raise FileChanged(
                        f"{self._what(path)}: has changed since it was indexed: rescan"
                    )
        if len(data) < size:
            raise OriginUnavailable(f"{self._what(path)}: the server sent too little: try again")
        return data

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """Polling: SFTP does not tell changes. See Origin.watch."""
        async with aclosing(poll(self._spec.limits.poll_s)) as batches:
            async for batch in batches:
                yield batch

    async def check(self) -> None:
        """Return when a connection can be had and the root is there. See Origin.check."""
        what = self._what("")
        async with self._pool.lend() as connection:
            try:
                with translating(what):
                    attrs = await connection.sftp.stat(connection.root)
            except FileMissing as error:
                raise self._no_root() from error
            if not is_folder(attrs):
                raise self._no_root()

    async def aclose(self) -> None:
        """Close all connections. See Origin.aclose."""
        await self._pool.aclose()

    async def _connect(self) -> Connection:
        ssh = await log_in(self._spec)
        try:
            with translating(where(self._spec)):
                sftp = await ssh.start_sftp_client(path_encoding=None)
                in_home = self._spec.path.removeprefix("~").lstrip("/") or "."
                from_home = self._spec.path.startswith("~")
                root = await sftp.realpath(encoded(in_home if from_home else self._spec.path))
        except FileMissing as error:
            ssh.abort()
            raise self._no_root() from error
        except BaseException:
            ssh.abort()
            raise
        return Connection(ssh, sftp, root)

    @asynccontextmanager
    async def _asking(self, path: str) -> AsyncIterator[None]:
        """Translate errors; when a file is missing, make sure that the root is there."""
        try:
            with translating(self._what(path)):
                yield
        except FileMissing:
            await self.check()
            raise

    async def _open(self, connection: Connection, raw: bytes) -> asyncssh.SFTPClientFile:
        absolute = posixpath.join(connection.root, raw)

        async def open_it() -> asyncssh.SFTPClientFile:
            return await connection.sftp.open(absolute, "rb", encoding=None, block_size=0)

        try:
            opened, resolved = await both(open_it(), connection.sftp.realpath(absolute))
        except asyncio.CancelledError:
            connection.strays += 1  # the answer, and with it the handle, comes too late
            raise
        file = result(opened)
        if isinstance(resolved, BaseException) or not lies_in(connection.root, resolved):
            await file.close()
            result(resolved)
            raise FileMissing(f"{self._what(decoded(raw))}: leads out of the origin's root")
        return file

    def _no_root(self) -> OriginError:
        return OriginUnavailable(
            f"{self._what('')}: there is no such folder: correct `path`, or mount its disk there"
        )

    def _what(self, path: str) -> str:
        below = posixpath.join(self._spec.path, path) if path else self._spec.path
        return f"{self.id}: {where(self._spec)} {below!r}"


class _Reading:
    """One range of an open file."""

    def __init__(self, connection: Connection, handle: Handle, offset: int, size: int) -> None:
        self._connection = connection
        self._file = handle.file
        self._offset = offset
        self._size = size

    async def run(self) -> tuple[bytes, asyncssh.SFTPAttrs]:
        """The bytes, fewer at the end of the file, and the file's attributes after reading them."""
        data = b""
        while True:
            part, attrs = await self._flight(self._offset + len(data), self._size - len(data))
            data = data + part if data else part
            if not part or len(data) >= self._size:
                return data, attrs

    async def _flight(self, offset: int, size: int) -> tuple[bytes, asyncssh.SFTPAttrs]:
        """As many blocks as may be in flight, and an fstat behind them; the bytes up to a gap.

        Files that are open for too long are closed by the way.
        """
        blocks = plan_blocks(offset, size, self._connection.sftp.limits.max_read_len)
        reads = (
            cast("Awaitable[bytes]", self._file.read(length, start)) for start, length in blocks
        )
        closes = (file.close() for file in self._connection.surplus())
        answers, attrs, _ = await asyncio.gather(
            asyncio.gather(*reads, return_exceptions=True),
            self._file.stat(),
            asyncio.gather(*closes, return_exceptions=True),
            return_exceptions=True,
        )
        parts: list[bytes] = []
        for (_, length), answer in zip(blocks, result(answers), strict=True):
            parts.append(result(answer))
            if len(parts[-1]) < length:
                break  # what follows a short answer is in the wrong place
        return b"".join(parts), result(attrs)


def plan_blocks(offset: int, size: int, block_bytes: int) -> list[tuple[int, int]]:
    """Offset and length of the requests that cover a range, as many as may be in flight."""
    end = offset + min(size, BLOCKS_MAX * block_bytes)
    return [(start, min(block_bytes, end - start)) for start in range(offset, end, block_bytes)]
