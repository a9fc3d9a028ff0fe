"""Runs a command's asynchronous part on the event loop that the service uses."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

import uvloop

T = TypeVar("T")

_YOUNG_OBJECTS_MAX = 50_000
"""A scan makes millions of objects that die at once and are in no cycle: there is little to find
every 700 of them, where Python looks."""


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and close everything. Raises KeyboardInterrupt after Ctrl-C."""
    gc.set_threshold(_YOUNG_OBJECTS_MAX)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def run_and_abandon(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end, and leave threads that hang on a dead disk: the process has to exit next."""
    gc.set_threshold(_YOUNG_OBJECTS_MAX)
    runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    return runner.run(work)
