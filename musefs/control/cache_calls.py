"""The calls about the caches and the catalogue as stores: counts, clearing, verifying, backup."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict
from typing import Any, Protocol

from musefs.control.failures import refuse
from musefs.control.v1 import musefs_pb2
from musefs.errors import MusefsError
from musefs.status import BackedUp, CacheStats, Cleared, VerifyProgress
from origins import OriginError


class Caching(Protocol):
    """What can be asked of the caches, see musefs.app.caching.Caching."""

    def stats(self) -> CacheStats:
        """What they hold, and how they did since the start."""
        ...

    async def clear(self, tier: str, *, dry_run: bool) -> Cleared:
        """Empty one of them or all. Raises UnknownTier, DiskRefused."""
        ...

    def verify(self, *, originals: bool) -> AsyncIterator[VerifyProgress]:
        """Hash every chunk and mend what is wrong; then compare the originals, if wished.

        Raises DiskRefused, StateBroken.
        """
        ...

    async def back_up(self, path: str | None) -> BackedUp:
        """Copy the catalogue to a path, or to one in the state folder. Raises BackupFailed."""
        ...


class CacheCalls:
    """A part of the servicer, see v1/musefs.proto."""

    _caching: Caching

    async def GetCacheStats(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802 - gRPC's
        """What the caches hold now."""
        return musefs_pb2.CacheStats(**asdict(self._caching.stats()))

    async def ClearCache(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        """Empty them, or tell what that would free."""
        try:
            cleared = await self._caching.clear(request.tier, dry_run=request.dry_run)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
        return musefs_pb2.ClearCacheResponse(**asdict(cleared))

    async def VerifyCache(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - gRPC's
        """Hash all chunks on the disk and mend wrong ones."""
        progresses = self._caching.verify(originals=request.originals)
        try:
            async for progress in progresses:
                yield musefs_pb2.VerifyProgress(**asdict(progress))
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
        finally:
            if isinstance(progresses, AsyncGenerator):
                await progresses.aclose()

    async def BackUp(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        """Copy the catalogue."""
        path = request.path if request.HasField("path") else None
        try:
            done = await self._caching.back_up(path)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
        # A state folder's path need not be UTF-8, a message has to be.
        shown = done.path.encode("utf-8", "backslashreplace").decode()
        return musefs_pb2.BackUpResponse(path=shown, size=done.size)
