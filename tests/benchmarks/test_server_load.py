"""A server's processor time and core are those of all its processes."""

from __future__ import annotations

import os
import subprocess
import sys

from benchmarks.server_load import cpu_s, descendants, placed

BUSY_S = 0.2
CHILD = f"""
import subprocess, sys, time
busy = 'import time\\nwhile time.process_time() < {BUSY_S}: pass\\nprint(1, flush=True); input()'
subprocess.run([sys.executable, '-c', busy])
"""


def test_children_count_and_move_too() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"1\n"
        pids = descendants(process.pid)
        assert len(pids) == 2
        assert cpu_s(process.pid) > cpu_s(pids[1]) >= BUSY_S
        cores = os.sched_getaffinity(0)
        with placed("one", [process.pid]):
            assert os.sched_getaffinity(pids[1]) == os.sched_getaffinity(0) == {max(cores)}
        assert os.sched_getaffinity(pids[1]) == os.sched_getaffinity(0) == cores
        process.communicate(b"\n")
