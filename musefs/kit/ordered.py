"""Work done side by side whose results come in the order of the items."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

_T = TypeVar("_T")
_R = TypeVar("_R")


async def in_order(
    items: Iterable[_T], work: Callable[[_T], Awaitable[_R]], at_once_max: int
) -> AsyncGenerator[_R, None]:
    """`work(item)` for every item, at most so many at once; results in the order of the items.

    The first failure ends the iteration; what still runs is cancelled and waited for.
    """

    async def worked(item: _T) -> _R:
        return await work(item)

    running: deque[asyncio.Task[_R]] = deque()
    try:
        for item in items:
            if len(running) >= at_once_max:
                yield await running[0]
                running.popleft()
            running.append(asyncio.create_task(worked(item)))
        while running:
            yield await running[0]
            running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
