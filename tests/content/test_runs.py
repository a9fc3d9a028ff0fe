"""Runs of neighbouring chunks: few requests for a stream, and each chunk still on its own."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from musefs.content.block_pool import RUN_CHUNKS_MIN, BlockPool
from musefs.content.readahead import RUN_BYTES_MAX, SEQUENTIAL_BYTES_MIN, WINDOW_BYTES_MIN
from musefs.errors import ContentUnavailable
from musefs.model import CHUNK_BYTES
from tests.content.shelves import until
from tests.content.streaming import KERNEL_READ, MIB, SONG, Bench, idle
from tests.fakes.source import CountingSource, truth

BODY = SONG.audio_start


def span(chunks: int) -> tuple[int, int]:
    """Offset and size of the first chunks of the body."""
    return BODY, chunks * CHUNK_BYTES


async def test_a_long_stream_costs_few_requests_and_no_byte_twice(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, 28 * MIB)
    await idle(bench)
    spans = sorted((offset, offset + size) for _, offset, size in bench.source.reads)
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(spans))
    assert all(end - start <= RUN_BYTES_MAX for start, end in spans)
    assert len(spans) <= 64


async def test_read_ahead_begins_with_what_fills_a_round_trip(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, SEQUENTIAL_BYTES_MIN + KERNEL_READ)
    await idle(bench)
    assert bench.fetched_up_to >= SEQUENTIAL_BYTES_MIN + WINDOW_BYTES_MIN - CHUNK_BYTES


async def test_neighbours_come_in_one_request_and_two_side_by_side() -> None:
    source = CountingSource()
    pool = BlockPool(source, 64 * MIB)
    offset, size = span(RUN_CHUNKS_MIN)
    assert bytes(await pool.read(SONG, offset, size)) == truth(1, SONG.size)[BODY : BODY + size]
    assert source.reads == [(1, BODY, size)]
    await pool.read(SONG, BODY + size, 2 * CHUNK_BYTES)
    assert len(source.reads) == 3


async def test_who_wants_a_chunk_of_a_run_joins_it_and_may_leave() -> None:
    source = CountingSource()
    source.gate = asyncio.Event()
    pool = BlockPool(source, 64 * MIB)
    ahead = asyncio.create_task(pool.read(SONG, *span(4)))
    await until(lambda: source.running == 1)
    reader = asyncio.create_task(pool.read(SONG, BODY + CHUNK_BYTES, 100))
    await asyncio.sleep(0)
    ahead.cancel()
    await asyncio.wait([ahead])
    assert source.running == 1
    source.gate.set()
    expected = truth(1, SONG.size)[BODY + CHUNK_BYTES : BODY + CHUNK_BYTES + 100]
    assert bytes(await reader) == expected
    assert len(source.reads) == 1
    assert pool.stats().reserved_bytes == 0


async def test_a_run_that_fails_fails_for_all_and_is_tried_again() -> None:
    source = CountingSource()
    source.failures.append(ContentUnavailable("down"))
    pool = BlockPool(source, 64 * MIB)
    with pytest.raises(ContentUnavailable):
        await pool.read(SONG, *span(4))
    assert len(source.reads) == 1
    assert len(await pool.read(SONG, *span(4))) == 4 * CHUNK_BYTES
    assert pool.stats().in_flight == 0


async def test_a_run_longer_than_the_memory_is_answered_within_it() -> None:
    source = CountingSource()
    pool = BlockPool(source, 3 * CHUNK_BYTES, room_wait_s=0.05)
    offset, size = span(8)
    assert bytes(await pool.read(SONG, offset, size)) == truth(1, SONG.size)[BODY : BODY + size]
    assert pool.stats().bytes <= 3 * CHUNK_BYTES
    assert pool.stats().reserved_bytes == 0
