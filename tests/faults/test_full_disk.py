"""A disk for chunks that is full or turns read-only: every read goes on with the right bytes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bench import SHOWN, Bench
from tests.faults.proxy import Fault
from tests.faults.readers import read_afresh
from tests.lab.mounting import Mount, musefs

DISK_BYTES = 64 << 20
BALLAST_BYTES = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB where the chunks will be."""
    image, folder = tmp_path / "disk", tmp_path / "disk.mnt"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(DISK_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def mounted(bench: Bench, folder: Path, disk: Path) -> Mount:
    """A mount of the SFTP server that keeps its chunks on the disk, none of them there yet."""
    mount = bench.mount(folder, ("sftp",))
    chunks = folder / "state/chunks"
    chunks.rename(folder / "unused")
    (disk / "chunks").mkdir(mode=0o700)
    chunks.symlink_to(disk / "chunks")
    return mount


def fill(disk: Path) -> None:
    """Leave no room on it."""
    descriptor = os.open(disk / "ballast", os.O_WRONLY | os.O_CREAT)
    try:
        for size in (BALLAST_BYTES, 1024):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                _extend(descriptor, size)
    finally:
        os.close(descriptor)


def _extend(descriptor: int, size: int) -> None:
    """Extend a file until an OSError."""
    while True:
        os.posix_fallocate(descriptor, os.fstat(descriptor).st_size, size)


def read_all(mount: Mount, bench: Bench) -> None:
    for name, right in bench.tracks.items():
        assert read_afresh(mount.mountpoint / SHOWN / name) == right


def wait_until_written(mount: Mount) -> None:
    """All that was read is on the disk, and not on its way there."""
    end_s = time.monotonic() + 10
    while True:
        done = musefs("cache", "stats", "--json", "--mountpoint", mount.mountpoint)
        if json.loads(done.stdout)["queued_bytes"] == 0:
            return
        assert time.monotonic() < end_s


def make_read_only(disk: Path) -> None:
    """As soon as nobody writes a file there."""
    end_s = time.monotonic() + 10
    command = ["mount", "-o", "remount,ro", str(disk)]
    while subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode:
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_full_disk_stops_no_reader(bench: Bench, tmp_path: Path, disk: Path) -> None:
    with mounted(bench, tmp_path, disk) as mount:
        mount.wait_indexed()
        first = next(iter(bench.tracks))
        assert read_afresh(mount.mountpoint / SHOWN / first) == bench.tracks[first]
        fill(disk)
        assert os.statvfs(disk).f_bavail <= 1
        for _ in range(2):
            read_all(mount, bench)
        assert mount.log.count("nothing is cached on the disk") == 1
        assert mount.stop() == 0


def test_a_read_only_disk_stops_no_reader(bench: Bench, tmp_path: Path, disk: Path) -> None:
    with mounted(bench, tmp_path, disk) as mount:
        mount.wait_indexed()
        read_all(mount, bench)
        wait_until_written(mount)
        make_read_only(disk)
        read_all(mount, bench)
        bench.proxies["sftp"].begin(Fault.REFUSE)
        try:
            name, right = list(bench.tracks.items())[-1]
            assert read_afresh(mount.mountpoint / SHOWN / name) == right
        finally:
            bench.proxies["sftp"].end()
        assert mount.stop() == 0
        # Nor does one that cannot write from the start.
        mount.start()
        mount.wait_indexed()
        read_all(mount, bench)
        assert mount.stop() == 0
