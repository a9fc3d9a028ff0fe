"""Endless work that runs beside something else, and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(
    work: Iterable[Coroutine[Any, Any, None]], failed: Callable[[BaseException], None]
) -> AsyncIterator[None]:
    """Have these run for as long as the context lasts; then they are cancelled and waited for.

    None of them should end by itself: `failed` is told the exception of one that did.
    """

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            failed(error)

    tasks = [asyncio.create_task(one) for one in work]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
