"""The client's calls about the caches and the catalogue as stores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields
from typing import Any, Protocol, TypeVar

import grpc

from musefs.control.v1 import musefs_pb2
from musefs.errors import BackupFailed
from musefs.status import BackedUp, CacheStats, CacheStatus, Cleared, VerifyProgress

CLEAR_TIMEOUT_S = 300.0
"""Hundreds of thousands of files may have to be removed."""
BACKUP_TIMEOUT_S = 600.0
VERIFY_SILENCE_S_MAX = 60.0
"""Progress is told several times a second; after so long the service hangs."""

Value = TypeVar("Value", CacheStatus, Cleared, VerifyProgress, BackedUp)


class Connected(Protocol):
    """What these calls need of the client, see musefs.control.client.Client."""

    _stub: Any
    _timeout_s: float

    async def _asked(self, method: Any, request: Any, timeout_s: float) -> Any: ...

    def _explained(self, error: grpc.aio.AioRpcError) -> Exception: ...

    def _silent(self, waited_s: float) -> Exception: ...


class CacheClient:
    """A part of the client; every call raises ServiceUnreachable, MusefsError."""

    async def cache_stats(self: Connected) -> CacheStats:
        """What the caches hold, and how they did since the start."""
        request = musefs_pb2.GetCacheStatsRequest()
        message = await self._asked(self._stub.GetCacheStats, request, self._timeout_s)
        numbers = {f.name: getattr(message, f.name) for f in fields(CacheStats)}
        return CacheStats(**numbers | {"totals": _value(CacheStatus, message.totals)})

    async def clear_cache(self: Connected, tier: str, *, dry_run: bool) -> Cleared:
        """Empty "memory", "chunks" or "all"; what that freed, or in a dry run would free.

        Raises UnknownTier too.
        """
        request = musefs_pb2.ClearCacheRequest(tier=tier, dry_run=dry_run)
        return _value(Cleared, await self._asked(self._stub.ClearCache, request, CLEAR_TIMEOUT_S))

    async def verify_cache(
        self: Connected, *, originals: bool = False
    ) -> AsyncIterator[VerifyProgress]:
        """Have every chunk hashed, and wrong ones fetched again: how far that is, to its end.

        With `originals` files are compared with what was read of them after that.
        """
        call = self._stub.VerifyCache(musefs_pb2.VerifyCacheRequest(originals=originals))
        try:
            while True:
                async with asyncio.timeout(VERIFY_SILENCE_S_MAX):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    return
                yield _value(VerifyProgress, message)
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from error
        except TimeoutError as error:
            raise self._silent(VERIFY_SILENCE_S_MAX) from error
        finally:
            call.cancel()

    async def back_up(self: Connected, path: str | None) -> BackedUp:
        """Have the catalogue copied to a path on the service's machine, or to its state folder.

        Raises BackupFailed too.
        """
        try:
            request = musefs_pb2.BackUpRequest(path=path)
        except ValueError as error:
            raise BackupFailed(f"{path!a}: is not valid UTF-8: name another file") from error
        return _value(BackedUp, await self._asked(self._stub.BackUp, request, BACKUP_TIMEOUT_S))


def _value(kind: type[Value], message: Any) -> Value:
    return kind(**{field.name: getattr(message, field.name) for field in fields(kind)})
