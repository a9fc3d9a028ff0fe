"""A read in parts: all of the bytes once, as many parts as are worth a request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from origins import Limits, OriginUnavailable
from origins.s3 import S3Origin
from origins.s3_ranges import (
    LONE_PART_BYTES_MIN,
    LONE_PARTS_MAX,
    PART_BYTES_MIN,
    PARTS_MAX,
    split,
)
from tests.lab.s3server import S3Server
from tests.origins.contract import some_bytes
from tests.origins.s3_peer import S3Peer


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with S3Server() as running:
        yield running


@pytest.fixture
def peer(server: S3Server) -> Iterator[S3Peer]:
    yield S3Peer(server)
    server.reset()


@pytest.mark.parametrize("is_lone", [False, True])
def test_parts_cover_the_range_and_are_not_small(is_lone: bool) -> None:
    smallest = LONE_PART_BYTES_MIN if is_lone else PART_BYTES_MIN
    assert split(5, 100, 16, 0, is_lone=is_lone) == [(5, 100)]
    assert split(0, 8 * smallest, 0, 16, is_lone=is_lone) == [(0, 8 * smallest)]
    parts = split(7, 3 * smallest + 1, 16, 0, is_lone=is_lone)
    assert [at for at, _ in parts] == [7, *(at + length for at, length in parts[:-1])]
    assert sum(length for _, length in parts) == 3 * smallest + 1
    assert len(parts) == 3


def test_no_more_parts_than_idle_connections_or_than_there_may_be() -> None:
    size = 64 * PART_BYTES_MIN
    assert len(split(0, size, 16, 0, is_lone=True)) == LONE_PARTS_MAX
    assert len(split(0, size, 2, 0, is_lone=True)) == 2
    assert len(split(0, size, 14, 2, is_lone=False)) == PARTS_MAX - 2
    assert len(split(0, size, 12, PARTS_MAX, is_lone=False)) == 1


async def test_a_lone_read_is_shared_among_idle_connections(server: S3Server, peer: S3Peer) -> None:
    data = some_bytes(LONE_PARTS_MAX * LONE_PART_BYTES_MIN + 1000)
    peer.put("f", data)
    for requests_max, requests in ((16, LONE_PARTS_MAX), (2, 2), (1, 1)):
        origin = S3Origin(server.spec(peer.prefix, Limits(requests_max=requests_max)))
        version = (await origin.stat("f")).version
        server.reset()
        assert await origin.read("f", version, 0, len(data)) == data
        assert server.stats()["requests"] == requests
        behind = len(data) - 2000  # more than one part lies behind the end
        assert await origin.read("f", version, behind, 4 * PART_BYTES_MIN) == data[behind:]
        await origin.aclose()


async def test_reads_that_come_together_are_split_less(server: S3Server, peer: S3Peer) -> None:
    data = some_bytes(LONE_PARTS_MAX * LONE_PART_BYTES_MIN)
    peer.put("f", data)
    origin = S3Origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    server.reset()
    answers = await asyncio.gather(*(origin.read("f", version, 0, len(data)) for _ in range(5)))
    assert answers == [data] * 5
    assert server.stats()["requests"] == PARTS_MAX + 4
    await origin.aclose()


async def test_a_read_that_is_cancelled_at_once_is_not_counted(
    server: S3Server, peer: S3Peer
) -> None:
    data = some_bytes(LONE_PARTS_MAX * LONE_PART_BYTES_MIN)
    peer.put("f", data)
    origin = S3Origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    given_up = asyncio.create_task(origin.read("f", version, 0, len(data)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    server.reset()
    assert await origin.read("f", version, 0, len(data)) == data
    assert server.stats()["requests"] == LONE_PARTS_MAX
    await origin.aclose()


async def test_a_part_that_fails_fails_the_read(server: S3Server, peer: S3Peer) -> None:
    data = some_bytes(PARTS_MAX * PART_BYTES_MIN)
    peer.put("f", data)
    origin = S3Origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    server.fail("slow", 1)
    with pytest.raises(OriginUnavailable):
        await origin.read("f", version, 0, len(data))
    assert await origin.read("f", version, 0, len(data)) == data
    await origin.aclose()
