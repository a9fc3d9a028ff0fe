"""What a server costs, and on which core it runs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

_CPUCLOCK_SCHED = 2  # see posix-timers(7) and linux/posix-timers.h


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += descendants(int(child))
    return found


def cpu_s(pid: int) -> float:
    """What a process and its children have used, ended threads included, to the nanosecond."""
    total = 0.0
    for one in descendants(pid):
        with contextlib.suppress(OSError):
            total += time.clock_gettime(~one << 3 | _CPUCLOCK_SCHED)
    return total


Cores = Literal["one", "any"]
"""Where client and server run: on one core, or where the kernel likes."""


@contextmanager
def placed(cores: Cores, pids: Iterable[int]) -> Iterator[None]:
    """Keep this thread, and what it starts, and these processes with all their threads, there."""
    if cores == "any":
        yield
        return
    usual = os.sched_getaffinity(0)
    tasks = [task for pid in pids for one in descendants(pid) for task in _tasks(one)]
    try:
        for task in (0, *tasks):
            _allow(task, {max(usual)})
        yield
    finally:
        for task in (0, *tasks):
            _allow(task, usual)


def _tasks(pid: int) -> list[int]:
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def _allow(task: int, cores: set[int]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.sched_setaffinity(task, cores)


def read_ahead_file(mountpoint: Path) -> Path:
    """Where the kernel keeps how many KiB it reads ahead in a mount."""
    device = os.stat(mountpoint).st_dev
    return Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
