"""The calls about bytes that are wanted before anybody reads them: prefetch and pins."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Any, Protocol

from musefs.control.failures import refuse
from musefs.control.messages import pin_message, warming_message
from musefs.control.v1 import musefs_pb2
from musefs.errors import MusefsError
from musefs.library.pins import PinStatus
from musefs.library.prefetching import WarmingProgress
from origins import OriginError


class Pinned(Protocol):
    """What can be asked of pins, see musefs.library.pins.Pins. Every call raises StateBroken."""

    async def pin(self, query: str) -> PinStatus:
        """Pin what a query names. Raises InvalidQuery."""
        ...

    async def unpin(self, query: str) -> None:
        """End a pin. Raises UnknownPin."""
        ...

    async def statuses(self) -> Sequence[PinStatus]:
        """Every pin."""
        ...


class Warmed(Protocol):
    """What can be asked to be near, see musefs.library.warming.Warming."""

    @property
    def pins(self) -> Pinned:
        """The pins."""
        ...

    def prefetch(self, query: str) -> AsyncIterator[WarmingProgress]:
        """Fetch what a query names. Raises InvalidQuery, NoSuchEntry, NotATrack."""
        ...


class WarmingCalls:
    """A part of the servicer, see v1/musefs.proto."""

    _warming: Warmed

    async def Prefetch(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802 - gRPC's
        """How far it is, until it is done or the caller has gone."""
        progresses = self._warming.prefetch(request.query)
        try:
            async for progress in progresses:
                yield warming_message(progress)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
        finally:
            if isinstance(progresses, AsyncGenerator):
                await progresses.aclose()

    async def Pin(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        """The pin, once it is stored."""
        try:
            return pin_message(await self._warming.pins.pin(request.query))
        except (MusefsError, OriginError) as error:
            await refuse(context, error)

    async def Unpin(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's
        """Nothing, once it is so."""
        try:
            await self._warming.pins.unpin(request.query)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
        return musefs_pb2.UnpinResponse()

    async def ListPins(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ARG002, N802 - gRPC's
        """Every pin."""
        try:
            for status in await self._warming.pins.statuses():
                yield pin_message(status)
        except (MusefsError, OriginError) as error:
            await refuse(context, error)
