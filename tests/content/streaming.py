"""A pool over a counting source, and files that are read from it as players do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from musefs.content.block_pool import BlockPool
from musefs.content.chunking import Span
from musefs.content.passed_runs import Near
from musefs.content.readahead import ReadAhead, ReadAheadBudget
from musefs.kit.background import BackgroundTasks
from musefs.model import Content
from tests.content.shelves import until
from tests.fakes.source import CountingSource, content_of, truth

MIB = 1 << 20
KERNEL_READ = 128 << 10
SONG = content_of(1, 30 * MIB, (9000, 30 * MIB - 128))


class Bench:
    """A pool over a counting source, and what open files share."""

    def __init__(self, bytes_max: int = 64 * MIB) -> None:
        self.source = CountingSource()
        self.pool = BlockPool(self.source, 64 * MIB)
        self.budget = ReadAheadBudget(bytes_max)
        self.tasks = BackgroundTasks(tasks_max=1000)

    def open(self, readahead_bytes_max: int = 8 * MIB) -> ReadAhead:
        """A file."""
        return ReadAhead(self.pool, self.budget, self.tasks, readahead_bytes_max)

    async def play(self, file: ReadAhead, offset: int, total: int) -> None:
        """Read as the kernel does for a player, checking the bytes."""
        whole = truth(SONG.id, SONG.size)
        for position in range(offset, offset + total, KERNEL_READ):
            data = file.peek(SONG, position, KERNEL_READ)
            if data is None:
                data = await file.read(SONG, position, KERNEL_READ)
            assert bytes(data) == whole[position : position + KERNEL_READ]
            await asyncio.sleep(0)

    @property
    def fetched_up_to(self) -> int:
        """The end of what was asked for at the source."""
        return max(offset + size for _, offset, size in self.source.reads)


def near_when(has: Callable[[Content, int], Awaitable[bool]]) -> Near:
    """A disk that has the chunks at these offsets, and reads ahead by itself."""

    async def will_need(_content: Content, _span: Span) -> None:
        await asyncio.sleep(0)

    return Near(has, will_need)


async def idle(bench: Bench) -> None:
    """Wait until nothing is asked for ahead any more."""
    await until(lambda: len(bench.tasks) == 0)
