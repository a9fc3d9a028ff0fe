"""Attempts at the same thing, side by side: the first good one is enough, the others are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Generic, TypeVar

V = TypeVar("V")


class Race(Generic[V]):
    """Attempts that end with their context: who is left is cancelled and waited for."""

    def __init__(self) -> None:
        self._running: list[asyncio.Task[V]] = []

    def __repr__(self) -> str:
        return f"<Race {len(self._running)} running>"

    async def __aenter__(self) -> Race[V]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._running:
            task.cancel()
        # also marks their errors as seen: they are nobody's
        await asyncio.gather(*self._running, return_exceptions=True)

    def start(self, attempt: Coroutine[Any, Any, V]) -> asyncio.Task[V]:
        """Run an attempt in a task of its own."""
        task = asyncio.create_task(attempt)
        self._running.append(task)
        return task

    async def ended(self, seconds: float | None) -> list[asyncio.Task[V]]:
        """Wait until an attempt has ended: those that have, in the order in which they started.

        None of them when that takes longer than `seconds`.
        """
        if not self._running:
            return []
        done, _ = await asyncio.wait(
            self._running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
        )
        found = [task for task in self._running if task in done]
        self._running = [task for task in self._running if task not in done]
        return found
