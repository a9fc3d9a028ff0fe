"""Listings that are empty, end early or fail remove nothing; a start without any origin neither."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.bench import SHOWN, Bench
from tests.faults.making import making
from tests.faults.proxy import Fault
from tests.faults.readers import read_afresh
from tests.lab.mounting import Mount, musefs

FILLER = 1_000
"""Files that are no music: with them a listing takes several answers of the SFTP server."""
BREAKS_OFF_AFTER_BYTES = {"sftp": 60_000, "s3": 2_500}
"""In the middle of a listing; for S3 on the second page."""
UNCACHED_S_MAX = 35.0
DEFAULTS = {"timeout": "30 s", "connect_timeout": "10 s"}
SHORT = {"timeout": "1 s", "connect_timeout": "1 s"}

SCAN = """
import sys, mutagen
for path in sys.argv[1:]:
    file = mutagen.File(path)
    print(path, sorted(file.tags), len(file.pictures[0].data))
"""


@pytest.fixture
def filled(bench: Bench) -> Iterator[Bench]:
    """The servers, files beside the music at the SFTP server."""
    filler = bench.origins.sshd.files / "filler"
    filler.mkdir()
    names = [f"{'long name ' * 8}{number:04}.txt" for number in range(FILLER)]
    for name in names:
        (filler / name).touch()
    yield bench
    shutil.rmtree(filler)


def sights(mount: Mount) -> list[str]:
    """What `find` tells of the tree: names, sizes, dates, inodes."""
    found = subprocess.run(
        ["find", mount.mountpoint / SHOWN, "-printf", r"%p %s %T@ %i\n"],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return sorted(found.stdout.splitlines())


def tag_scan(mount: Mount) -> str:
    """What mutagen reads of every track."""
    done = subprocess.run(
        [sys.executable, "-c", SCAN, *mount.files()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def read_middle(path: Path) -> bytes:
    """One read where nothing is kept near. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return os.pread(descriptor, 4096, os.fstat(descriptor).st_size // 2)
    finally:
        os.close(descriptor)


def rescan(folder: Path) -> int:
    """Rescan all origins of a mount; the exit code."""
    return musefs("rescan", "--config", folder / "musefs.yaml").returncode


@pytest.mark.parametrize("kind", ["sftp", "s3"])
def test_a_listing_that_breaks_off_removes_nothing(
    filled: Bench, tmp_path: Path, kind: str
) -> None:
    with filled.mount(tmp_path, (kind,)) as mount:
        mount.wait_indexed()
        before = sights(mount)
        held = filled.proxies[kind].hold_after(BREAKS_OFF_AFTER_BYTES[kind])
        codes: list[int] = []
        scan = threading.Thread(target=lambda: codes.append(rescan(tmp_path)))
        scan.start()
        assert held.wait(30)
        filled.proxies[kind].begin(Fault.REFUSE)
        try:
            scan.join(60)
            assert codes
            assert codes[0] != 0
            assert sights(mount) == before
        finally:
            filled.proxies[kind].end()
        assert rescan(tmp_path) == 0
        assert sights(mount) == before


def emptied_folder(bench: Bench) -> Callable[[], None]:
    """Take the music away from the SFTP server; how to bring it back."""
    files = bench.origins.sshd.files
    away = files.rename(files.with_name("away"))
    files.mkdir()

    def back() -> None:
        files.rmdir()
        away.rename(files)

    return back


def emptied_bucket(bench: Bench) -> Callable[[], None]:
    """Delete every object; how to bring them back."""
    for key in bench.origins.s3.listing():
        bench.origins.s3.delete(key)

    def back() -> None:
        for name, data in bench.tracks.items():
            bench.put(name, data)

    return back


@pytest.mark.parametrize(
    ("kind", "emptied"), [("sftp", emptied_folder), ("s3", emptied_bucket)], ids=["sftp", "s3"]
)
def test_an_empty_listing_removes_nothing(
    bench: Bench, tmp_path: Path, kind: str, emptied: Callable[[Bench], Callable[[], None]]
) -> None:
    with bench.mount(tmp_path, (kind,)) as mount:
        mount.wait_indexed()
        before = sights(mount)
        back = emptied(bench)
        try:
            rescan(tmp_path)
            assert sights(mount) == before
            assert [origin["held_back"] for origin in mount.status()["origins"]] == [
                len(bench.tracks)
            ]
        finally:
            back()
        assert rescan(tmp_path) == 0
        assert sights(mount) == before


@pytest.mark.parametrize(
    ("kind", "fault"), [("sftp", "auth lost"), ("s3", "503 storm"), ("s3", "auth lost")]
)
def test_a_refused_listing_removes_nothing(
    bench: Bench, tmp_path: Path, kind: str, fault: str
) -> None:
    with bench.mount(tmp_path, (kind,)) as mount:
        mount.wait_indexed()
        before = sights(mount)
        with making(fault)(bench, kind):
            assert rescan(tmp_path) != 0
            assert sights(mount) == before
        assert rescan(tmp_path) == 0
        assert sights(mount) == before


@pytest.mark.parametrize(
    "limits",
    [SHORT, pytest.param(DEFAULTS, marks=pytest.mark.long)],
    ids=["quick", "defaults"],
)
def test_a_start_without_origins_shows_everything(
    bench: Bench, tmp_path: Path, limits: dict[str, str]
) -> None:
    with bench.mount(tmp_path, ("s3",), **limits) as mount:
        mount.wait_indexed()
        before, tags = sights(mount), tag_scan(mount)
        cached, *_, uncached = sorted(bench.tracks)
        assert read_afresh(mount.mountpoint / SHOWN / cached) == bench.tracks[cached]
        assert mount.stop() == 0  # what was read is on the disk then
        with ExitStack() as stack:
            stack.enter_context(making("black hole")(bench, "s3"))
            mount.start()
            assert sights(mount) == before
            assert tag_scan(mount) == tags
            assert read_afresh(mount.mountpoint / SHOWN / cached) == bench.tracks[cached]
            began_s = time.monotonic()
            with pytest.raises(OSError, match=os.strerror(errno.EIO)):
                read_middle(mount.mountpoint / SHOWN / uncached)
            took_s = time.monotonic() - began_s
            print(f"an uncached read failed after {took_s:.1f} s")
            assert took_s < UNCACHED_S_MAX
            assert sights(mount) == before
        assert read_afresh(mount.mountpoint / SHOWN / uncached) == bench.tracks[uncached]
