"""musefs and what it is measured against on one machine: mounts of one folder."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.mounts import Mounted, install_rclone, running
from benchmarks.null_mount import write_manifest
from benchmarks.server_load import read_ahead_file
from tests.lab.mounting import Mount, write_config
from tests.lab.sshd import Sshd

LIMIT_S = 1200.0
INDEX_S = 300.0
REPEATS = 9
FOREIGN_REPEATS = 3
"""They are slow, and far enough away."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Where a library is to be seen, and who serves it: `pid`, with `behind` it an SFTP server.

    `mount` is that of musefs. `mounted_s`: how long it took until the tree could be walked.
    `one_core`: it loses nothing by being kept on one.
    """

    name: str
    root: Path
    pid: int | None = None
    behind: tuple[int, ...] = ()
    mount: Mount | None = None
    mounted_s: float | None = None
    repeats: int = REPEATS
    one_core: bool = True

    @property
    def pids(self) -> tuple[int, ...]:
        """All that runs for it."""
        return (*(() if self.pid is None else (self.pid,)), *self.behind)


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration of musefs; `cached` as a server's files are, which for a folder is a wish."""

    originals: Path
    template: str
    cached: bool = False
    memory: str = "256 MiB"
    watch: str = "off"

    def write(self, folder: Path, state: Path | None = None) -> Path:
        """As a file in `folder`, with its state there or elsewhere."""
        origin: dict[str, Any] = {
            "id": "disk",
            "kind": "local",
            "path": str(self.originals),
            "watch": self.watch,
            "cache": "on" if self.cached else "auto",
        }
        document = {
            "state": str(state or folder / "state"),
            "origins": [origin],
            "tree": {"template": self.template},
            "cache": {"memory": self.memory, "disk": "20 GiB"},
            "control": {"metrics": None},
        }
        folder.mkdir(parents=True, exist_ok=True)
        return write_config(folder / "musefs.yaml", document)


@contextmanager
def musefs(config: Path, name: str = "musefs") -> Iterator[Subject]:
    """musefs, mounted beside its configuration; its index is complete."""
    mount = Mount([config], config.parent / "mnt", limit_s=LIMIT_S)
    mount.mountpoint.mkdir(exist_ok=True)
    began_s = time.perf_counter()
    with mount:
        mounted_s = time.perf_counter() - began_s
        assert mount.process is not None
        mount.wait_indexed(INDEX_S)
        pid = mount.process.pid
        yield Subject(name, mount.mountpoint, pid, mount=mount, mounted_s=mounted_s)


@contextmanager
def null(folder: Path, files: Sequence[tuple[str, int]]) -> Iterator[Subject]:
    """The file system that does nothing, with these paths and sizes."""
    folder.mkdir(parents=True)
    manifest = write_manifest(folder / "manifest.json", files)
    command = [sys.executable, "-m", "benchmarks.null_mount", str(manifest), "{mnt}"]
    with running(folder, command, LIMIT_S) as mounted:
        yield Subject("null", mounted.path, mounted.pid)


@contextmanager
def rclone(folder: Path, library: Path, build: Path) -> Iterator[Subject]:
    """rclone with its cache for whole files."""
    binary = install_rclone(build)
    folder.mkdir(parents=True)
    command = [str(binary), "mount", str(library), "{mnt}", "--config", str(folder / "none.conf")]
    command += ["--vfs-cache-mode", "full", "--cache-dir", str(folder / "cache"), "--read-only"]
    with _ready("rclone", running(folder, command, LIMIT_S)) as subject:
        yield subject


@contextmanager
def sshfs(folder: Path, sshd: Sshd, path: str) -> Iterator[Subject]:
    """sshfs as it is by default, from a server on this machine."""
    folder.mkdir(parents=True)
    options = f"ro,IdentityFile={sshd.key},UserKnownHostsFile={sshd.known_hosts}"
    source = f"root@{sshd.host}:{path}"
    command = ["sshfs", source, "{mnt}", "-f", "-p", str(sshd.port), "-o", options]
    with _ready("sshfs", running(folder, command, LIMIT_S), tuple(sshd.pids())) as subject:
        yield subject


def has_sshfs() -> bool:
    """Whether it is installed."""
    return shutil.which("sshfs") is not None


@contextmanager
def _ready(name: str, mount: Any, behind: tuple[int, ...] = ()) -> Iterator[Subject]:
    began_s = time.perf_counter()
    with mount as found:
        mounted: Mounted = found
        list(mounted.path.iterdir())
        mounted_s = time.perf_counter() - began_s
        yield Subject(
            name,
            mounted.path,
            mounted.pid,
            behind,
            mounted_s=mounted_s,
            repeats=FOREIGN_REPEATS,
            one_core=name != "rclone",
        )


def read_ahead_alike(subject: Subject, model: Subject) -> None:
    """Have the kernel read as far ahead in one mount as in another."""
    read_ahead_file(subject.root).write_text(read_ahead_file(model.root).read_text())
