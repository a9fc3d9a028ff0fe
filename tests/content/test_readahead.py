"""Read-ahead: nothing extra for scans and seeks, a full link for a stream, and a bound for all."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from musefs.content.readahead import (
    BYTES_UNDER_WAY_MAX,
    RUN_BYTES_MAX,
    WINDOW_BYTES_MIN,
    WINDOW_BYTES_WHEN_PROBED,
    ReadAhead,
    ReadAheadBudget,
)
from musefs.errors import ContentUnavailable
from musefs.kit.background import BackgroundTasks
from musefs.model import CHUNK_BYTES, Content
from tests.content.shelves import until
from tests.content.streaming import KERNEL_READ, MIB, SONG, Bench, idle, near_when
from tests.fakes.source import content_of


async def test_one_read_in_the_middle_fetches_the_chunks_it_touches(bench: Bench) -> None:
    await bench.open().read(SONG, 15 * MIB, 64 << 10)
    await idle(bench)
    assert len(bench.source.reads) <= 2


async def test_random_reads_fetch_nothing_else(bench: Bench) -> None:
    file = bench.open()
    for position in (20 * MIB, 3 * MIB, 27 * MIB, 9 * MIB, 0):
        await file.read(SONG, position, 4096)
    await idle(bench)
    assert len(bench.source.reads) == 5
    assert repr(file) == "<ReadAhead 0 KiB, 0 loading>"


async def test_a_scan_of_head_and_tail_fetches_nothing_else(bench: Bench) -> None:
    file = bench.open()
    for offset in range(0, 64 << 10, 16 << 10):
        await file.read(SONG, offset, 16 << 10)
    await file.read(SONG, SONG.size - 4096, 4096)
    await idle(bench)
    assert [read[1] for read in bench.source.reads] == [0, 9000, *bench_tail()]


def bench_tail() -> list[int]:
    """Where the last two chunks of the song begin: the end of the audio, and the tag after it."""
    audio_chunks = (SONG.audio_end - SONG.audio_start - 1) // CHUNK_BYTES
    return [SONG.audio_start + audio_chunks * CHUNK_BYTES, SONG.audio_end]


async def test_a_stream_is_read_ahead_further_and_further_up_to_the_bound(bench: Bench) -> None:
    file = bench.open()
    leads = []
    position = 0
    for _ in range(100):
        await bench.play(file, position, KERNEL_READ)
        position += KERNEL_READ
        await idle(bench)
        leads.append(bench.fetched_up_to - position)
    assert leads[1] <= 2 * CHUNK_BYTES
    assert all(lead <= 8 * MIB + CHUNK_BYTES for lead in leads)
    assert leads[-1] >= 8 * MIB - RUN_BYTES_MAX - CHUNK_BYTES
    assert len(bench.source.reads) == len(set(bench.source.reads))


async def test_several_requests_are_under_way_at_once(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, MIB)
    await idle(bench)
    bench.source.gate = asyncio.Event()
    bench.source.running_max = 0
    for position in range(MIB, 3 * MIB, KERNEL_READ):
        file._follow(SONG, position, KERNEL_READ)
    await until(lambda: bench.source.running_max >= 4)
    bench.source.gate.set()


async def test_the_next_run_waits_for_one_to_end_and_not_for_the_reader(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, 2 * MIB)
    await idle(bench)
    bench.pool.drop(SONG.id)
    bench.source.gate = asyncio.Event()
    bench.source.running_max = 0
    for position in range(2 * MIB, 10 * MIB, KERNEL_READ):
        file._follow(SONG, position, KERNEL_READ)
    await until(lambda: bench.source.running_max >= BYTES_UNDER_WAY_MAX // RUN_BYTES_MAX)
    asked = len(bench.source.reads)
    await asyncio.sleep(0.02)
    assert len(bench.source.reads) == asked
    under_way = sum(size for _, _, size in bench.source.reads[-bench.source.running :])
    assert BYTES_UNDER_WAY_MAX - RUN_BYTES_MAX < under_way <= BYTES_UNDER_WAY_MAX
    bench.source.gate.set()
    await until(lambda: len(bench.source.reads) > asked)
    await idle(bench)


async def test_while_files_are_probed_little_is_read_ahead(bench: Bench) -> None:
    """ffprobe reads a part of the first MiB of one file after the other."""

    async def probe() -> int:
        bench.pool.drop(SONG.id)
        bench.source.reads.clear()
        file = bench.open()
        await bench.play(file, 0, 512 << 10)
        await idle(bench)
        file.close()
        return sum(size for _, _, size in bench.source.reads)

    assert await probe() > WINDOW_BYTES_MIN
    for _ in range(3):
        assert await probe() <= WINDOW_BYTES_WHEN_PROBED + (512 << 10) + 2 * CHUNK_BYTES
    bench.pool.drop(SONG.id)
    song = bench.open()
    await bench.play(song, 0, 4 * MIB)
    await idle(bench)
    song.close()
    assert await probe() > WINDOW_BYTES_MIN


async def test_who_goes_on_out_of_what_is_kept_near_is_read_ahead_at_once(bench: Bench) -> None:
    async def is_near(_content: Content, offset: int) -> bool:
        return offset < SONG.audio_start

    file = ReadAhead(bench.pool, bench.budget, bench.tasks, 8 * MIB, near_when(is_near))
    await file.read(SONG, 0, 8 << 10)
    await file.read(SONG, 8 << 10, 64 << 10)
    await idle(bench)
    assert bench.fetched_up_to >= WINDOW_BYTES_MIN
    assert (bench.source.reads.count((1, SONG.audio_start, CHUNK_BYTES))) == 1
    scan = ReadAhead(bench.pool, bench.budget, bench.tasks, 8 * MIB, near_when(is_near))
    before = len(bench.source.reads)
    await scan.read(SONG, 15 * MIB, 4 << 10)
    await idle(bench)
    assert len(bench.source.reads) <= before + 2


async def test_requests_for_all_files_are_bounded() -> None:
    bench = Bench()
    bench.budget = ReadAheadBudget(64 * MIB, requests_max=3)
    file = bench.open()
    await bench.play(file, 0, 2 * MIB)
    bench.source.gate = asyncio.Event()
    bench.source.running_max = 0
    for chunk in range(8):
        bench.pool.drop(SONG.id)
        file._follow(SONG, 2 * MIB + chunk * KERNEL_READ, KERNEL_READ)
    await asyncio.sleep(0.02)
    assert bench.source.running_max == 3
    await bench.tasks.aclose()
    await bench.pool.aclose()


async def test_a_seek_stops_it_and_gives_everything_back(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, 2 * MIB)
    assert bench.budget.taken_bytes > 0
    await file.read(SONG, 25 * MIB, 4096)
    assert bench.budget.taken_bytes == 0
    await idle(bench)
    assert bench.fetched_up_to <= 25 * MIB + 2 * CHUNK_BYTES


async def test_the_budget_bounds_all_files_together() -> None:
    bench = Bench(bytes_max=2 * MIB)
    files = [bench.open() for _ in range(5)]
    for step in range(0, 3 * MIB, KERNEL_READ):
        for number, file in enumerate(files):
            await bench.play(file, number * 5 * MIB + step, KERNEL_READ)
            assert bench.budget.taken_bytes <= 2 * MIB
    for file in files:
        file.close()
    assert bench.budget.taken_bytes == 0
    await bench.tasks.aclose()
    await bench.pool.aclose()


async def test_closing_the_file_cancels_what_is_on_its_way(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, 2 * MIB)
    bench.source.gate = asyncio.Event()
    await asyncio.sleep(0.01)
    file.close()
    await idle(bench)
    await until(lambda: bench.source.running == 0)
    assert bench.budget.taken_bytes == 0


async def test_requests_that_arrive_in_another_order_are_still_a_stream(bench: Bench) -> None:
    file = bench.open()
    for offset in range(0, 4 * MIB, 2 * KERNEL_READ):
        await file.read(SONG, offset + KERNEL_READ, KERNEL_READ)
        await file.read(SONG, offset, KERNEL_READ)
    await idle(bench)
    assert bench.fetched_up_to > 8 * MIB


async def test_a_content_that_is_not_cached_is_never_read_ahead(bench: Bench) -> None:
    local = content_of(2, 4 * MIB, cacheable=False)
    file = bench.open()
    for offset in range(0, 2 * MIB, KERNEL_READ):
        assert file.peek(local, offset, KERNEL_READ) is None
        await file.read(local, offset, KERNEL_READ)
    await idle(bench)
    assert {size for _, _, size in bench.source.reads} == {KERNEL_READ}


async def test_a_failure_ahead_is_told_to_nobody_until_the_reader_is_there(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    file = bench.open()
    await bench.play(file, 0, MIB)
    await idle(bench)
    bench.source.failures.extend(ContentUnavailable("down") for _ in range(200))
    last = bench.fetched_up_to
    await bench.play(file, MIB, last - MIB - (last - MIB) % KERNEL_READ - KERNEL_READ)
    await idle(bench)
    assert len(bench.source.failures) < 200
    assert caplog.records == []
    with pytest.raises(ContentUnavailable):
        await file.read(SONG, last, KERNEL_READ)
    bench.source.failures.clear()
    await bench.play(file, 10 * MIB, 2 * MIB)


async def test_a_second_pass_over_cached_bytes_starts_nothing(bench: Bench) -> None:
    await bench.play(bench.open(), 0, 4 * MIB)
    await idle(bench)
    asked = len(bench.source.reads)
    file = bench.open()
    await bench.play(file, 0, 2 * MIB)
    assert len(bench.tasks) == 0
    assert len(bench.source.reads) == asked


async def test_no_more_tasks_run_than_there_may_be() -> None:
    bench = Bench()
    bench.tasks = BackgroundTasks(tasks_max=1)
    file = bench.open()
    await bench.play(file, 0, 2 * MIB)
    taken = bench.budget.taken_bytes
    assert 0 < taken <= 2 * RUN_BYTES_MAX
    file.close()
    await bench.tasks.aclose()
    await bench.pool.aclose()


async def test_a_failure_ahead_ends_the_window(bench: Bench) -> None:
    file = bench.open()
    await bench.play(file, 0, MIB)
    await idle(bench)
    asked = len(bench.source.reads)
    bench.source.failures.append(ContentUnavailable("down"))
    position = MIB
    while len(bench.source.reads) == asked:
        file._follow(SONG, position, KERNEL_READ)
        position += KERNEL_READ
        await idle(bench)
    assert repr(file) == "<ReadAhead 0 KiB, 0 loading>"


async def test_tags_and_large_art_in_front_of_the_audio_start_nothing(bench: Bench) -> None:
    art = replace(SONG, audio_start=3 * MIB, regions=(0, 9000, 3 * MIB, SONG.audio_end, SONG.size))
    file = bench.open()
    for position in range(0, 3 * MIB, KERNEL_READ):
        await file.read(art, position, KERNEL_READ)
    await idle(bench)
    assert bench.fetched_up_to == 3 * MIB
