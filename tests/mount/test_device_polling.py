"""The kernel's device is polled before it is waited for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pyfuse3.asyncio
import pytest

from musefs.mount.device_polling import REQUESTS_IN_A_ROW_MAX, _PollFirst, poll_first

PATIENCE_S = 5.0


class Waiting:
    """pyfuse3's own way of waiting: notes each use, and ends when it is told to."""

    def __init__(self) -> None:
        self.fds: list[int] = []
        self.goes_on = asyncio.Event()

    async def __call__(self, fd: int) -> None:
        self.fds.append(fd)
        await self.goes_on.wait()


class Pipe:
    """What stands for the device."""

    def __init__(self) -> None:
        self.reader, self._writer = os.pipe()

    def send(self) -> None:
        """Have a request in it."""
        os.write(self._writer, b"x")

    def take(self) -> None:
        """Take a request out."""
        assert os.read(self.reader, 1) == b"x"

    def hang_up(self) -> None:
        """End it as an unmount does."""
        os.close(self._writer)
        self._writer = -1

    def close(self) -> None:
        """Close both ends."""
        os.close(self.reader)
        if self._writer >= 0:
            os.close(self._writer)


@pytest.fixture
def pipes() -> Iterator[tuple[Pipe, Pipe]]:
    both = Pipe(), Pipe()
    yield both
    for pipe in both:
        pipe.close()


@pytest.fixture
def pipe(pipes: tuple[Pipe, Pipe]) -> Pipe:
    return pipes[0]


def suspends(polling: _PollFirst, fd: int) -> bool:
    """Whether a look at the device suspends; it is then ended."""
    steps = polling(fd).__await__()
    try:
        next(steps)
    except StopIteration:
        return False
    steps.close()
    return True


async def test_a_request_that_is_there_is_not_waited_for(pipe: Pipe) -> None:
    waiting = Waiting()
    polling = _PollFirst(waiting)
    pipe.send()
    assert not suspends(polling, pipe.reader)
    assert waiting.fds == []
    pipe.take()
    assert suspends(polling, pipe.reader)
    assert waiting.fds == [pipe.reader]


async def test_others_have_their_turn_after_some_requests(pipe: Pipe) -> None:
    waiting = Waiting()
    polling = _PollFirst(waiting)
    pipe.send()
    turns = [suspends(polling, pipe.reader) for _ in range(3 * REQUESTS_IN_A_ROW_MAX)]
    row = [False] * (REQUESTS_IN_A_ROW_MAX - 1) + [True]
    assert turns == 3 * row
    assert waiting.fds == []  # it only lets others run


async def test_a_pause_begins_a_new_row(pipe: Pipe) -> None:
    polling = _PollFirst(Waiting())
    pipe.send()
    assert not any(suspends(polling, pipe.reader) for _ in range(REQUESTS_IN_A_ROW_MAX - 1))
    pipe.take()
    assert suspends(polling, pipe.reader)
    pipe.send()
    assert not any(suspends(polling, pipe.reader) for _ in range(REQUESTS_IN_A_ROW_MAX - 1))


async def test_a_device_that_was_closed_is_not_waited_for(pipe: Pipe) -> None:
    # Its reader is told by reading; whoever waited would wait for ever.
    polling = _PollFirst(Waiting())
    pipe.hang_up()
    assert not suspends(polling, pipe.reader)


async def test_another_device_is_followed(pipes: tuple[Pipe, Pipe]) -> None:
    first, second = pipes
    waiting = Waiting()
    polling = _PollFirst(waiting)
    first.send()
    assert not suspends(polling, first.reader)
    assert suspends(polling, second.reader)
    second.send()
    first.take()
    assert not suspends(polling, second.reader)
    assert suspends(polling, first.reader)
    assert waiting.fds == [second.reader, first.reader]


async def test_pyfuse3_polls_first_however_often_it_is_told(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Waiting()
    monkeypatch.setattr(pyfuse3.asyncio, "wait_readable", waiting)
    poll_first()
    polling = pyfuse3.asyncio.wait_readable
    poll_first()
    assert pyfuse3.asyncio.wait_readable is polling
    assert polling._wait is waiting


async def test_a_request_that_comes_later_ends_the_wait(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pyfuse3.asyncio, "wait_readable", pyfuse3.asyncio.wait_readable)
    poll_first()
    look = asyncio.ensure_future(pyfuse3.asyncio.wait_readable(pipe.reader))
    await asyncio.sleep(0)
    assert not look.done()
    pipe.send()
    async with asyncio.timeout(PATIENCE_S):
        await look
    await pyfuse3.asyncio.wait_readable(pipe.reader)
