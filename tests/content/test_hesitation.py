"""Who first reads out of what is kept near waits a moment, for he may be gone then."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from musefs.content.readahead import HESITATION_S, ReadAhead
from musefs.errors import ContentUnavailable
from musefs.model import CHUNK_BYTES, Content
from tests.content.streaming import KERNEL_READ, MIB, SONG, Bench, near_when

NEAR = replace(SONG, regions=(0, 9000, 60_000, SONG.size - 10_000, SONG.size - 128, SONG.size))
"""A song whose beginning and end are kept."""


async def test_who_closes_the_file_at_once_costs_the_origin_nothing(bench: Bench) -> None:
    file = bench.open()
    await file.read(NEAR, 0, 32 << 10)
    bench.source.reads.clear()
    ahead = asyncio.create_task(file.read(NEAR, 32 << 10, KERNEL_READ))
    await asyncio.sleep(0.01)
    file.give_up()
    with pytest.raises(ContentUnavailable, match="closed before"):
        await ahead
    assert bench.source.reads == []


async def test_who_goes_on_reading_waits_once_and_for_a_moment(bench: Bench) -> None:
    file = bench.open()
    loop = asyncio.get_running_loop()
    begin = loop.time()
    await asyncio.gather(
        *(file.read(NEAR, at, KERNEL_READ) for at in (0, KERNEL_READ, 2 * KERNEL_READ))
    )
    assert HESITATION_S <= loop.time() - begin < 5 * HESITATION_S
    begin = loop.time()
    for at in (10 * MIB, 15 * MIB, 20 * MIB):
        await file.read(NEAR, at, KERNEL_READ)
    assert loop.time() - begin < HESITATION_S


async def test_nobody_waits_for_a_page_for_what_is_kept_or_for_what_is_near(bench: Bench) -> None:
    loop = asyncio.get_running_loop()
    begin = loop.time()
    file = bench.open()
    await file.read(NEAR, 70_000, 4096)
    await file.read(NEAR, 70_000, 8192)
    await bench.open().read(NEAR, 10 * MIB, KERNEL_READ)  # a seek is meant
    await file.read(NEAR, 0, 60_000)
    await file.read(NEAR, NEAR.size - 10_000, 10_000)

    async def is_near(content: Content, offset: int) -> bool:
        return offset >= CHUNK_BYTES

    near = ReadAhead(bench.pool, bench.budget, bench.tasks, near=near_when(is_near))
    await near.read(NEAR, 70_000 + CHUNK_BYTES, KERNEL_READ)
    assert loop.time() - begin < HESITATION_S
