"""Runs a command's asynchronous part on the event loop that the service uses."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and close everything. Raises KeyboardInterrupt after Ctrl-C."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def run_and_abandon(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, and leave threads that hang on a dead disk: the process has to exit next."""
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    return runner.run(work)
