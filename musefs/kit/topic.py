"""News as values: whoever publishes never waits, whoever listens has a bounded queue.

A subscriber that falls behind loses the oldest values and is told how many, in their place.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Missed:
    """So many values were dropped here because the subscriber was slow."""

    count: int


class Subscription(Generic[T]):
    """The values published since it was entered; iterate it, leave it to unsubscribe."""

    def __init__(self, topic: Topic[T], values_max: int) -> None:
        self._topic = topic
        self._values: deque[T] = deque()
        self._values_max = values_max
        self._missed = 0
        self._ended = False
        self._news = asyncio.Event()

    def __enter__(self) -> Subscription[T]:
        self._topic.subscribers.add(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._topic.subscribers.discard(self)

    def offer(self, value: T) -> None:
        """Queue a value, dropping the oldest when the queue is full."""
        if len(self._values) >= self._values_max:
            self._values.popleft()
            self._missed += 1
        self._values.append(value)
        self._news.set()

    def end(self) -> None:
        """Nothing more will come: the iteration stops after what is queued."""
        self._ended = True
        self._news.set()

    def __aiter__(self) -> Subscription[T]:
        return self

    async def __anext__(self) -> T | Missed:
        while not self._values:
            if self._ended:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if self._missed:
            missed, self._missed = Missed(self._missed), 0
            return missed
        return self._values.popleft()


class Topic(Generic[T]):
    """One kind of news."""

    def __init__(self) -> None:
        self.subscribers: set[Subscription[T]] = set()
        self._closed = False

    def __repr__(self) -> str:
        return f"<Topic {len(self.subscribers)} subscribers>"

    def publish(self, value: T) -> None:
        """Hand a value to every subscriber; never waits."""
        for subscriber in self.subscribers:
            subscriber.offer(value)

    def subscribe(self, values_max: int = 256) -> Subscription[T]:
        """Listen from `with topic.subscribe() as news` on, holding at most `values_max` values."""
        subscription = Subscription(self, values_max)
        if self._closed:
            subscription.end()
        return subscription

    def close(self) -> None:
        """End every iteration, those of later subscribers too."""
        self._closed = True
        for subscriber in self.subscribers:
            subscriber.end()
