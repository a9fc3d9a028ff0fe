"""From the mount to the unmount, in good order and in bad: nothing hangs, nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab.mounting import Mount, mount_line, musefs, write_config
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins, digest

WAITING_READS = 1_000
LS_S_MAX = 0.05


@pytest.fixture
def config(library: ThreeOrigins, tmp_path: Path) -> Path:
    return write_config(tmp_path / "musefs.yaml", library.config(tmp_path / "state"))


@pytest.fixture
def mount(config: Path, tmp_path: Path) -> Iterator[Mount]:
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        yield mount


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_unmounts_and_leaves_nothing(mount: Mount, number: signal.Signals) -> None:
    state = mount.mountpoint.parent / "state"
    assert mount.stop(number) == 0
    assert mount_line(mount.mountpoint) is None
    left = {path.name for path in state.iterdir()}
    assert left == {"catalogue.db", "chunks", "lock"}


def test_a_mount_is_there_again_after_a_kill(mount: Mount, config: Path) -> None:
    before = {path: (digest(path), path.stat().st_ino) for path in mount.files()}
    assert mount.stop(signal.SIGKILL) == -signal.SIGKILL
    with pytest.raises(OSError, match="not connected"):
        os.listdir(mount.mountpoint)
    assert mount_line(mount.mountpoint) is not None  # stale, as a crash leaves it
    mount.start()
    mount.wait_indexed()
    assert {path: (digest(path), path.stat().st_ino) for path in mount.files()} == before
    assert mount.stop() == 0
    done = musefs("fsck", config, environment=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_mount_of_one_state_folder_is_refused(mount: Mount, config: Path) -> None:
    other = mount.mountpoint.parent / "other"
    other.mkdir()
    done = musefs("mount", config, other, environment=ENVIRONMENT)
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert str(mount.process and mount.process.pid) in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_mountpoint_in_use_is_refused(mount: Mount, library: ThreeOrigins) -> None:
    done = musefs("mount", library.local, mount.mountpoint, environment={"HOME": "/nonexistent"})
    assert done.returncode == 1
    assert f"{mount.mountpoint}: musefs:" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert mount.files()


@pytest.mark.parametrize("case", ["missing", "file", "full"])
def test_an_unusable_mountpoint_is_refused(config: Path, tmp_path: Path, case: str) -> None:
    mountpoint = tmp_path / "there"
    if case == "file":
        mountpoint.write_text("")
    elif case == "full":
        (mountpoint / "something").mkdir(parents=True)
    done = musefs("mount", config, mountpoint, environment=ENVIRONMENT)
    assert done.returncode == 1
    assert str(mountpoint) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert mount_line(mountpoint) is None


def test_a_missing_fuse_device_is_told(config: Path, tmp_path: Path) -> None:
    (tmp_path / "mnt").mkdir()
    hide = "mount -t tmpfs none /dev && mknod /dev/urandom c 1 9"
    command = f"{hide} && exec {sys.executable} -m musefs mount {config} {tmp_path}/mnt"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **ENVIRONMENT},
        check=False,
    )
    assert done.returncode == 1
    assert "/dev/fuse is missing" in done.stderr
    assert "--device /dev/fuse" in done.stderr


def test_background_returns_when_the_tree_can_be_walked(config: Path, tmp_path: Path) -> None:
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        count = len(mount.files())
    done = musefs("mount", "--background", config, tmp_path / "mnt", environment=ENVIRONMENT)
    try:
        assert done.returncode == 0, done.stderr
        assert len(list(Path(tmp_path / "mnt").rglob("*.*"))) >= count
    finally:
        ended = musefs("unmount", tmp_path / "mnt")
    assert ended.returncode == 0, ended.stderr
    assert mount_line(tmp_path / "mnt") is None


def test_shutdown_waits_for_open_files_as_long_as_it_is_told(mount: Mount, config: Path) -> None:
    descriptor = os.open(mount.files()[0], os.O_RDONLY)
    began = time.monotonic()
    assert musefs("shutdown", config, "--drain", "1").returncode == 0
    assert mount.process is not None
    mount.process.wait(10)
    assert 0.9 < time.monotonic() - began < 6
    with pytest.raises(OSError, match="not connected"):
        os.close(descriptor)
    assert mount_line(mount.mountpoint) is None


def test_an_unmount_from_outside_ends_the_service(mount: Mount) -> None:
    assert mount.process is not None
    subprocess.run(["fusermount3", "-u", str(mount.mountpoint)], check=True, timeout=10)
    assert mount.process.wait(10) == 0
    state = mount.mountpoint.parent / "state"
    assert {path.name for path in state.iterdir()} == {"catalogue.db", "chunks", "lock"}


def test_a_full_disk_stops_no_reader(library: ThreeOrigins, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], check=True)
    try:
        config = write_config(tmp_path / "musefs.yaml", library.config(small / "state"))
        with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
            mount.wait_indexed()
            assert {digest(path) for path in mount.files()} == set(library.originals)
            assert mount.log.count("nothing is cached on the disk") <= 2
            assert mount.stop() == 0
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_every_change_is_refused(mount: Mount) -> None:
    file = mount.files()[0]
    other = mount.mountpoint / "new"
    changes: list[Callable[[], object]] = [
        lambda: os.open(file, os.O_WRONLY),
        lambda: os.open(file, os.O_RDWR),
        lambda: os.open(other, os.O_CREAT | os.O_WRONLY),
        lambda: os.truncate(file, 0),
        lambda: os.mkdir(other),
        lambda: os.unlink(file),
        lambda: os.rmdir(file.parent),
        lambda: os.rename(file, other),
        lambda: os.link(file, other),
        lambda: os.symlink(file, other),
        lambda: os.chmod(file, 0o777),
        lambda: os.chown(file, 1, 1),
        lambda: os.utime(file),
        lambda: os.mkfifo(other),
        lambda: os.setxattr(file, "user.x", b"y"),
        lambda: os.removexattr(file, "user.musefs.track"),
    ]
    for change in changes:
        with pytest.raises(OSError, match="Read-only file system"):
            change()


def test_a_mount_ends_in_time_although_its_origins_hang(
    library: ThreeOrigins, mount: Mount
) -> None:
    far = [p for p in mount.files() if os.getxattr(p, "user.musefs.origin") == b"bucket"]
    library.s3.pause()
    try:
        readers = [threading.Thread(target=_try_to_read, args=[path]) for path in far[:4]]
        for reader in readers:
            reader.start()
        time.sleep(0.5)
        began = time.monotonic()
        assert mount.stop() == 0
        assert time.monotonic() - began < 5
        for reader in readers:
            reader.join(5)
            assert not reader.is_alive()
    finally:
        library.s3.resume()
    assert mount_line(mount.mountpoint) is None


def test_a_thousand_waiting_reads_do_not_delay_a_listing(
    library: ThreeOrigins, mount: Mount
) -> None:
    far = [
        path
        for path in mount.files()
        if os.getxattr(path, "user.musefs.origin") == b"bucket" and path.stat().st_size > 200_000
    ]
    folders = sorted({path.parent for path in far})
    with ThreadPoolExecutor(WAITING_READS) as pool:
        library.s3.pause()
        try:
            reads = [
                pool.submit(_try_to_read, far[number % len(far)], number)
                for number in range(WAITING_READS)
            ]
            time.sleep(1.0)
            waiting = sum(not read.done() for read in reads)
            times = sorted(_timed_listing(folders[number % len(folders)]) for number in range(50))
        finally:
            library.s3.resume()
        assert waiting == WAITING_READS
        assert times[-2] < LS_S_MAX, times[-5:]
        assert all(read.result(60) for read in reads)


def _try_to_read(path: Path, number: int = 0) -> bool:
    """Read without the kernel's cache, so that each reader waits for the server itself."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
        try:
            # In the middle: beginning and end are kept near.
            middle = os.fstat(descriptor).st_size // 1024 * 512
            return bool(os.pread(descriptor, 512, middle + 512 * (number % 16)))
        finally:
            os.close(descriptor)
    except OSError:
        return False


def _timed_listing(folder: Path) -> float:
    began = time.perf_counter()
    for entry in os.scandir(folder):
        entry.stat()
    return time.perf_counter() - began
