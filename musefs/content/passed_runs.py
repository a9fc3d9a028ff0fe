"""What one reader has passed of what came from afar: it leaves the memory once it is on the disk.

The kernel has its pages and the disk its chunks, so a second copy serves nobody, and a stream would
fill all memory with audio that was heard once. What is read again comes from the disk, and stays.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from musefs.content.chunking import Span, chunks_of
from musefs.model import Content

SLACK_BYTES = 1 << 20
"""The kernel sends several requests of up to this size at once; they arrive in any order."""


@dataclass(frozen=True, slots=True)
class Near:
    """The disk: whether it has the chunk at an offset, and who has it read chunks ahead."""

    has: Callable[[Content, int], Awaitable[bool]]
    will_need: Callable[[Content, Span], Awaitable[None]]


class Memory(Protocol):
    """What has to be known of the block pool."""

    def release(self, content: Content, offset: int) -> None:
        """Give the memory of the chunk at `offset` back, unless somebody is reading it."""
        ...


class PassedRuns:
    """The runs of chunks that one open file was given, until their memory is given back."""

    def __init__(self, memory: Memory, near: Near) -> None:
        self._memory = memory
        self._near = near
        self._runs: list[tuple[Content, Span]] = []

    def __len__(self) -> int:
        return len(self._runs)

    async def is_near(self, content: Content, run: Span) -> bool:
        """Whether the disk has a run, which then is told to read it; else it is noted as passed."""
        if await self._near.has(content, run[0]):
            await self._near.will_need(content, run)
            return True
        self._runs.append((content, run))
        return False

    async def release(self, position: int | None) -> None:
        """Give back what lies well behind a position; everything when the file is closed (None)."""
        runs, self._runs = self._runs, []
        for content, run in runs:
            if position is not None and run[1] + SLACK_BYTES > position:
                self._runs.append((content, run))
                continue
            for chunk in chunks_of(content, run[0], run[1] - run[0]):
                if await self._near.has(content, chunk.start):
                    self._memory.release(content, chunk.start)
