"""What a user asks to be near before it is read: prefetching now, and pins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from musefs.errors import NoSuchEntry
from musefs.library.choosing import Choosing
from musefs.library.pins import Pins
from musefs.library.prefetching import Prefetch, Warmer, WarmingProgress

PROGRESS_EVERY_S = 0.3


class Warming:
    """The calls about warming. `pins` are those of this library."""

    def __init__(self, choosing: Choosing, warmer: Warmer, pins: Pins) -> None:
        self._choosing = choosing
        self._warmer = warmer
        self.pins = pins

    async def prefetch(self, query: str) -> AsyncGenerator[WarmingProgress, None]:
        """Bring the tracks of a query into the disk cache: how far it is, from time to time.

        Closing the generator stops it. Raises InvalidQuery, NoSuchEntry, NotATrack.
        """
        tracks = await self._choosing.tracks(await self._choosing.normal(query))
        if not tracks:
            raise NoSuchEntry(f"{query}: no track in the tree matches: try fewer words")
        prefetch = Prefetch(self._warmer, tracks)
        running = asyncio.gather(prefetch.run(), return_exceptions=True)
        try:
            while not running.done():
                yield prefetch.progress
                await asyncio.wait([running], timeout=PROGRESS_EVERY_S)
        finally:
            running.cancel()
            await asyncio.wait([running])
        for result in running.result():
            if isinstance(result, BaseException):
                raise result
        yield prefetch.progress
