"""Faults that come again and again leave no descriptor, thread or connection behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.faults.bench import SHOWN, Bench
from tests.faults.footprint import CONNECTIONS_MAX, Footprint, connections, footprint
from tests.faults.proxy import Fault
from tests.faults.readers import Stream
from tests.lab.mounting import Mount

ROUNDS = 8
SETTLED_AFTER = 3
"""By then every pool has had its load."""
HELD_AFTER_BYTES = 500_000
MORE_MAX = 2
SETTLE_S = 10.0


def spoil(bench: Bench, mount: Mount, kind: str, fault: Fault) -> None:
    """Read all tracks, a fault in the middle."""
    gate = threading.Event()
    gate.set()
    held = bench.proxies[kind].hold_after(HELD_AFTER_BYTES)
    streams = [Stream(mount.mountpoint / SHOWN / name, gate) for name in bench.tracks]
    for stream in streams:
        stream.start()
    assert held.wait(30)
    bench.proxies[kind].begin(fault)
    bench.proxies[kind].end()
    assert [stream.outcome().errno for stream in streams] == [None] * len(streams)


def leaks(pid: int, settled: Footprint, port: int, kind: str) -> bool:
    """Whether a process holds more than it did, or more connections than it may."""
    now = footprint(pid)
    return (
        now.files > settled.files + MORE_MAX
        or now.threads > settled.threads + MORE_MAX
        or connections(pid, port) > CONNECTIONS_MAX[kind]
    )


@pytest.mark.long
@pytest.mark.parametrize("fault", [Fault.RESET, Fault.REFUSE, Fault.BLACK_HOLE])
@pytest.mark.parametrize("kind", ["sftp", "s3"])
def test_repeated_faults_leave_nothing(
    bench: Bench, tmp_path: Path, kind: str, fault: Fault
) -> None:
    with bench.mount(tmp_path, (kind,), cache="off", timeout="1 s") as mount:
        mount.wait_indexed()
        assert mount.process is not None
        pid = mount.process.pid
        settled = footprint(pid)
        for number in range(ROUNDS):
            spoil(bench, mount, kind, fault)
            if number == SETTLED_AFTER:
                settled = footprint(pid)
        until_s = time.monotonic() + SETTLE_S
        while leaks(pid, settled, bench.proxies[kind].port, kind):
            assert time.monotonic() < until_s, f"{footprint(pid)}, settled at {settled}"
            time.sleep(0.2)
