"""A content source in memory that counts, can be held up and can fail."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from functools import lru_cache

from musefs.errors import ContentChanged
from musefs.model import Accepts, Content, ContentId


@lru_cache(maxsize=64)
def truth(content_id: int, size: int) -> bytes:
    """The bytes of a content, different for every id."""
    return random.Random(content_id).randbytes(size)


def content_of(
    content_id: int,
    size: int,
    audio: tuple[int, int] | None = None,
    *,
    cacheable: bool = True,
) -> Content:
    """A content whose audio is all of it when not said otherwise."""
    start, end = audio or (0, size)
    return Content(ContentId(content_id), size, start, end, cacheable)


class CountingSource:
    """Gives the truth; `reads` lists what it was asked for."""

    def __init__(self) -> None:
        self.reads: list[tuple[int, int, int]] = []
        self.running = 0
        self.running_max = 0
        self.failures: deque[Exception] = deque()
        self.gate: asyncio.Event | None = None
        self.overrides: dict[int, bytes] = {}

    async def read(
        self, content: Content, offset: int, size: int, accepts: Accepts | None = None
    ) -> bytes:
        """Answer a loop step later, when the gate is open, or raise the next failure."""
        self.reads.append((content.id, offset, size))
        self.running += 1
        self.running_max = max(self.running_max, self.running)
        try:
            await asyncio.sleep(0)
            if self.gate is not None:
                await self.gate.wait()
            if self.failures:
                raise self.failures.popleft()
            data = self.overrides.get(content.id) or truth(content.id, content.size)
            part = data[offset : offset + size]
            if accepts is not None and not accepts(part):
                raise ContentChanged("nobody has the right bytes")
            return part
        finally:
            self.running -= 1
