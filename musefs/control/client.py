"""Speaks to a running musefs over its control socket."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from musefs.control.cache_client import CacheClient
from musefs.control.failures import told
from musefs.control.messages import (
    MESSAGE_BYTES_MAX,
    edited_of,
    field_messages,
    progress_of,
    status_of,
    track_tags_of,
)
from musefs.control.v1 import musefs_pb2, musefs_pb2_grpc
from musefs.control.warming_client import WarmingClient
from musefs.errors import InvalidTags, MusefsError, NoSuchEntry, ServiceUnreachable
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.layout.images import see_that_it_is_small
from musefs.library.track_tags import Edited, TrackTags
from musefs.status import Status

TIMEOUT_S = 10.0
SILENCE_S_MAX = 60.0
"""A rescan tells its progress several times a second; after so long the service hangs."""
EDIT_TIMEOUT_S = 300.0
"""For the tags of a whole folder: headers may have to be fetched from slow origins."""

_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    # A service that is not there is told at once: waiting is the caller's affair.
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
)
_ELSEWHERE = "start one (musefs mount), or name another socket (--socket)"


class Client(CacheClient, WarmingClient):
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
        request = musefs_pb2.GetStatusRequest()
        return status_of(await self._asked(self._stub.GetStatus, request, self._timeout_s))

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
        request = musefs_pb2.ShutdownRequest(drain_s=drain_s)
        await self._asked(self._stub.Shutdown, request, self._timeout_s)

    async def tags(self, path: str) -> list[TrackTags]:
        """The tags of a track, or of the first 1000 tracks below a folder.

        Raises NoSuchEntry, NotATrack too, as all edits do.
        """
        request = musefs_pb2.GetTagsRequest(path=_in_tree(path))
        call = self._stub.GetTags(request, timeout=EDIT_TIMEOUT_S)
        try:
            return [track_tags_of(message) async for message in call]
        except grpc.aio.AioRpcError as error:
            raise self._explained(error, EDIT_TIMEOUT_S) from error
        finally:
            call.cancel()

    async def set_tags(self, path: str, changes: Mapping[str, Sequence[str]]) -> Edited:
        """Set fields to values; a field without values is removed. Raises InvalidTags too."""
        for name, values in changes.items():
            for text in (name, *values):
                if not _is_unicode(text):
                    raise InvalidTags(f"{_escaped(name)}: is not valid UTF-8: give UTF-8")
        request = musefs_pb2.SetTagsRequest(path=_in_tree(path), changes=field_messages(changes))
        if request.ByteSize() > MESSAGE_BYTES_MAX:
            raise InvalidTags(
                f"the values have {request.ByteSize() >> 20} MiB, together at most "
                f"{MESSAGE_BYTES_MAX >> 20} MiB: set fewer at once"
            )
        return await self._edited(self._stub.SetTags, request)

    async def clear_tags(self, path: str) -> Edited:
        """Give tracks the tags and pictures of their files back."""
        request = musefs_pb2.ClearTagsRequest(path=_in_tree(path))
        return await self._edited(self._stub.ClearTags, request)

    async def set_art(self, path: str, image: bytes | None) -> Edited:
        """Give tracks a front cover; None: no picture at all. Raises InvalidImage too."""
        see_that_it_is_small(len(image or b""))
        request = musefs_pb2.SetArtRequest(path=_in_tree(path), image=image)
        return await self._edited(self._stub.SetArt, request)

    async def _edited(self, edit: Any, request: Any) -> Edited:
        return edited_of(await self._asked(edit, request, EDIT_TIMEOUT_S))

    async def _asked(self, method: Any, request: Any, timeout_s: float) -> Any:
        try:
            return await method(request, timeout=timeout_s)
        except grpc.aio.AioRpcError as error:
            raise self._explained(error, timeout_s) from error

    def _explained(self, error: grpc.aio.AioRpcError, waited_s: float = TIMEOUT_S) -> Exception:
        known = told(error)
        if known is not None:
            return known
        match error.code():
            case grpc.StatusCode.UNAVAILABLE:
                return ServiceUnreachable(
                    f"{self._socket}: no musefs answers here any more: {_ELSEWHERE}"
                )
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return self._silent(waited_s)
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


def _in_tree(path: str) -> str:
    """A path as a request carries it: every name in the tree is UTF-8."""
    if not _is_unicode(path):
        raise NoSuchEntry(f"{_escaped(path)}: there is no such file or folder in the tree")
    return path


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
