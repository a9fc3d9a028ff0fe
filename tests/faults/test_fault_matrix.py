"""Every fault at every kind of origin, with one replica and with two, under eight readers.

With two replicas no reader notices. With one, each gets the right bytes or EIO in time, and
everything is right again after the fault. Wrong bytes, a hang or a leak are never all right.
"""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.bench import AUDIO_BYTES, SHOWN, SPARE, TRACKS, Bench
from tests.faults.footprint import CONNECTIONS_MAX, Footprint, connections, footprint
from tests.faults.making import making
from tests.faults.readers import Lister, Outcome, Stream, read_afresh
from tests.lab.mounting import Mount

DEADLINE_S = 35.0
FAULT_S = 3.0
AGAIN_S = 20.0
SETTLE_S = 10.0
HELD_AFTER_BYTES = 300_000
LIST_S_MAX = 0.25
FILES_MORE_MAX = 2 * TRACKS
THREADS_MORE_MAX = 16

BY_PROXY = ("reset", "stall", "cut", "slow", "refuse", "black hole")
FAULTS = {
    "sftp": (*BY_PROXY, "wrong bytes", "auth lost", "restart"),
    "s3": (*BY_PROXY, "wrong bytes", "auth lost", "restart", "503 storm"),
    "local": ("wrong bytes", "restart", "truncated"),
}
CASES = [
    (kind, fault, replicas)
    for kind, faults in FAULTS.items()
    for fault in faults
    for replicas in (1, 2)
]
QUICK = {
    ("sftp", "reset", 1),
    ("sftp", "stall", 2),
    ("sftp", "cut", 2),
    ("sftp", "slow", 1),
    ("sftp", "wrong bytes", 2),
    ("sftp", "restart", 1),
    ("sftp", "auth lost", 2),
    ("s3", "reset", 2),
    ("s3", "cut", 1),
    ("s3", "refuse", 2),
    ("s3", "black hole", 1),
    ("s3", "503 storm", 2),
    ("s3", "auth lost", 1),
    ("local", "wrong bytes", 2),
    ("local", "truncated", 2),
    ("local", "restart", 1),
}
"""Each fault and each kind, in less than two minutes."""


@dataclass(frozen=True)
class Case:
    """What is to go wrong where."""

    kind: str
    fault: str
    replicas: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The origins, the one that fails first."""
        return (self.kind, SPARE[self.kind]) if self.replicas == 2 else (self.kind,)

    @property
    def changes_files(self) -> bool:
        """Whether it is the files that change, so that others may be shown meanwhile."""
        return self.fault in ("wrong bytes", "truncated")


def marks(case: tuple[str, str, int]) -> list[pytest.MarkDecorator]:
    """Of a case: whether it takes too long for every day."""
    return [] if case in QUICK else [pytest.mark.long]


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(Case(*case), id="-".join(map(str, case)).replace(" ", "_"), marks=marks(case))
        for case in CASES
    ],
)
def test_readers_survive(bench: Bench, tmp_path: Path, case: Case) -> None:
    # Wrong bytes can be told from right ones only where the right ones were stored.
    options = {"cache": "on"} if case.fault == "wrong bytes" else {}
    with bench.mount(tmp_path, case.kinds, **options) as mount:
        mount.wait_indexed()
        if case.fault == "wrong bytes":
            _know_and_lose(mount, bench, tmp_path / "state/chunks")
        lister = Lister([mount.mountpoint, mount.mountpoint / SHOWN])
        outcomes, before = _stream(mount, bench, case)
        listing_s = lister.p99_s()
        print(f"p99 of a listing: {listing_s * 1000:.1f} ms")
        _judge(outcomes, bench, case, mount.log)
        _read_again(mount, bench)
        assert listing_s < LIST_S_MAX
        _nothing_leaked(mount, bench, case, before)


def _know_and_lose(mount: Mount, bench: Bench, chunks: Path) -> None:
    """Have the digests of all chunks recorded, and then the chunks lost."""
    for name, data in bench.tracks.items():
        assert read_afresh(mount.mountpoint / SHOWN / name) == data
    until_s = time.monotonic() + SETTLE_S
    while mount.status()["cache"]["disk_bytes"] < TRACKS * AUDIO_BYTES:
        assert time.monotonic() < until_s, mount.status()
        time.sleep(0.1)
    for path in chunks.rglob("*"):
        if path.is_file():
            path.unlink()


def _stream(mount: Mount, bench: Bench, case: Case) -> tuple[Sequence[Outcome], Footprint]:
    """Read all tracks at once, the fault in the middle; what came of it, what was held before."""
    gate = threading.Event()
    streams = [Stream(mount.mountpoint / SHOWN / name, gate) for name in bench.tracks]
    for stream in streams:
        stream.start()
    for stream in streams:
        assert stream.at_gate.wait(DEADLINE_S)
    assert mount.process is not None
    before = footprint(mount.process.pid)
    if case.kind in bench.proxies and case.fault != "wrong bytes":
        # With requests under way, whichever they are.
        held = bench.proxies[case.kind].hold_after(HELD_AFTER_BYTES)
        gate.set()
        assert held.wait(DEADLINE_S)
    with making(case.fault)(bench, case.kind):
        gate.set()
        if case.kind in bench.proxies and case.fault not in BY_PROXY:
            bench.proxies[case.kind].end()
        if case.replicas == 1:
            _let_last(streams)
        else:
            return [stream.outcome() for stream in streams], before
    return [stream.outcome() for stream in streams], before


def _let_last(streams: Sequence[Stream]) -> None:
    """As long as the fault is to last, or until it has ended every reader."""
    until_s = time.monotonic() + FAULT_S
    for stream in streams:
        stream.join(max(0.0, until_s - time.monotonic()))


def _judge(outcomes: Sequence[Outcome], bench: Bench, case: Case, log: str) -> None:
    for outcome, right in zip(outcomes, bench.tracks.values(), strict=True):
        assert right.startswith(outcome.data), "wrong bytes"
        assert outcome.slowest_s < DEADLINE_S
        assert outcome.errno in (None, errno.EIO)
        if outcome.errno is None:
            assert len(outcome.data) == len(right)
    failed = [outcome for outcome in outcomes if outcome.errno]
    slowest_s = max(outcome.slowest_s for outcome in outcomes)
    print(f"{len(failed)} of {len(outcomes)} readers failed, the slowest read: {slowest_s:.1f} s")
    if case.replicas == 2:
        assert failed == [], log[-2000:]


def _read_again(mount: Mount, bench: Bench) -> None:
    """Every track has its right bytes, at the latest when its origin was looked at again."""
    until_s = time.monotonic() + AGAIN_S
    for name, right in bench.tracks.items():
        while _read_or_not(mount.mountpoint / SHOWN / name) != right:
            assert time.monotonic() < until_s, f"{name} stays wrong: {mount.log[-2000:]}"
            time.sleep(0.1)


def _read_or_not(path: Path) -> bytes:
    try:
        return read_afresh(path)
    except OSError:
        return b""


def _nothing_leaked(mount: Mount, bench: Bench, case: Case, before: Footprint) -> None:
    assert mount.process is not None
    pid = mount.process.pid
    until_s = time.monotonic() + SETTLE_S
    while (found := _leaks(pid, bench, case, before)) or mount.status()["open_files"] > 1:
        assert time.monotonic() < until_s, f"{found} {mount.status()['open_files']}"
        time.sleep(0.2)


def _leaks(pid: int, bench: Bench, case: Case, before: Footprint) -> list[str]:
    after = footprint(pid)
    found = []
    if case.kind in bench.proxies:
        count = connections(pid, bench.proxies[case.kind].port)
        if count > CONNECTIONS_MAX[case.kind]:
            found.append(f"{count} connections")
    if after.files > before.files + FILES_MORE_MAX:
        found.append(f"{after.files} files, {before.files} before")
    if after.threads > before.threads + THREADS_MORE_MAX:
        found.append(f"{after.threads} threads, {before.threads} before")
    return found
