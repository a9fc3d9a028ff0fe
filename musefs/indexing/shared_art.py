"""Pictures that the tracks of an album have in common: each is fetched once, for all of them.

Two pictures of one folder are taken for the same when media type, length, first 16 KiB and last
4 KiB are equal, and whatever else is known of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from musefs.kit.single_flight import SingleFlight

COMPARED_START_BYTES = 16 << 10
COMPARED_END_BYTES = 4 << 10
REMEMBERED_BYTES_MAX = 32 << 20


@dataclass(frozen=True, slots=True)
class ArtKey:
    """What equal pictures have in common; `digest` is of their beginning and end."""

    folder: str
    mime: str
    length: int
    digest: bytes


class SharedArt:
    """The pictures seen last, REMEMBERED_BYTES_MAX at most, and those that are being fetched."""

    def __init__(self) -> None:
        self._known: OrderedDict[ArtKey, bytes] = OrderedDict()
        self._bytes = 0
        self._flights: SingleFlight[ArtKey, bytes] = SingleFlight()

    async def get(
        self, key: ArtKey, fetch: Callable[[], Coroutine[Any, Any, bytes]]
    ) -> tuple[bytes, bool]:
        """The picture, and whether this call fetched it. Raises what the fetch raises.

        Who waits for another's fetch is told of its failure too.
        """
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found, False
        mine = False

        async def fetched() -> bytes:
            nonlocal mine
            mine = True
            data = await fetch()
            self._remember(key, data)
            return data

        return await self._flights.fetch(key, fetched), mine

    async def aclose(self) -> None:
        """End the fetches that are under way. Others may begin later."""
        await self._flights.aclose()

    def _remember(self, key: ArtKey, data: bytes) -> None:
        if len(data) > REMEMBERED_BYTES_MAX:
            return
        self._known[key] = data
        self._bytes += len(data)
        while self._bytes > REMEMBERED_BYTES_MAX:
            _, oldest = self._known.popitem(last=False)
            self._bytes -= len(oldest)
