"""A stream from afar leaves the memory behind its reader; what is read again stays there."""

from __future__ import annotations

import asyncio

from musefs.content.passed_runs import SLACK_BYTES
from musefs.content.readahead import ReadAhead
from musefs.model import Content
from tests.content.streaming import KERNEL_READ, MIB, SONG, Bench, idle, near_when

WINDOW = 8 * MIB


class Disk:
    """Knows which chunks are near: those that came, or none when it `keeps` nothing."""

    def __init__(self, bench: Bench, *, keeps: bool = True) -> None:
        self.bench = bench
        self.keeps = keeps
        self.held: set[int] = set()

    async def has(self, content: Content, offset: int) -> bool:
        """Whether that chunk is stored: it is once it has come to the memory."""
        await asyncio.sleep(0)
        if self.keeps and self.bench.pool.peek(content, offset, 1) is not None:
            self.held.add(offset)
        return offset in self.held

    def open(self) -> ReadAhead:
        """A file whose chunks it stores."""
        return ReadAhead(
            self.bench.pool, self.bench.budget, self.bench.tasks, WINDOW, near_when(self.has)
        )


async def test_a_stream_keeps_its_window_and_no_more(bench: Bench) -> None:
    file = Disk(bench).open()
    most = 0
    for position in range(0, 28 * MIB, MIB):
        await bench.play(file, position, MIB)
        await idle(bench)
        most = max(most, bench.pool.stats().bytes)
    assert most <= WINDOW + 2 * SLACK_BYTES + 3 * MIB
    file.close()
    await idle(bench)
    assert bench.pool.stats().bytes <= 2 * MIB
    assert bench.budget.taken_bytes == 0


async def test_what_is_read_again_comes_from_the_disk_and_stays(bench: Bench) -> None:
    disk = Disk(bench)
    for _ in range(2):
        file = disk.open()
        await bench.play(file, 0, 28 * MIB)
        await idle(bench)
        file.close()
        await idle(bench)
    assert bench.pool.stats().bytes >= 26 * MIB


async def test_what_the_disk_does_not_take_stays_in_memory(bench: Bench) -> None:
    file = Disk(bench, keeps=False).open()
    await bench.play(file, 0, 28 * MIB)
    file.close()
    await idle(bench)
    assert bench.pool.stats().bytes >= 28 * MIB
    before = len(bench.source.reads)
    assert file.peek(SONG, 20 * MIB, KERNEL_READ) is not None
    assert len(bench.source.reads) == before


async def test_a_block_that_another_reader_puts_together_is_left_alone(bench: Bench) -> None:
    await bench.pool.read(SONG, 0, MIB)
    block = bench.pool._blocks.hit((SONG.id, 1))
    assert block is not None
    bench.pool._blocks.pin(block)
    for offset in range(0, MIB, KERNEL_READ):
        bench.pool.release(SONG, offset)
    assert bench.pool.stats().blocks == 1
    bench.pool._blocks.unpin(block)
    bench.pool.release(SONG, SONG.audio_start)
    assert bench.pool.stats().bytes == 0
