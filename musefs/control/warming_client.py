"""The client's part about bytes that are wanted before anybody reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import grpc

from musefs.control.cache_client import Connected
from musefs.control.messages import pin_of, warming_of
from musefs.control.v1 import musefs_pb2
from musefs.errors import InvalidQuery
from musefs.library.pins import PinStatus
from musefs.library.prefetching import WarmingProgress

SILENCE_S_MAX = 60.0
"""Progress is told several times a second, once the tracks are found; after so long it hangs."""
PIN_TIMEOUT_S = 60.0
"""Every pin's tracks are looked for in the whole library."""


class WarmingClient:
    """A part of the client. Every call raises ServiceUnreachable, MusefsError."""

    async def prefetch(self: Connected, query: str) -> AsyncGenerator[WarmingProgress, None]:
        """Have the tracks of a query fetched: how far it is until all that can be is there.

        Leaving it stops the fetching. Raises InvalidQuery, NoSuchEntry, NotATrack too.
        """
        call = self._stub.Prefetch(musefs_pb2.PrefetchRequest(query=_sent(query)))
        try:
            while True:
                async with asyncio.timeout(SILENCE_S_MAX):
                    message = await call.read()
                if message is grpc.aio.EOF:
                    return
                yield warming_of(message)
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from error
        except TimeoutError as error:
            raise self._silent(SILENCE_S_MAX) from error
        finally:
            call.cancel()

    async def pin(self: Connected, query: str) -> PinStatus:
        """Keep the tracks of a query offline; stored when this returns. Raises InvalidQuery too."""
        request = musefs_pb2.PinRequest(query=_sent(query))
        return pin_of(await self._asked(self._stub.Pin, request, PIN_TIMEOUT_S))

    async def unpin(self: Connected, query: str) -> None:
        """End a pin. Raises UnknownPin too."""
        request = musefs_pb2.UnpinRequest(query=_sent(query))
        await self._asked(self._stub.Unpin, request, PIN_TIMEOUT_S)

    async def pins(self: Connected) -> list[PinStatus]:
        """Every pin, in the order in which they were made."""
        call = self._stub.ListPins(musefs_pb2.ListPinsRequest(), timeout=PIN_TIMEOUT_S)
        try:
            return [pin_of(message) async for message in call]
        except grpc.aio.AioRpcError as error:
            raise self._explained(error) from error
        finally:
            call.cancel()


def _sent(query: str) -> str:
    """A query as a request carries it: all that it can name is UTF-8."""
    try:
        query.encode()
    except UnicodeEncodeError as error:
        shown = query.encode("utf-8", "backslashreplace").decode()
        raise InvalidQuery(f"{shown}: is not valid UTF-8: give UTF-8") from error
    return query
