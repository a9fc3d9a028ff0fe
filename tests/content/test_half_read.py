"""When a file counts as half read: after a stream, not after scans and seeks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from musefs.content.block_pool import BlockPool
from musefs.content.readahead import ReadAhead, ReadAheadBudget
from musefs.kit.background import BackgroundTasks
from tests.fakes.source import CountingSource, content_of

MIB = 1 << 20
KERNEL_READ = 128 << 10
SONG = content_of(1, 10 * MIB, (4 * MIB, 10 * MIB))
HALF = 7 * MIB


@pytest.fixture
async def file() -> AsyncIterator[ReadAhead]:
    pool, tasks = BlockPool(CountingSource(), 64 * MIB), BackgroundTasks(100)
    yield ReadAhead(pool, ReadAheadBudget(8 * MIB), tasks)
    await tasks.aclose()
    await pool.aclose()


async def play(file: ReadAhead, start: int, end: int) -> None:
    for position in range(start, end, KERNEL_READ):
        if file.peek(SONG, position, KERNEL_READ) is None:
            await file.read(SONG, position, KERNEL_READ)


async def test_a_stream_through_half_of_the_audio_is_told_once(file: ReadAhead) -> None:
    told: list[bool] = []
    file.half_read = lambda: told.append(True)
    await play(file, 0, HALF)
    assert told == []
    await play(file, HALF, HALF + KERNEL_READ)
    assert told == [True]
    await play(file, HALF, SONG.size)
    await play(file, 0, SONG.size)
    assert told == [True]


async def test_a_scan_of_head_and_tail_is_not_told(file: ReadAhead) -> None:
    told: list[bool] = []
    file.half_read = lambda: told.append(True)
    await play(file, 0, 4 * MIB + KERNEL_READ)
    await play(file, 9 * MIB, SONG.size)
    await play(file, 5 * MIB, 6 * MIB)
    await play(file, 0, 4 * MIB)
    assert told == []
