"""Bounds around any origin: how many requests at once, how long each, how many bytes a second.

A deadline counts from the call, waiting for a place included: a caller gets an answer or an error
within it. Waiting for bandwidth does not count, as it is no fault of the origin's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from origins.base import FileInfo, Origin, ReadsAtOnce, Version
from origins.errors import OriginUnavailable
from origins.specs import Limits

LISTINGS_MAX = 2
"""Listings at once. They have places of their own: whoever takes files from a listing also reads,
and must not wait for a place that the listing holds."""


class TokenBucket:
    """How long to wait before the next bytes, so that not more than the rate pass. Pure.

    Takes on debt: a request larger than a second's worth passes at once, the next ones wait for it.
    """

    def __init__(self, bytes_per_s: int, now_s: float) -> None:
        self._bytes_per_s = bytes_per_s
        self._level_bytes = float(bytes_per_s)
        self._at_s = now_s

    def take(self, size: int, now_s: float) -> float:
        """Take bytes out; the seconds to wait before they may be used."""
        filled = self._level_bytes + (now_s - self._at_s) * self._bytes_per_s
        self._at_s = now_s
        self._level_bytes = min(filled, float(self._bytes_per_s))
        wait_s = max(0.0, -self._level_bytes / self._bytes_per_s)
        self._level_bytes -= size
        return wait_s

    def put_back(self, size: int) -> None:
        """Bytes that were taken and then not used."""
        self._level_bytes += size


@dataclass(slots=True)
class _Used:
    count: int = 0


class Limited:
    """An origin within limits; an Origin itself."""

    def __init__(self, origin: Origin, limits: Limits) -> None:
        self._origin = origin
        self._limits = limits
        self._places = asyncio.Semaphore(limits.requests_max)
        self._listings = asyncio.Semaphore(LISTINGS_MAX)
        self._at_once = origin if isinstance(origin, ReadsAtOnce) else None
        self._bucket: TokenBucket | None = None
        if limits.bandwidth_bytes_per_s is not None:
            self._bucket = TokenBucket(limits.bandwidth_bytes_per_s, time.monotonic())

    def __repr__(self) -> str:
        return f"<Limited {self._origin!r}>"

    @property
    def id(self) -> str:
        """The name that the configuration gives it."""
        return self._origin.id

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """Every file below a folder, each within the deadline. See Origin.list."""
        async with self._deadline():
            await self._listings.acquire()
        files = self._origin.list(below)
        try:
            while True:
                async with self._deadline():
                    info = await anext(files, None)
                if info is None:
                    return
                yield info
        finally:
            self._listings.release()
            if isinstance(files, AsyncGenerator):
                await files.aclose()

    async def stat(self, path: str) -> FileInfo:
        """One file, within the deadline. See Origin.stat."""
        async with self._place():
            return await self._origin.stat(path)

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """Bytes of one version, within the deadline once the bandwidth allows. See Origin.read."""
        async with self._bandwidth(size) as used, self._place():
            data = await self._origin.read(path, version, offset, size)
            used.count = len(data)
            return data

    def read_now(
        self, path: str, version: Version, offset: int, size: int
    ) -> bytes | memoryview | None:
        """Bytes that are at hand; None while there is a limit on the bandwidth. See ReadsAtOnce."""
        if self._at_once is None or self._bucket is not None:
            return None
        return self._at_once.read_now(path, version, offset, size)

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """Changes, without a limit: waiting is what it is for. See Origin.watch."""
        batches = self._origin.watch()
        try:
            async for batch in batches:
                yield batch
        finally:
            if isinstance(batches, AsyncGenerator):
                await batches.aclose()

    async def check(self) -> None:
        """Return when the origin can serve, within the deadline. See Origin.check."""
        async with self._deadline():
            await self._origin.check()

    async def aclose(self) -> None:
        """Close the origin. See Origin.aclose."""
        await self._origin.aclose()

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        timeout_s = self._limits.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError as error:
            raise OriginUnavailable(
                f"{self.id}: no answer within {timeout_s:g} s: check the origin and the network"
            ) from error

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        async with self._deadline(), self._places:
            yield

    @asynccontextmanager
    async def _bandwidth(self, size: int) -> AsyncIterator[_Used]:
        """Wait until so many bytes may pass; what is not counted as used is given back."""
        used = _Used()
        if self._bucket is None:
            yield used
            return
        wait_s = self._bucket.take(size, time.monotonic())
        try:
            if wait_s:
                await asyncio.sleep(wait_s)
            yield used
        finally:
            self._bucket.put_back(size - used.count)
