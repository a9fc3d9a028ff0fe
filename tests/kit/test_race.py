"""Attempts side by side: told in order, and none outlives its race."""

from __future__ import annotations

import asyncio

import pytest

from musefs.kit.race import Race

pytestmark = pytest.mark.looptime


async def after(seconds: float, what: str | Exception) -> str:
    await asyncio.sleep(seconds)
    if isinstance(what, Exception):
        raise what
    return what


async def test_attempts_are_told_as_they_end_in_the_order_of_their_start() -> None:
    async with Race[str]() as race:
        for seconds, name in ((2, "c"), (1, "a"), (1, "b")):
            race.start(after(seconds, name))
        assert await race.ended(0.5) == []
        assert [task.result() for task in await race.ended(None)] == ["a", "b"]
        assert [task.result() for task in await race.ended(9)] == ["c"]
        assert await race.ended(None) == []
    assert asyncio.get_running_loop().time() == pytest.approx(2)


async def test_who_is_left_is_cancelled_and_waited_for() -> None:
    seen: list[str] = []

    async def loser() -> str:
        try:
            return await after(1000, "late")
        finally:
            await asyncio.sleep(1)
            seen.append("tidied up")

    async with Race[str]() as race:
        race.start(loser())
        race.start(after(1, "first"))
        await race.ended(None)
    assert seen == ["tidied up"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_of_a_loser_is_nobodys() -> None:
    async with Race[str]() as race:
        race.start(after(1, ConnectionError("reset")))
        race.start(after(1, "good"))
        await asyncio.sleep(1.5)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_who_leaves_takes_the_attempts_along() -> None:
    ended = asyncio.Event()

    async def attempt() -> str:
        try:
            return await after(1000, "late")
        finally:
            ended.set()

    async def run() -> None:
        async with Race[str]() as race:
            race.start(attempt())
            await race.ended(None)

    running = asyncio.create_task(run())
    await asyncio.sleep(1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()
