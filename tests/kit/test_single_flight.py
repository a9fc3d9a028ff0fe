"""Shared fetches: one per key, its outcome for all who wait, nothing kept."""

from __future__ import annotations

import asyncio

import pytest

from musefs.kit.single_flight import SingleFlight


async def test_a_hundred_callers_share_one_fetch() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    started = 0

    async def fetch() -> int:
        nonlocal started
        started += 1
        await asyncio.sleep(0)
        return 7

    answers = await asyncio.gather(*(flights.fetch("key", fetch) for _ in range(100)))

    assert answers == [7] * 100
    assert started == 1
    assert len(flights) == 0


async def test_different_keys_are_fetched_side_by_side() -> None:
    flights: SingleFlight[int, int] = SingleFlight()
    both = asyncio.Barrier(2)

    async def fetch() -> int:
        return await both.wait()

    assert sorted(await asyncio.gather(*(flights.fetch(key, fetch) for key in (1, 2)))) == [0, 1]


async def test_a_failure_reaches_all_who_wait_and_the_next_call_tries_again() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    outcomes = iter([ConnectionError("no"), None])

    async def fetch() -> int:
        await asyncio.sleep(0)
        error = next(outcomes)
        if error is not None:
            raise error
        return 1

    failed = await asyncio.gather(
        *(flights.fetch("key", fetch) for _ in range(10)), return_exceptions=True
    )

    assert [type(error) for error in failed] == [ConnectionError] * 10
    assert await flights.fetch("key", fetch) == 1


async def test_a_result_is_not_kept() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    numbers = iter(range(5))

    async def fetch() -> int:
        return next(numbers)

    assert [await flights.fetch("key", fetch) for _ in range(3)] == [0, 1, 2]


async def test_closing_ends_what_is_under_way() -> None:
    flights: SingleFlight[str, None] = SingleFlight()
    ended = asyncio.Event()

    async def fetch() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    waiting = asyncio.create_task(flights.fetch("key", fetch))
    await asyncio.sleep(0.01)
    assert "key" in flights
    await flights.aclose()

    assert ended.is_set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert len(flights) == 0


async def test_who_comes_in_the_moment_after_a_failure_does_not_get_that_failure() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    go = asyncio.Event()
    outcomes = iter([ConnectionError("no"), None])

    async def fetch() -> int:
        await go.wait()
        error = next(outcomes)
        if error is not None:
            raise error
        return 1

    async def come_late() -> int:
        await go.wait()
        return await flights.fetch("key", fetch)

    early = asyncio.create_task(flights.fetch("key", fetch))
    await asyncio.sleep(0.01)
    late = asyncio.create_task(come_late())
    await asyncio.sleep(0.01)
    go.set()

    assert await late == 1
    with pytest.raises(ConnectionError):
        await early
