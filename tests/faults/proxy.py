"""A TCP proxy that spoils connections on demand, in a thread of its own with an event loop.

It stands between musefs and a real server on the loopback. `hold_after` stops all traffic at a
given byte, so that a fault begins while requests are certainly under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from enum import Enum
from types import TracebackType
from typing import Any, Self

PIECE_BYTES = 64 << 10
SLOW_BYTES = 256
SLOW_S = 0.25
CUT_BYTES = 100_000
CALL_S = 10.0


class Fault(Enum):
    """What happens to the traffic while it lasts."""

    NONE = "none"
    RESET = "reset"
    """Every connection is reset once; new ones work."""
    STALL = "stall"
    """Nothing passes, no connection ends; afterwards what was held passes."""
    SLOW = "slow"
    """1 KB a second on each connection."""
    REFUSE = "refuse"
    """Every connection is reset, new ones are refused."""
    BLACK_HOLE = "black hole"
    """Nothing passes, new connections are accepted; those that met it stay dead afterwards."""
    CUT = "cut"
    """Each connection ends after 100 KB from the server, which may be half of an answer."""


class _Link:
    """A client's connection and the one to the server that continues it."""

    def __init__(self, client: asyncio.StreamWriter) -> None:
        self.writers = [client]
        self.down_bytes = 0
        self.dead = False

    def reset(self) -> None:
        """End both with RST."""
        self.dead = False
        for writer in self.writers:
            sock = writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def close(self) -> None:
        """End both in good order."""
        for writer in self.writers:
            writer.close()


class FaultProxy:
    """Forwards connections to a port of the loopback; `port` is its own."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._fault = Fault.NONE
        self._hold_bytes: int | None = None
        self._held = threading.Event()
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._changed = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault proxy")
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._served: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def hold_after(self, count: int) -> threading.Event:
        """Let nothing pass after so many more bytes from the server; the event tells when."""
        self._held.clear()
        self._call(self._set_hold(count))
        return self._held

    def begin(self, fault: Fault) -> None:
        """Start a fault; a hold ends with it."""
        self._call(self._begin(fault))

    def end(self) -> None:
        """Forward again."""
        self._call(self._begin(Fault.NONE))

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(CALL_S)

    async def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._accepting = asyncio.create_task(self._accept(self._listener))

    async def _end(self) -> None:
        await self._unlisten()
        self._fault, self._hold_bytes = Fault.NONE, None
        for link in list(self._links):
            link.reset()
        self._changed.set()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=CALL_S / 2)

    async def _unlisten(self) -> None:
        """Refuse connections. asyncio.Server forgets one that it is accepting while it closes."""
        if self._listener is None or self._accepting is None:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        await self._accepting
        self._listener.close()
        self._listener = None

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError:  # it was shut down
                return
            task = asyncio.create_task(self._serve(connection))
            self._served.add(task)
            task.add_done_callback(self._served.discard)

    async def _set_hold(self, count: int) -> None:
        self._hold_bytes = count

    async def _begin(self, fault: Fault) -> None:
        self._hold_bytes = None
        self._fault = fault
        if fault is Fault.REFUSE:
            await self._unlisten()
        elif self._listener is None:
            await self._listen()
        for link in list(self._links):
            link.down_bytes = 0
            # Whoever swallowed packets knows nothing of the connections from then.
            if fault in (Fault.RESET, Fault.REFUSE) or link.dead:
                link.reset()
            elif fault is Fault.BLACK_HOLE:
                link.dead = True
        self._changed.set()
        self._changed = asyncio.Event()

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        link = _Link(writer)
        self._links.add(link)
        link.dead = self._fault is Fault.BLACK_HOLE
        try:
            async with asyncio.TaskGroup() as pumps:
                answers, server = await asyncio.open_connection("127.0.0.1", self._target)
                link.writers.append(server)
                pumps.create_task(self._pump(link, reader, server, downwards=False))
                pumps.create_task(self._pump(link, answers, writer, downwards=True))
        except* (OSError, EOFError):
            link.reset()
        finally:
            link.close()
            self._links.discard(link)

    async def _pump(
        self,
        link: _Link,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        *,
        downwards: bool,
    ) -> None:
        """Forward until an end. Raises EOFError then, so that the other direction ends too."""
        while data := await source.read(PIECE_BYTES):
            while data:
                size = await self._may_pass(link, len(data), downwards=downwards)
                sink.write(data[:size])
                await sink.drain()
                data = data[size:]
                if downwards and self._is_cut(link, size):
                    await sink.drain()
                    link.close()
                    return
        raise EOFError

    async def _may_pass(self, link: _Link, size: int, *, downwards: bool) -> int:
        """Wait until something may pass; how many bytes of `size`."""
        while link.dead or self._fault is Fault.STALL or (self._held.is_set() and self._holds):
            await self._changed.wait()
        if self._fault is Fault.SLOW:
            await asyncio.sleep(SLOW_S)
            return min(size, SLOW_BYTES)
        if self._fault is Fault.CUT and downwards:
            return min(size, max(1, CUT_BYTES - link.down_bytes))
        if self._hold_bytes is not None and downwards:
            self._hold_bytes -= size
            if self._hold_bytes <= 0:
                self._held.set()
        return size

    @property
    def _holds(self) -> bool:
        return self._hold_bytes is not None and self._hold_bytes <= 0

    def _is_cut(self, link: _Link, size: int) -> bool:
        link.down_bytes += size
        return self._fault is Fault.CUT and link.down_bytes >= CUT_BYTES
