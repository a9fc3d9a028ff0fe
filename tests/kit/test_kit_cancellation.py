"""Who leaves takes nothing from the others, and nothing goes on for nobody."""

from __future__ import annotations

import asyncio

import pytest

from musefs.kit.background import BackgroundTasks
from musefs.kit.single_flight import SingleFlight


class Fetch:
    """Counts its starts, waits to be let go, and notes a cancellation."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.go = asyncio.Event()

    async def __call__(self) -> str:
        self.started += 1
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "bytes"


async def test_the_first_caller_leaves_and_the_others_get_their_answer() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    fetch = Fetch()
    first, second, third = (asyncio.create_task(flights.fetch("key", fetch)) for _ in range(3))
    await asyncio.sleep(0.01)

    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    fetch.go.set()

    assert (await second, await third) == ("bytes", "bytes")
    assert (fetch.started, fetch.cancelled) == (1, 0)


async def test_the_last_caller_to_leave_cancels_the_fetch() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    fetch = Fetch()
    callers = [asyncio.create_task(flights.fetch("key", fetch)) for _ in range(3)]
    await asyncio.sleep(0.01)

    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    await asyncio.sleep(0.01)

    assert (fetch.started, fetch.cancelled) == (1, 1)
    assert "key" not in flights


async def test_a_newcomer_does_not_join_a_fetch_that_is_being_cancelled() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    fetch = Fetch()
    lonely = asyncio.create_task(flights.fetch("key", fetch))
    await asyncio.sleep(0.01)
    lonely.cancel()
    newcomer = asyncio.create_task(flights.fetch("key", fetch))
    await asyncio.sleep(0.01)
    fetch.go.set()

    assert await newcomer == "bytes"
    assert (fetch.started, fetch.cancelled) == (2, 1)
    assert len(flights) == 0


async def test_a_caller_cancelled_before_the_fetch_began_leaves_no_trace() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    fetch = Fetch()
    caller = asyncio.create_task(flights.fetch("key", fetch))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await asyncio.sleep(0.01)
    fetch.go.set()

    assert await flights.fetch("key", fetch) == "bytes"


async def test_the_error_of_a_fetch_that_nobody_waits_for_is_not_reported_anywhere() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    reported: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))

    async def fails_when_cancelled() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            raise ConnectionError("closed") from error
        return ""

    caller = asyncio.create_task(flights.fetch("key", fails_when_cancelled))
    await asyncio.sleep(0.01)
    caller.cancel()
    await asyncio.wait([caller])
    await asyncio.sleep(0.01)
    del caller

    assert reported == []
    assert len(flights) == 0


async def test_closing_background_tasks_waits_for_their_end() -> None:
    tasks = BackgroundTasks(tasks_max=2)
    ended: list[int] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(1)

    assert tasks.start(work) is not None
    assert tasks.start(work) is not None
    assert tasks.start(work) is None
    await asyncio.sleep(0)
    await tasks.aclose()

    assert ended == [1, 1]
    assert len(tasks) == 0
    assert tasks.start(work) is None
