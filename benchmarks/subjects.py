"""What is measured: musefs and what a user would take instead, each mounted from each server.

Every one is started with its cache empty and ended by its own pid; a watchdog frees whoever hangs
in a mount.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mounts import LIMIT_S, Mounted, install_rclone, running
from benchmarks.namespaces import inside
from tests.lab.mounting import Mount, write_config
from tests.lab.s3server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.lab.sshd import Sshd


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the library is, and the namespace from which it is reached."""

    sshd: Sshd
    s3: S3Server
    client: str


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
def foreign(servers: Servers, folder: Path, command: list[str]) -> Iterator[Mounted]:
    """A foreign file system at the client's end of the link."""
    with inside(servers.client), running(folder, command) as mounted:
        yield mounted


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
        return foreign(servers, folder, command)

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
    return foreign(
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
