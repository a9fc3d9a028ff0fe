"""Connections to one SFTP server, and the files that are open on each.

Requests are pipelined, so a connection takes several at once. The least busy one is lent,
preferably one that has the file open; dead ones are dropped when the next request comes. When all
are busy others are made beside the requests, which do not wait for them: a login takes some ten
round trips, and a request on a busy connection three.
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
"""Requests on a connection, on average, above which another one is made."""
STRAYS_MAX = 16
GROW_AGAIN_S = 60.0
CLOSE_S = 2.0
SILENT_S = 4.0

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
        self.answered_s = 0.0
        """When a request was last answered, in the loop's time."""
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
    """At most `connections_max` connections to one server.

    A request that is given up after `silent_s` without any answer on its connection tells that the
    connection is dead: TCP itself may take many minutes to find out.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        connections_max: int,
        silent_s: float = SILENT_S,
    ) -> None:
        self._connect = connect
        self._silent_s = silent_s
        self._connections_max = connections_max
        self._connections: list[Connection] = []
        self._starting = asyncio.Lock()
        self._growth: set[asyncio.Task[None]] = set()
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
        asked_s = _now()
        try:
            yield connection
            connection.answered_s = _now()
        except LOST:
            connection.lost = True
            raise
        except asyncio.CancelledError:
            connection.lost |= _now() - max(asked_s, connection.answered_s) >= self._silent_s
            raise
        finally:
            connection.load -= 1

    async def aclose(self) -> None:
        """Close all connections, those that are being made too."""
        self._closed = True
        if self._growth:
            # A login that is cancelled leaves its socket open, so it is given time to end.
            _, late = await asyncio.wait(self._growth, timeout=CLOSE_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        closing, self._connections = self._connections, []
        await asyncio.gather(*(connection.aclose() for connection in closing))

    async def _pick(self, key: Key | None) -> Connection:
        if self._closed:
            raise OriginUnavailable("the origin is closed")
        best = self._best(key)
        if best is None:
            best = await self._first(key)
        elif self._is_crowded():
            self._grow_beside()
        return best

    async def _first(self, key: Key | None) -> Connection:
        """A connection where there is none; all who wait share an attempt, and its failure."""
        attempts = self._attempts
        async with self._starting:
            best = self._best(key)
            if best is None and self._failure is not None and self._attempts != attempts:
                # The attempt that this one waited for has failed: it would fail too.
                raise type(self._failure)(str(self._failure)) from self._failure
            if best is None:
                await self._start()
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

    def _is_crowded(self) -> bool:
        count = len(self._connections) + len(self._growth)
        load = sum(one.load for one in self._connections)
        return (
            count < self._connections_max
            and load >= BUSY_AT * count
            and _now() >= self._grow_from_s
        )

    async def _start(self) -> None:
        self._attempts += 1
        self._failure = None
        try:
            connection = await self._connect()
        except OriginError as error:
            self._failure = error
            raise
        await self._add(connection)

    def _grow_beside(self) -> None:
        """Begin to add a connection; `aclose` waits for it."""
        task = asyncio.get_running_loop().create_task(self._grow())
        self._growth.add(task)
        task.add_done_callback(self._growth.discard)

    async def _grow(self) -> None:
        """Add a connection that is not needed: it may fail, as servers limit their number."""
        try:
            connection = await self._connect()
        except OriginError:
            self._grow_from_s = _now() + GROW_AGAIN_S
        else:
            await self._add(connection)

    async def _add(self, connection: Connection) -> None:
        if self._closed:
            await connection.aclose()
        else:
            self._connections.append(connection)


def _now() -> float:
    return asyncio.get_running_loop().time()
