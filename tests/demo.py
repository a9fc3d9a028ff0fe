"""`make demo`: a small library in a folder, on an SFTP server and in an S3 bucket, as one tree.

Everything is real: the servers, the mount at demo/mnt, the commands. With KEEP=1 the mount and the
servers stay; `make demo` or `make clean` ends them (`python -m tests.demo end`).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.tree import Tree

from tests.lab.mounting import Mount, abort, mount_line, write_config
from tests.lab.samples import shared_samples
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins, digest, three_origins

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "demo"
KEPT = DEMO / "kept.json"
TRACKS = 60
END_S = 6.0
COLOURS = {"nas": "green", "box": "yellow", "bucket": "cyan"}

console = Console(highlight=False)


def main() -> int:
    """Run the demo; its exit code."""
    end()
    DEMO.mkdir()
    samples = next(iter(shared_samples().values())).parent
    console.print("[bold]1. A library of three thirds: a folder, an SFTP server, an S3 bucket")
    with three_origins(samples, DEMO, TRACKS) as library:
        config = write_config(DEMO / "musefs.yaml", library.config(DEMO / "state"))
        console.print(f"   configuration: {config.relative_to(ROOT)}")
        with Mount([config], DEMO / "mnt", environment=ENVIRONMENT) as mount:
            began = time.monotonic()
            status = mount.wait_indexed()
            console.print(
                f"[bold]2. Mounted at demo/mnt[/]: {status['tracks']} tracks and "
                f"{status['sidecars']} other files, indexed in {time.monotonic() - began:.1f} s"
            )
            _show_tree(mount)
            _read_one(mount, library)
            _show_status(mount)
            if os.environ.get("KEEP") == "1":
                _keep(mount, library)
        console.print("[bold]6. Unmounted.[/] Nothing at the origins was changed.")
    assert mount_line(DEMO / "mnt") is None
    return 0


def _origins(path: Path) -> str:
    names = os.getxattr(path, "user.musefs.origin").decode().split(",")
    return " ".join(f"[{COLOURS[name]}]{name}[/]" for name in names)


def _show_tree(mount: Mount) -> None:
    console.print("[bold]3. The tree, and where each file comes from")
    shown = {mount.mountpoint: Tree("demo/mnt")}
    for path in mount.files():
        for folder in reversed(path.relative_to(mount.mountpoint).parents):
            here = mount.mountpoint / folder
            if here not in shown:
                shown[here] = shown[here.parent].add(f"[bold]{_plain(here.name)}[/]")
        shown[path.parent].add(f"{_plain(path.name)}  {_origins(path)}")
    console.print(shown[mount.mountpoint])
    counts = Counter(os.getxattr(path, "user.musefs.origin").decode() for path in mount.files())
    console.print("   " + ", ".join(f"{count} from {name}" for name, count in counts.items()))


def _plain(name: str) -> str:
    return name.replace("[", "\\[")


def _read_one(mount: Mount, library: ThreeOrigins) -> None:
    path = next(
        path
        for path in mount.files()
        if path.suffix == ".flac" and os.getxattr(path, "user.musefs.origin") == b"bucket"
    )
    original = library.originals[digest(path)]
    assert path.read_bytes() == original.read_bytes()
    console.print(
        f"[bold]4. Read whole from the bucket[/]: {_plain(path.name)}, {path.stat().st_size} "
        f"bytes, the same as the original's (sha256 {digest(path)[:16]}…)"
    )


def _show_status(mount: Mount) -> None:
    console.print("[bold]5. musefs status")
    subprocess.run(
        [sys.executable, "-m", "musefs", "status", str(mount.mountpoint)], check=True, timeout=30
    )


def _keep(mount: Mount, library: ThreeOrigins) -> None:
    """Leave everything running, and a note of what to end."""
    assert mount.process is not None
    pids = [mount.process.pid, *library.sshd.pids(), *library.s3.pids()]
    KEPT.write_text(json.dumps({"pids": pids, "folders": [str(library.sshd.folder)]}))
    console.print(
        "[bold]It stays mounted at demo/mnt[/], and the servers stay up. To end: make clean"
    )
    sys.stdout.flush()
    os._exit(0)  # without leaving the contexts, which would end them


def end() -> None:
    """End what an earlier demo left, by the pids in its note."""
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {"pids": [], "folders": []}
    for pid in kept["pids"]:
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if any(word in command for word in (b"musefs", b"sshd", b"s3server")):
                os.kill(pid, signal.SIGTERM)
    until_s = time.monotonic() + END_S
    while mount_line(DEMO / "mnt") is not None and time.monotonic() < until_s:
        time.sleep(0.05)
    if mount_line(DEMO / "mnt") is not None:
        abort(DEMO / "mnt")
        subprocess.run(["umount", "-l", str(DEMO / "mnt")], check=True)
    for folder in [*kept["folders"], DEMO]:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["end"]:
        end()
    else:
        sys.exit(main())
