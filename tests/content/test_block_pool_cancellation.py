"""Readers who leave: others are served, reservations and pins go back."""

from __future__ import annotations

import asyncio
import random

import pytest

from musefs import model
from musefs.content import chunking
from musefs.content.block_pool import BlockPool
from tests.fakes.source import CountingSource, content_of, truth


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (model, chunking):
        monkeypatch.setattr(module, "CHUNK_BYTES", 1024)


async def test_the_reader_who_started_a_fetch_leaves_and_the_others_are_served() -> None:
    source = CountingSource()
    source.gate = asyncio.Event()
    pool = BlockPool(source, 10_000)
    content = content_of(1, 1024)
    leader, follower = (asyncio.create_task(pool.read(content, 0, 10)) for _ in range(2))
    await asyncio.sleep(0.01)
    leader.cancel()
    await asyncio.wait([leader])
    source.gate.set()

    assert bytes(await follower) == truth(1, 1024)[:10]
    assert bytes(await pool.read(content, 0, 10)) == truth(1, 1024)[:10]
    assert len(source.reads) == 1


async def test_a_fetch_that_nobody_wants_any_more_is_cancelled_and_its_room_given_back() -> None:
    source = CountingSource()
    source.gate = asyncio.Event()
    pool = BlockPool(source, 10_000)
    readers = [asyncio.create_task(pool.read(content_of(1, 5000), 0, 5000)) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert pool.stats().reserved_bytes == 5000
    for reader in readers:
        reader.cancel()
    await asyncio.wait(readers)
    await asyncio.sleep(0.01)

    assert source.running == 0
    assert pool.stats().reserved_bytes == 0
    assert pool.stats().in_flight == 0


async def test_a_reader_who_leaves_the_line_lets_the_next_one_in() -> None:
    source = CountingSource()
    source.gate = asyncio.Event()
    pool = BlockPool(source, 1024, room_wait_s=30)
    first, second, third = (
        asyncio.create_task(pool.read(content_of(number, 1024), 0, 10)) for number in (1, 2, 3)
    )
    await asyncio.sleep(0.01)
    second.cancel()
    await asyncio.wait([second])
    source.gate.set()

    async with asyncio.timeout(2):
        assert bytes(await first) == truth(1, 1024)[:10]
        assert bytes(await third) == truth(3, 1024)[:10]
    assert [read[0] for read in source.reads] == [1, 3]


async def test_readers_who_come_and_go_at_random_leave_the_books_in_order() -> None:
    source = CountingSource()
    pool = BlockPool(source, 8 * 1024, room_wait_s=0.01)
    contents = [content_of(number, 9000, (300, 8000)) for number in range(6)]
    dice = random.Random(11)

    async def reader(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(10):
            content = own.choice(contents)
            offset, size = own.randrange(9000), own.randrange(4000)
            data = await pool.read(content, offset, size)
            assert bytes(data) == truth(content.id, 9000)[offset : offset + size]

    readers = [asyncio.create_task(reader(seed)) for seed in range(100)]
    for step in range(100):
        await asyncio.sleep(0)
        readers[dice.randrange(100)].cancel()
        stats = pool.stats()
        assert stats.bytes + stats.reserved_bytes <= 8 * 1024, step
    outcomes = await asyncio.gather(*readers, return_exceptions=True)
    await asyncio.sleep(0.02)

    assert {type(outcome) for outcome in outcomes} == {type(None), asyncio.CancelledError}
    stats = pool.stats()
    assert (stats.reserved_bytes, stats.pinned, stats.in_flight) == (0, 0, 0)
    assert source.running == 0
