"""Prefetching and pins over the socket: what arrives, what is refused, what ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from musefs.control.client import Client
from musefs.errors import InvalidQuery, NoSuchEntry, UnknownPin
from tests.control.service import PIN, SmallService

pytestmark = pytest.mark.usefixtures("server")


async def test_progress_arrives_as_it_was_told(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        first, last = [progress async for progress in client.prefetch("blue")]
    assert (first.done, first.error, first.bytes_done) == (False, None, 10)
    assert last == replace(service.warming.last, error=r"a.flac: gone \udcff")
    assert service.warming.asked == ["blue"]


async def test_leaving_a_prefetch_ends_it_at_the_service(
    socket: Path, service: SmallService
) -> None:
    async with Client(socket) as client, aclosing(client.prefetch("endless")) as told:
        await anext(told)
        assert not service.warming.ended.is_set()
    async with asyncio.timeout(5):
        await service.warming.ended.wait()


async def test_pins_arrive_as_they_are(socket: Path, service: SmallService) -> None:
    service.warming.pins.found = [PIN, replace(PIN, query="x", error="away: no route")]
    async with Client(socket) as client:
        assert await client.pins() == service.warming.pins.found
        assert await client.pin("träume") == replace(PIN, query="träume")
        await client.unpin(PIN.query)
    assert service.warming.pins.asked == [("pin", "träume"), ("unpin", PIN.query)]


async def test_errors_are_raised_as_the_same_errors(socket: Path) -> None:
    async with Client(socket) as client:
        with pytest.raises(NoSuchEntry, match="try fewer words"):
            await anext(client.prefetch("nothing"))
        with pytest.raises(InvalidQuery, match="no such field"):
            await client.pin("odd:")
        with pytest.raises(UnknownPin, match="see `musefs pins`"):
            await client.unpin("blue")


async def test_what_is_not_unicode_is_not_sent(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        for call in (client.pin, client.unpin):
            with pytest.raises(InvalidQuery, match="UTF-8"):
                await call("\udcff")
        with pytest.raises(InvalidQuery, match="UTF-8"):
            await anext(client.prefetch("\udcff"))
    assert not service.warming.asked
    assert not service.warming.pins.asked
