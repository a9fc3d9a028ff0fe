"""Work that nobody waits for, yet that somebody ends: a bounded set of tasks with one owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

log = logging.getLogger(__name__)


class BackgroundTasks:
    """At most `tasks_max` tasks at a time; `aclose` cancels them and waits for their end."""

    def __init__(self, tasks_max: int) -> None:
        self._tasks_max = tasks_max
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._tasks)

    def __repr__(self) -> str:
        return f"<BackgroundTasks {len(self)} of {self._tasks_max}>"

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None] | None:
        """Run `work()` in a task of its own; None when there are too many or all is closed."""
        if self._closed or len(self._tasks) >= self._tasks_max:
            return None
        task = asyncio.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            log.error("a background task failed: %r; please report it", error, exc_info=error)

    async def aclose(self) -> None:
        """Take no more work, cancel what runs and wait for its end. May be called twice."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
