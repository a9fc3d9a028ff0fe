"""The block pool: one fetch for all, a limit that holds, hits that wait for nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from musefs import model
from musefs.content import chunking
from musefs.content.block_pool import BlockPool
from musefs.errors import ContentChanged, ContentUnavailable
from musefs.model import CHUNK_BYTES, Buffer, Content
from tests.fakes.source import CountingSource, content_of, truth

MIB = 1 << 20
SONG = content_of(1, 4 * CHUNK_BYTES + 1000, (5000, 4 * CHUNK_BYTES))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> int:
    for module in (model, chunking):
        monkeypatch.setattr(module, "CHUNK_BYTES", 1024)
    return 1024


def answered_at_once(reading: Coroutine[Any, Any, Buffer]) -> Buffer:
    """Drive a coroutine by hand: it must end without suspending once."""
    with pytest.raises(StopIteration) as stop:
        reading.send(None)
    data: Buffer = stop.value.value
    return data


async def test_a_hundred_readers_of_a_cold_block_cause_one_fetch() -> None:
    source = CountingSource()
    pool = BlockPool(source, 4 * MIB)
    answers = await asyncio.gather(*(pool.read(SONG, 6000, 64) for _ in range(100)))

    assert {bytes(answer) for answer in answers} == {truth(1, SONG.size)[6000:6064]}
    assert source.reads == [(1, 5000, CHUNK_BYTES)]
    stats = pool.stats()
    assert (stats.hits, stats.misses, stats.joined) == (0, 1, 99)


async def test_bytes_are_right_at_every_edge() -> None:
    pool = BlockPool(CountingSource(), 4 * MIB)
    whole = truth(1, SONG.size)
    edges = {0, SONG.size}
    for chunk in chunking.chunks_of(SONG, 0, SONG.size):
        edges |= {chunk.start, chunk.end}
    offsets = sorted({edge + step for edge in edges for step in (-1, 0, 1) if edge + step >= 0})
    for offset in offsets:
        for size in (0, 1, 2, CHUNK_BYTES, SONG.size):
            assert bytes(await pool.read(SONG, offset, size)) == whole[offset : offset + size]


async def test_a_hit_suspends_nothing_and_starts_nothing() -> None:
    source = CountingSource()
    pool = BlockPool(source, 4 * MIB)
    await pool.read(SONG, 0, SONG.size)
    asked = len(source.reads)
    tasks = asyncio.all_tasks()

    one = answered_at_once(pool.read(SONG, 6000, 4096))
    several = answered_at_once(pool.read(SONG, 0, SONG.size))
    past_the_end = answered_at_once(pool.read(SONG, SONG.size, 10))

    assert bytes(one) == truth(1, SONG.size)[6000:10096]
    assert bytes(several) == truth(1, SONG.size)
    assert past_the_end == b""
    assert asyncio.all_tasks() == tasks
    assert len(source.reads) == asked


async def test_peek_answers_hits_only_and_a_slice_of_one_block_is_no_copy() -> None:
    pool = BlockPool(CountingSource(), 4 * MIB)
    assert pool.peek(SONG, 6000, 10) is None
    await pool.read(SONG, 6000, 10)

    first, second = pool.peek(SONG, 6000, 10), pool.peek(SONG, 7000, 10)

    assert isinstance(first, memoryview)
    assert isinstance(second, memoryview)
    assert first.obj is second.obj
    assert first.readonly
    assert pool.peek(SONG, 4990, 20) is None
    assert pool.stats().hits == 2


async def test_a_failed_fetch_reaches_all_readers_and_the_next_read_tries_again() -> None:
    source = CountingSource()
    source.failures.append(ContentUnavailable("down"))
    pool = BlockPool(source, 4 * MIB)
    failed = await asyncio.gather(
        *(pool.read(SONG, 0, 10) for _ in range(20)), return_exceptions=True
    )

    assert [type(error) for error in failed] == [ContentUnavailable] * 20
    assert bytes(await pool.read(SONG, 0, 10)) == truth(1, SONG.size)[:10]
    assert pool.stats().reserved_bytes == 0


async def test_one_failed_block_fails_a_read_over_several_and_leaves_nothing_behind() -> None:
    source = CountingSource()
    source.failures.append(ContentChanged("gone"))
    pool = BlockPool(source, 4 * MIB)
    with pytest.raises(ContentChanged):
        await pool.read(SONG, 0, SONG.size)

    stats = pool.stats()
    assert (stats.reserved_bytes, stats.pinned, stats.in_flight) == (0, 0, 0)
    assert bytes(await pool.read(SONG, 0, SONG.size)) == truth(1, SONG.size)


async def test_a_source_that_gives_too_little_is_an_error_and_is_not_kept() -> None:
    source = CountingSource()
    source.overrides[1] = b"short"
    pool = BlockPool(source, 4 * MIB)
    with pytest.raises(ContentUnavailable, match="5 bytes instead of 5000"):
        await pool.read(SONG, 0, 10)
    assert pool.stats().blocks == 0


async def test_a_content_that_is_not_cached_is_read_straight_through() -> None:
    source = CountingSource()
    pool = BlockPool(source, 4 * MIB)
    content = content_of(2, 1000, cacheable=False)
    for _ in range(2):
        assert bytes(await pool.read(content, 100, 50)) == truth(2, 1000)[100:150]
    assert source.reads == [(2, 100, 50)] * 2
    assert pool.stats().blocks == 0


async def test_the_limit_holds_through_ten_thousand_operations_of_64_readers(
    small_chunks: int,
) -> None:
    limit = 24 * small_chunks
    pool = BlockPool(CountingSource(), limit)
    contents = [content_of(number, 20_000, (777, 19_000)) for number in range(8)]
    operations = iter(range(10_000))
    high_water = 0

    async def reader(seed: int) -> None:
        nonlocal high_water
        dice = random.Random(seed)
        for _ in operations:
            content = dice.choice(contents)
            offset, size = dice.randrange(20_000), dice.randrange(5000)
            if dice.random() < 0.01:
                pool.drop(content.id)
            data = await pool.read(content, offset, size)
            assert bytes(data) == truth(content.id, 20_000)[offset : offset + size]
            stats = pool.stats()
            high_water = max(high_water, stats.bytes + stats.reserved_bytes)

    await asyncio.gather(*(reader(seed) for seed in range(64)))

    stats = pool.stats()
    assert limit / 2 < high_water <= limit
    assert (stats.reserved_bytes, stats.pinned, stats.in_flight) == (0, 0, 0)


async def test_the_counters_equal_what_can_be_recounted(small_chunks: int) -> None:
    source = CountingSource()
    pool = BlockPool(source, 10 * small_chunks)
    content = content_of(3, 50 * small_chunks)
    dice = random.Random(4)
    blocks_read = 0
    for _ in range(500):
        offset, size = dice.randrange(content.size), dice.randrange(1, 3000)
        blocks_read += len(list(chunking.chunks_of(content, offset, size)))
        await pool.read(content, offset, size)
    stats = pool.stats()

    there = [
        chunk
        for chunk in chunking.chunks_of(content, 0, content.size)
        if pool.has(content, chunk.start)
    ]
    assert stats.hits + stats.misses + stats.joined == blocks_read
    fetched = (len(list(chunking.chunks_of(content, at, size))) for _, at, size in source.reads)
    assert stats.misses == sum(fetched)
    assert stats.blocks == len(there) == stats.misses - stats.evictions
    assert stats.bytes == sum(chunk.size for chunk in there)


async def test_a_pool_full_of_pinned_blocks_serves_everybody(small_chunks: int) -> None:
    """Every reader has one block and waits for room for a second one: nobody can go first."""
    source = CountingSource()
    pool = BlockPool(source, 4 * small_chunks, room_wait_s=30)
    contents = [content_of(number, 2 * small_chunks) for number in range(4)]
    for content in contents:
        await pool.read(content, 0, 10)
    source.gate = asyncio.Event()
    readers = [asyncio.create_task(pool.read(one, 0, one.size)) for one in contents]
    await asyncio.sleep(0.01)
    assert pool.stats().pinned == 4
    assert source.running == 1

    source.gate.set()
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*readers)

    for content, answer in zip(contents, answers, strict=True):
        assert bytes(answer) == truth(content.id, content.size)
    assert pool.stats().pinned == 0


async def test_who_waits_too_long_for_room_is_served_without_being_kept(small_chunks: int) -> None:
    source = CountingSource()
    source.gate = asyncio.Event()
    pool = BlockPool(source, small_chunks, room_wait_s=0.02)
    first = asyncio.create_task(pool.read(content_of(1, small_chunks), 0, 10))
    second = asyncio.create_task(pool.read(content_of(2, small_chunks), 0, 10))
    await asyncio.sleep(0.1)
    assert source.running == 2
    source.gate.set()

    assert bytes(await second) == truth(2, small_chunks)[:10]
    assert bytes(await first) == truth(1, small_chunks)[:10]
    assert pool.stats().blocks == 1


async def test_a_block_larger_than_the_pool_is_served_all_the_same(small_chunks: int) -> None:
    pool = BlockPool(CountingSource(), small_chunks // 2)
    content = content_of(5, 10 * small_chunks)
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*(pool.read(content, 0, content.size) for _ in range(5)))
    assert {bytes(answer) for answer in answers} == {truth(5, content.size)}
    assert pool.stats().bytes == 0


async def test_a_slice_of_something_larger_does_not_keep_it_alive() -> None:
    class Slicing:
        async def read(self, content: Content, offset: int, size: int) -> Buffer:
            return memoryview(truth(content.id, content.size))[offset : offset + size]

    pool = BlockPool(Slicing(), MIB)
    data = await pool.read(SONG, 6000, 10)
    assert isinstance(data, memoryview)
    assert len(memoryview(data.obj)) == CHUNK_BYTES


async def test_dropping_and_clearing_give_memory_back() -> None:
    pool = BlockPool(CountingSource(), 4 * MIB)
    other = content_of(2, 1000)
    await pool.read(SONG, 0, SONG.size)
    await pool.read(other, 0, 1000)
    assert repr(pool) == "<BlockPool 7 blocks, 1 MB of 4, 0 loading>"

    pool.drop(SONG.id)
    assert pool.stats().bytes == 1000
    assert pool.clear() == 1000
    assert pool.stats().blocks == 0


async def test_closing_ends_the_fetches_and_frees_the_memory() -> None:
    source = CountingSource()
    source.gate = asyncio.Event()
    pool = BlockPool(source, 4 * MIB)
    reader = asyncio.create_task(pool.read(SONG, 0, 10))
    await asyncio.sleep(0.01)
    await pool.aclose()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert source.running == 0
    assert pool.stats().reserved_bytes == 0
