"""Looks whether the kernel's next request is there before waiting for it.

pyfuse3's asyncio layer registers the device with the event loop anew for each request, which costs
two system calls and a turn of the loop: half of what a small request costs. It looks its
`wait_readable` up at each call, so it can be given another one.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable

import pyfuse3.asyncio

REQUESTS_IN_A_ROW_MAX = 16
"""Then everything else in the loop has its turn."""

_WaitReadable = Callable[[int], Awaitable[None]]


def poll_first() -> None:
    """Have pyfuse3 poll its device first. Call it after `pyfuse3.asyncio.enable`; twice is once."""
    waiting: _WaitReadable = pyfuse3.asyncio.wait_readable
    if not isinstance(waiting, _PollFirst):
        pyfuse3.asyncio.wait_readable = _PollFirst(waiting)


class _PollFirst:
    """`wait_readable`, for one device at a time."""

    def __init__(self, wait: _WaitReadable) -> None:
        self._wait = wait
        self._fd = -1
        self._poll = select.poll()
        self._in_a_row = 0

    async def __call__(self, fd: int) -> None:
        if fd != self._fd:
            self._fd, self._poll = fd, select.poll()
            self._poll.register(fd, select.POLLIN)
        if not self._poll.poll(0):
            self._in_a_row = 0
            await self._wait(fd)
            return
        self._in_a_row += 1
        if self._in_a_row >= REQUESTS_IN_A_ROW_MAX:
            self._in_a_row = 0
            await asyncio.sleep(0)
