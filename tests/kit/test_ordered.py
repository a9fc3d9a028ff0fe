"""Work side by side, results in order."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musefs.kit.ordered import in_order


class Work:
    """Doubles numbers, each in its own time, and counts how many it does at once."""

    def __init__(self) -> None:
        self.running = self.running_max = self.started = self.ended = 0

    async def __call__(self, number: int) -> int:
        self.started += 1
        self.running += 1
        self.running_max = max(self.running_max, self.running)
        try:
            for _ in range(number % 5):
                await asyncio.sleep(0)
            if number < 0:
                raise ValueError(number)
            return number * 2
        finally:
            self.running -= 1
            self.ended += 1


@settings(max_examples=60)
@given(st.lists(st.integers(0, 20), max_size=30), st.integers(1, 8))
def test_results_come_in_the_order_of_the_items_and_never_too_many_at_once(
    items: list[int], at_once_max: int
) -> None:
    async def all_of_them() -> None:
        work = Work()
        assert [r async for r in in_order(items, work, at_once_max)] == [2 * n for n in items]
        assert work.running_max <= at_once_max

    asyncio.run(all_of_them())


async def test_as_many_as_allowed_run_at_once() -> None:
    work = Work()
    assert len([result async for result in in_order([4] * 20, work, 5)]) == 20
    assert work.running_max == 5


async def test_items_are_taken_as_they_are_needed() -> None:
    taken = 0

    def numbers() -> Iterator[int]:
        nonlocal taken
        for number in range(1_000_000):
            taken += 1
            yield number

    async with aclosing(in_order(numbers(), Work(), 3)) as results:
        assert await anext(results) == 0
    assert taken <= 4


async def test_the_first_failure_ends_it_and_what_runs_is_waited_for() -> None:
    work = Work()
    results = in_order([1, 2, -1, 4, 4, 4], work, 4)
    assert [await anext(results), await anext(results)] == [2, 4]
    with pytest.raises(ValueError, match="-1"):
        await anext(results)
    assert (work.running, work.started) == (0, work.ended)


async def test_who_stops_listening_stops_the_work() -> None:
    work = Work()
    async with aclosing(in_order([0, 4, 4, 4], work, 3)) as results:
        assert await anext(results) == 0
        assert work.running > 0
    assert work.running == 0


async def test_a_cancellation_stops_the_work_and_waits_for_its_end() -> None:
    ended = []

    async def hangs(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(number)

    async def listens() -> None:
        async for _ in in_order(range(9), hangs, 3):
            raise AssertionError("nothing ends")

    task = asyncio.create_task(listens())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == [0, 1, 2]
