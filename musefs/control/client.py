"""Speaks to a running musefs over its control socket."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from musefs.control.failures import told
from musefs.control.messages import progress_of, status_of
from musefs.control.v1 import musefs_pb2, musefs_pb2_grpc
from musefs.errors import MusefsError, ServiceUnreachable
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.status import Status

TIMEOUT_S = 10.0
SILENCE_S_MAX = 60.0
"""A rescan tells its progress several times a second; after so long the service hangs."""

_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # A service that is not there is told at once: waiting is the caller's affair.
    ("grpc.enable_retries", 0),
)
_ELSEWHERE = "start one (musefs mount), or name another socket (--socket)"


class Client:
    """One connection; a context manager. Every call raises ServiceUnreachable, MusefsError."""

    def __init__(self, socket: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket
        self._timeout_s = timeout_s
        self._channel: Any = None
        self._stub: Any = None

    async def __aenter__(self) -> Self:
        """Connect. Raises ServiceUnreachable when there is no socket."""
        try:
            # A link may be longer than a socket's path can be, and what it leads to not.
            target = self._socket.resolve(strict=True)
            if not stat.S_ISSOCK(target.stat().st_mode):
                raise ServiceUnreachable(f"{self._socket}: it is no socket: {_ELSEWHERE}")
            if not os.access(target, os.W_OK):
                raise ServiceUnreachable(
                    f"{self._socket}: permission denied: ask as the user who runs that musefs"
                )
        except OSError as error:
            raise ServiceUnreachable(
                f"{self._socket}: no musefs runs here ({error.strerror}): {_ELSEWHERE}"
            ) from error
        self._channel = grpc.aio.insecure_channel(f"unix:{target}", options=_OPTIONS)
        self._stub = musefs_pb2_grpc.MusefsStub(self._channel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Disconnect."""
        await self._channel.close()

    async def status(self) -> Status:
        """How the service does now."""
        try:
            message = await self._stub.GetStatus(
                musefs_pb2.GetStatusRequest(), timeout=self._timeout_s
            )
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from error
        return status_of(message)

    async def rescan(self, origin: str | None, options: ScanOptions) -> AsyncIterator[Progress]:
        """Have an origin (None: all) scanned: each one's progress until all are done.

        Raises UnknownOrigin too.
        """
        request = musefs_pb2.RescanOriginRequest(
            origin=origin, full=options.full, accept_removals=options.accept_removals
        )
        call = self._stub.RescanOrigin(request)
        try:
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    return
                yield progress_of(message)
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from error
        except TimeoutError as error:
            raise self._silent(SILENCE_S_MAX) from error
        finally:
            call.cancel()

    async def shutdown(self, drain_s: float = 0.0) -> None:
        """Ask the service to unmount and end; it has not ended yet when this returns."""
        try:
            await self._stub.Shutdown(
                musefs_pb2.ShutdownRequest(drain_s=drain_s), timeout=self._timeout_s
            )
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from error

    def _explained(self, error: grpc.aio.AioRpcError) -> Exception:
        known = told(error)
        if known is not None:
            return known
        match error.code():
            case grpc.StatusCode.UNAVAILABLE:
                return ServiceUnreachable(
                    f"{self._socket}: no musefs answers here any more: {_ELSEWHERE}"
                )
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return self._silent(self._timeout_s)
            case grpc.StatusCode.UNIMPLEMENTED:
                return ServiceUnreachable(
                    f"{self._socket}: what runs here does not know this command: restart the mount "
                    "with this version of musefs"
                )
        return MusefsError(" ".join(f"{self._socket}: {error.details()}".split()))

    def _silent(self, waited_s: float) -> ServiceUnreachable:
        return ServiceUnreachable(
            f"{self._socket}: the musefs that runs here has not answered for {waited_s:g} s: "
            "look into its log, or try again later"
        )
