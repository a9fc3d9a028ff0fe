"""Connections to one SFTP server, and the files that are open on each.

Requests are pipelined, so a connection takes several at once. The least busy one is lent,
preferably one that has the file open; another is made when all are busy; dead ones are dropped when
the next request comes.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from weakref import WeakValueDictionary

import asyncssh

from origins.errors import OriginError, OriginUnavailable

Key = tuple[str, str]
"""A path and a version."""

HANDLES_MAX = 32
BUSY_AT = 3
STRAYS_MAX = 16
GROW_AGAIN_S = 60.0
CLOSE_S = 2.0

LOST = (
    asyncssh.SFTPNoConnection,
    asyncssh.SFTPConnectionLost,
    asyncssh.DisconnectError,
    ConnectionError,
)
"""What a request raises when its connection, or the session on it, is no more."""


@dataclass(slots=True, eq=False)
class Handle:
    """A file open on the server, and how many requests use it."""

    file: asyncssh.SFTPClientFile
    users: int = 0


class Connection:
    """One SSH connection with one SFTP session."""

    def __init__(
        self, ssh: asyncssh.SSHClientConnection, sftp: asyncssh.SFTPClient, root: bytes
    ) -> None:
        self.sftp = sftp
        self.root = root
        self.load = 0
        self.strays = 0
        """Files that may be open on the server though nobody knows their handle."""
        self.lost = False
        """A request found its session closed; the SSH connection itself may last, or look so."""
        self._ssh = ssh
        self._handles: OrderedDict[Key, Handle] = OrderedDict()
        self._opening: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    def __repr__(self) -> str:
        return f"<Connection {self.load} in use, {len(self._handles)} files open>"

    @property
    def usable(self) -> bool:
        """Whether requests may still be sent on it."""
        return not (self.lost or self._ssh.is_closed()) and self.strays < STRAYS_MAX

    def has_open(self, key: Key | None) -> bool:
        """Whether that version of the file is open here."""
        return key in self._handles

    @asynccontextmanager
    async def handle(
        self, key: Key, open_file: Callable[[], Awaitable[asyncssh.SFTPClientFile]]
    ) -> AsyncIterator[Handle]:
        """The open file; opened once, however many ask for it at the same time."""
        lock = self._opening.setdefault(key, asyncio.Lock())
        async with lock:
            handle = self._handles.get(key)
            if handle is None:
                handle = self._handles[key] = Handle(await open_file())
            self._handles.move_to_end(key)
            handle.users += 1
        try:
            yield handle
        finally:
            handle.users -= 1

    def surplus(self) -> list[asyncssh.SFTPClientFile]:
        """Files over the bound that nobody uses: the caller closes them, beside its own request."""
        idle = [key for key, handle in self._handles.items() if not handle.users]
        over = max(0, len(self._handles) - HANDLES_MAX)
        return [self._handles.pop(key).file for key in idle[:over]]

    def forget(self, key: Key) -> asyncssh.SFTPClientFile | None:
        """Keep that file no longer; it is returned for closing when nobody else uses it."""
        handle = self._handles.get(key)
        if handle is None or handle.users > 1:
            return None
        del self._handles[key]
        return handle.file

    async def aclose(self) -> None:
        """Close; a server that does not answer is hung up on."""
        self._ssh.close()
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._ssh.wait_closed()
        except (TimeoutError, OSError, asyncssh.Error):
            self._ssh.abort()

    def hang_up(self) -> None:
        """Close without waiting for the server."""
        self._ssh.abort()


class Pool:
    """At most `connections_max` connections to one server."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], connections_max: int) -> None:
        self._connect = connect
        self._connections_max = connections_max
        self._connections: list[Connection] = []
        self._growing = asyncio.Lock()
        self._attempts = 0
        self._failure: OriginError | None = None
        self._grow_from_s = 0.0
        self._closed = False

    def __repr__(self) -> str:
        return f"<Pool {len(self._connections)} connections of {self._connections_max}>"

    @asynccontextmanager
    async def lend(self, key: Key | None = None) -> AsyncIterator[Connection]:
        """A connection for one request. Raises AccessDenied, OriginUnavailable."""
        connection = await self._pick(key)
        connection.load += 1
        try:
            yield connection
        except LOST:
            connection.lost = True
            raise
        finally:
            connection.load -= 1

    async def aclose(self) -> None:
        """Close all connections."""
        self._closed = True
        closing, self._connections = self._connections, []
        await asyncio.gather(*(connection.aclose() for connection in closing))

    async def _pick(self, key: Key | None) -> Connection:
        if self._closed:
            raise OriginUnavailable("the origin is closed")
        best = self._best(key)
        if best is not None and (self._growing.locked() or not self._crowded(best)):
            return best
        attempts = self._attempts
        async with self._growing:
            best = self._best(key)
            if best is None and self._failure is not None and self._attempts != attempts:
                # The attempt that this one waited for has failed: it would fail too.
                raise type(self._failure)(str(self._failure)) from self._failure
            if best is None or self._crowded(best):
                await self._grow(needed=best is None)
            best = self._best(key)
        if best is None:
            raise OriginUnavailable("the SFTP connection was lost at once: check the server")
        return best

    def _best(self, key: Key | None) -> Connection | None:
        for connection in [one for one in self._connections if not one.usable and not one.load]:
            self._connections.remove(connection)
            connection.hang_up()
        usable = [one for one in self._connections if one.usable]
        return min(usable, key=lambda one: (one.load - one.has_open(key), one.load), default=None)

    def _crowded(self, best: Connection) -> bool:
        return (
            best.load >= BUSY_AT
            and len(self._connections) < self._connections_max
            and asyncio.get_running_loop().time() >= self._grow_from_s
        )

    async def _grow(self, *, needed: bool) -> None:
        """Add a connection; one that is not needed may fail, as servers limit their number."""
        self._attempts += 1
        self._failure = None
        try:
            connection = await self._connect()
        except OriginError as error:
            self._failure = error
            if needed:
                raise
            self._grow_from_s = asyncio.get_running_loop().time() + GROW_AGAIN_S
            return
        self._connections.append(connection)
        if self._closed:
            await self.aclose()
