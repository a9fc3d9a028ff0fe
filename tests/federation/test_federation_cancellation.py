"""A reader who leaves: the origin's call ends, and says nothing about its health."""

from __future__ import annotations

import asyncio

import pytest

from tests.federation.peers import Club

pytestmark = pytest.mark.looptime


async def test_leaving_during_a_read_ends_it() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.append(1000.0)
    reader = asyncio.create_task(club.read())
    await asyncio.sleep(1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert club.origins["nas"].running == 0
    assert club.reads("box") == []
    assert club.federation.health_of()["nas"].errors == 0


async def test_leaving_during_a_pause_ends_it() -> None:
    club = Club("nas")
    club.origins["nas"].down = True
    reader = asyncio.create_task(club.read())
    await asyncio.sleep(0.3)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await asyncio.sleep(10)
    assert len(club.reads("nas")) == 2


async def test_stopping_the_checks_ends_those_under_way() -> None:
    club = Club("nas", "box")
    for origin in club.origins.values():
        origin.outcomes.append(1000.0)
    checking = asyncio.create_task(club.federation.run())
    await asyncio.sleep(1)
    assert club.origins["nas"].running == 1
    checking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await checking
    assert [origin.running for origin in club.origins.values()] == [0, 0]
