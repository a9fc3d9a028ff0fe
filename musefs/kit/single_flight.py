"""One fetch per key, shared by everyone who waits for it.

The fetch runs in a task that the flight owns, so a reader who leaves takes nothing from the
others; when the last one has gone the task is cancelled. A result lives only as long as its flight:
the next call after a success or a failure starts a new one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Flight(Generic[V]):
    """A running fetch and how many wait for it."""

    __slots__ = ("task", "waiters")

    def __init__(self, task: asyncio.Task[V]) -> None:
        self.task = task
        self.waiters = 0


class SingleFlight(Generic[K, V]):
    """Fetches that are under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[K, _Flight[V]] = {}
        self._tasks: set[asyncio.Task[V]] = set()

    def __len__(self) -> int:
        return len(self._flights)

    def __contains__(self, key: K) -> bool:
        return key in self._flights

    async def fetch(self, key: K, start: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """Join the fetch of that key, or start it. Raises what the fetch raises."""
        flight = self._flights.get(key)
        if flight is None or flight.task.done():
            flight = self._launch(key, start())
        flight.waiters += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done():
                self._abandon(key, flight)

    def _launch(self, key: K, fetching: Coroutine[Any, Any, V]) -> _Flight[V]:
        task = asyncio.create_task(fetching)
        flight = self._flights[key] = _Flight(task)
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._landed(key, flight, done))
        return flight

    def _abandon(self, key: K, flight: _Flight[V]) -> None:
        """Nobody waits any more: whoever comes now gets a flight that is not being cancelled."""
        flight.task.cancel()
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _landed(self, key: K, flight: _Flight[V], task: asyncio.Task[V]) -> None:
        self._tasks.discard(task)
        if self._flights.get(key) is flight:
            del self._flights[key]
        if not task.cancelled():
            task.exception()  # an abandoned flight's error is nobody's: mark it as seen

    async def aclose(self) -> None:
        """Cancel every fetch and wait until all have ended; who still waits is cancelled too."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
