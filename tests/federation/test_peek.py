"""The synchronous door: bytes at hand from a healthy origin, and nothing else."""

from __future__ import annotations

import asyncio

import pytest

from musefs.federation.federation import Federation
from origins import FileChanged, Limits, OriginUnavailable, Version
from origins.limited import Limited
from tests.fakes.source import truth
from tests.federation.peers import SONG, V1, Club, ToldOrigin


class HandyOrigin(ToldOrigin):
    """Has its bytes at hand, or the trouble that it is told to have."""

    trouble: Exception | None = None
    at_hand_bytes_max = 1 << 30

    def read_now(self, path: str, version: Version, offset: int, size: int) -> bytes | None:
        """See ReadsAtOnce."""
        if self.trouble is not None:
            raise self.trouble
        return self.bytes[offset : offset + min(size, self.at_hand_bytes_max)]


async def met(club: Club) -> Federation:
    """After a first read, which finds out where the content is."""
    await club.read()
    return club.federation


async def test_bytes_at_hand_come_without_waiting() -> None:
    club = Club("a", kind=HandyOrigin)
    assert club.federation.peek(SONG, 0, 100) is None  # nobody knows yet where it is
    federation = await met(club)
    whole = truth(SONG.id, SONG.size)
    assert federation.peek(SONG, 100, 4096) == whole[100:4196]
    assert federation.peek(SONG, SONG.size - 10, 4096) == whole[-10:]
    assert federation.peek(SONG, SONG.size, 4096) == b""
    assert len(club.reads("a")) == 1
    assert federation.health_of()["a"].reads == 3


async def test_the_best_replica_is_looked_at() -> None:
    club = Club("a", "b", kind=HandyOrigin)
    federation = await met(club)
    club.origins["a"].bytes = bytes(SONG.size)
    assert federation.peek(SONG, 0, 10) == bytes(10)


@pytest.mark.parametrize("trouble", [FileChanged("replaced"), OriginUnavailable("gone")])
async def test_trouble_is_left_to_the_other_door(trouble: Exception) -> None:
    club = Club("a", kind=HandyOrigin)
    federation = await met(club)
    origin = club.origins["a"]
    assert isinstance(origin, HandyOrigin)
    origin.trouble = trouble
    assert federation.peek(SONG, 0, 10) is None
    assert federation.health_of()["a"].errors == 0
    assert club.stale == []
    await club.read(0, 10)


async def test_an_answer_that_is_too_short_is_none() -> None:
    club = Club("a", kind=HandyOrigin)
    federation = await met(club)
    origin = club.origins["a"]
    assert isinstance(origin, HandyOrigin)
    origin.at_hand_bytes_max = 5
    assert federation.peek(SONG, 0, 10) is None


async def test_an_origin_that_fails_is_not_looked_at_until_it_serves_again() -> None:
    club = Club("a", kind=HandyOrigin)
    federation = await met(club)
    club.origins["a"].down = True
    await federation.check()
    assert federation.peek(SONG, 0, 10) is None
    club.origins["a"].down = False
    for _ in range(5):
        await federation.check()
        await asyncio.sleep(0)
    assert federation.peek(SONG, 0, 10) is not None


async def test_an_origin_without_bytes_at_hand_is_not_asked() -> None:
    assert (await met(Club("a"))).peek(SONG, 0, 10) is None


async def test_a_limit_on_the_bandwidth_is_kept() -> None:
    handy = HandyOrigin("a")
    assert Limited(handy, Limits()).read_now("song", V1, 0, 4) == handy.bytes[:4]
    slow = Limited(handy, Limits(bandwidth_bytes_per_s=1000))
    assert slow.read_now("song", V1, 0, 4) is None
    assert Limited(ToldOrigin("b"), Limits()).read_now("song", V1, 0, 4) is None
