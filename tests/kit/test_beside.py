"""Work that runs beside something else and ends with it."""

from __future__ import annotations

import asyncio

import pytest

from musefs.kit.beside import beside


class Worker:
    """Runs until it is cancelled or told to fail; its end takes a moment."""

    def __init__(self) -> None:
        self.fail = asyncio.Event()
        self.ended = False

    async def run(self) -> None:
        try:
            await self.fail.wait()
            raise ConnectionError("lost")
        finally:
            await asyncio.sleep(0.01)
            self.ended = True


async def test_work_ends_with_the_context_and_is_waited_for() -> None:
    workers = [Worker(), Worker()]
    failures: list[BaseException] = []
    async with beside([worker.run() for worker in workers], failures.append):
        await asyncio.sleep(0)
        assert not any(worker.ended for worker in workers)
    assert all(worker.ended for worker in workers)
    assert failures == []


async def test_the_context_may_end_by_an_exception() -> None:
    worker = Worker()

    async def breaks() -> None:
        async with beside([worker.run()], lambda error: None):
            await asyncio.sleep(0)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await breaks()
    assert worker.ended


async def test_work_that_fails_is_told_at_once_and_the_rest_goes_on() -> None:
    first, second = Worker(), Worker()
    failures: list[BaseException] = []
    async with beside([first.run(), second.run()], failures.append):
        first.fail.set()
        await asyncio.sleep(0.05)
        assert [str(error) for error in failures] == ["lost"]
        assert not second.ended
    assert len(failures) == 1


async def test_work_that_returns_is_no_failure() -> None:
    failures: list[BaseException] = []
    async with beside([asyncio.sleep(0)], failures.append):
        await asyncio.sleep(0.01)
    assert failures == []


async def test_a_cancellation_ends_the_work_too() -> None:
    worker = Worker()

    async def waits() -> None:
        async with beside([worker.run()], lambda error: None):
            await asyncio.Event().wait()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert worker.ended
