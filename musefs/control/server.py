"""The control service: what an operator may ask of a running musefs, on a Unix socket.

Whoever can open the socket may ask anything: its mode is what guards it. Health checking
(grpc.health.v1) and reflection are served beside the interface, so that common tools work.
"""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from musefs.control import socket_file
from musefs.control.cache_calls import CacheCalls, Caching
from musefs.control.failures import refuse
from musefs.control.messages import (
    MESSAGE_BYTES_MAX,
    changes_of,
    edited_message,
    progress_message,
    status_message,
    track_tags_message,
)
from musefs.control.v1 import musefs_pb2, musefs_pb2_grpc
from musefs.control.warming_calls import Warmed, WarmingCalls
from musefs.errors import ConfigError, MusefsError
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.library.track_tags import Edited, TrackTags
from musefs.status import Status
from origins import OriginError

log = logging.getLogger(__name__)

SERVICE = musefs_pb2.DESCRIPTOR.services_by_name["Musefs"].full_name
CALLS_AT_ONCE_MAX = 64
DRAIN_S_MAX = 3600.0
_OPTIONS = (("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX))


class Edits(Protocol):
    """What can be asked of tags and pictures, see musefs.library.tagging.Tagging.

    Every call raises NoSuchEntry, NotATrack, StateBroken.
    """

    async def show(self, path: str) -> Sequence[TrackTags]:
        """The tags of a track, or of the first tracks below a folder."""
        ...

    async def set(self, path: str, changes: Mapping[str, Sequence[str]]) -> Edited:
        """Set fields; one without values is removed. Raises InvalidTags."""
        ...

    async def clear(self, path: str) -> Edited:
        """Bring back what the files say."""
        ...

    async def set_art(self, path: str, image: bytes | None) -> Edited:
        """Give a front cover; None: no picture at all. Raises InvalidImage."""
        ...


class Operated(Protocol):
    """What can be asked of a service."""

    @property
    def tagging(self) -> Edits:
        """Tags and pictures."""
        ...

    @property
    def caching(self) -> Caching:
        """The caches, and copies of the catalogue."""
        ...

    @property
    def warming(self) -> Warmed:
        """What is fetched before it is read."""
        ...

    async def status(self) -> Status:
        """How it does now."""
        ...

    def rescan(self, origin: str | None, options: ScanOptions) -> AsyncIterator[Progress]:
        """Scan an origin, or all; the progress of each from time to time until all are done.

        Raises UnknownOrigin.
        """
        ...

    def request_shutdown(self, drain_s: float) -> None:
        """Unmount and end; open files may be read for `drain_s` more seconds."""
        ...


class ControlServer:
    """Serves a service's control interface between `start` and `stop`."""

    def __init__(self, service: Operated, socket: Path, pointer: Path | None = None) -> None:
        """`pointer`: where a link to the socket is kept when that is another path."""
        self._service = service
        self._socket = socket
        self._pointer = pointer if pointer != socket else None
        self._server: Any = None
        self._health: Any = None
        self._inode = 0

    def __repr__(self) -> str:
        return f"<ControlServer {self._socket}, {'started' if self._server else 'stopped'}>"

    async def start(self) -> None:
        """Listen. Raises ConfigError when there can be no socket, StateInUse when it is taken."""
        socket_file.check_length(self._socket)
        server = grpc.aio.server(options=_OPTIONS, maximum_concurrent_rpcs=CALLS_AT_ONCE_MAX)
        musefs_pb2_grpc.add_MusefsServicer_to_server(_Servicer(self._service), server)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = (SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        self._inode = socket_file.publish(self._socket, lambda path: self._bind(server, path))
        self._server = server
        await server.start()
        for name in ("", SERVICE):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        if self._pointer is not None:
            socket_file.point(self._pointer, self._socket)
        log.info("control socket at %s", self._socket)

    async def stop(self, grace_s: float = 1.0) -> None:
        """Take no more calls, give those under way some time, and remove the socket."""
        if self._server is None:
            return
        server, self._server = self._server, None
        socket_file.withdraw(self._socket, self._inode)
        await self._health.enter_graceful_shutdown()
        await server.stop(grace_s)

    def _bind(self, server: Any, path: str) -> None:
        try:
            server.add_insecure_port(f"unix:{path}")
        except RuntimeError as error:
            raise ConfigError(
                f"control.socket: {self._socket}: no socket can be made there: check the folder, "
                "or set control.socket to another path"
            ) from error


class _Servicer(WarmingCalls, CacheCalls):
    """The calls of the interface, see v1/musefs.proto."""

    def __init__(self, service: Operated) -> None:
        self._service = service
        self._caching = service.caching
        self._warming = service.warming

    async def GetStatus(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - gRPC's
        try:
            return status_message(await self._service.status())
        except (MusefsError, OriginError) as error:
            await refuse(context, error)

    async def RescanOrigin(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - gRPC's
        origin = request.origin if request.HasField("origin") else None
        options = ScanOptions(full=request.full, accept_removals=request.accept_removals)
        progresses = self._service.rescan(origin, options)
        try:
            async for progress in progresses:
                yield progress_message(progress)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
        finally:
            if isinstance(progresses, AsyncGenerator):
                await progresses.aclose()

    async def Shutdown(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        drain_s = request.drain_s
        if not (math.isfinite(drain_s) and 0 <= drain_s <= DRAIN_S_MAX):
            text = f"drain: should be 0 to {DRAIN_S_MAX:.0f} seconds"
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
        log.info("asked to shut down, draining for at most %g s", drain_s)
        self._service.request_shutdown(drain_s)
        return musefs_pb2.ShutdownResponse()

    async def GetTags(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - gRPC's
        try:
            for track in await self._service.tagging.show(request.path):
                yield track_tags_message(track)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)

    async def SetTags(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        changes = changes_of(request.changes)
        return await _edited(context, self._service.tagging.set(request.path, changes))

    async def ClearTags(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        return await _edited(context, self._service.tagging.clear(request.path))

    async def SetArt(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        image = request.image if request.HasField("image") else None
        return await _edited(context, self._service.tagging.set_art(request.path, image))


async def _edited(context: Any, edit: Awaitable[Edited]) -> Any:
    """The answer to an edit."""
    try:
        return edited_message(await edit)
    except (MusefsError, OriginError) as error:
        await refuse(context, error)
