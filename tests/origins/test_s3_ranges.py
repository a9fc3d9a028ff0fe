"""A read in parts: all of the bytes once, as many parts as are worth a request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from origins import Limits, OriginUnavailable
from origins.s3 import S3Origin
from origins.s3_ranges import (
    LONE_PART_BYTES_MIN,
    PART_BYTES_MIN,
    PARTS_MAX,
    split,
)
from tests.content.shelves import until
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


@pytest.mark.parametrize(
    ("reads", "smallest"), [(1, LONE_PART_BYTES_MIN), (2, PART_BYTES_MIN), (4, PART_BYTES_MIN)]
)
def test_parts_cover_the_range_and_are_not_small(reads: int, smallest: int) -> None:
    assert split(5, 100, 16, reads) == [(5, 100)]
    assert split(0, 8 * smallest, 0, reads) == [(0, 8 * smallest)]
    parts = split(7, 3 * smallest + 1, 16, reads)
    assert [at for at, _ in parts] == [7, *(at + length for at, length in parts[:-1])]
    assert sum(length for _, length in parts) == 3 * smallest + 1
    assert len(parts) == 3


def test_no_more_parts_than_a_share_of_the_idle_connections_or_than_there_may_be() -> None:
    size = 64 * PART_BYTES_MIN
    assert [len(split(0, size, idle, 1)) for idle in (24, 8, 2, 0)] == [PARTS_MAX, 8, 2, 1]
    assert [len(split(0, size, 24, reads)) for reads in (1, 4, 5, 24, 25)] == [8, 6, 4, 1, 1]


async def test_a_lone_read_is_shared_among_idle_connections(server: S3Server, peer: S3Peer) -> None:
    data = some_bytes(PARTS_MAX * LONE_PART_BYTES_MIN + 1000)
    peer.put("f", data)
    for requests_max, requests in ((16, PARTS_MAX), (2, 2), (1, 1)):
        origin = S3Origin(server.spec(peer.prefix, Limits(requests_max=requests_max)))
        version = (await origin.stat("f")).version
        server.reset()
        assert await origin.read("f", version, 0, len(data)) == data
        assert server.stats()["requests"] == requests
        behind = len(data) - 2000  # more than one part lies behind the end
        assert await origin.read("f", version, behind, 4 * PART_BYTES_MIN) == data[behind:]
        await origin.aclose()


async def test_reads_that_come_together_share_the_connections(
    server: S3Server, peer: S3Peer
) -> None:
    data = some_bytes(PARTS_MAX * PART_BYTES_MIN)
    peer.put("f", data)
    origin = S3Origin(server.spec(peer.prefix, Limits(requests_max=16)))
    version = (await origin.stat("f")).version
    server.reset()
    answers = await asyncio.gather(*(origin.read("f", version, 0, len(data)) for _ in range(5)))
    assert answers == [data] * 5
    assert server.stats()["requests"] == 16
    await origin.aclose()


async def test_a_read_beside_others_is_one_request(server: S3Server, peer: S3Peer) -> None:
    data = some_bytes(PARTS_MAX * PART_BYTES_MIN)
    peer.put("f", data)
    origin = S3Origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    server.reset()
    first = asyncio.create_task(origin.read("f", version, 0, len(data)))
    await until(lambda: origin._under_way > 0)
    assert await origin.read("f", version, 0, len(data)) == data
    assert await first == data
    assert server.stats()["requests"] == PARTS_MAX + 1
    await origin.aclose()


async def test_a_read_that_is_cancelled_at_once_is_not_counted(
    server: S3Server, peer: S3Peer
) -> None:
    data = some_bytes(PARTS_MAX * LONE_PART_BYTES_MIN)
    peer.put("f", data)
    origin = S3Origin(server.spec(peer.prefix))
    version = (await origin.stat("f")).version
    given_up = asyncio.create_task(origin.read("f", version, 0, len(data)))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait([given_up])
    server.reset()
    assert await origin.read("f", version, 0, len(data)) == data
    assert server.stats()["requests"] == PARTS_MAX
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
