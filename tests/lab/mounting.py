"""The real `musefs mount` in a process of its own, with a watchdog that frees whoever hangs in it.

A FUSE server that hangs leaves its callers unkillable: after `limit_s` the kernel is told to abort
the connection, which answers every waiting request with an error.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

READY_S = 20.0
STOP_S = 10.0
LIMIT_S = 100.0
STATUS_BYTES_MAX = 4 << 20


def musefs(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a musefs command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "musefs", *map(str, arguments)],
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=timeout_s,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
        check=False,
    )


def write_config(path: Path, config: Mapping[str, Any]) -> Path:
    """A musefs.yaml with these values."""
    path.write_text(yaml.safe_dump(dict(config), allow_unicode=True), encoding="utf-8")
    return path


def mount_line(mountpoint: Path) -> list[str] | None:
    """The fields of a mount in /proc/self/mountinfo, see proc(5); None when there is none."""
    found = None
    for line in Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines():
        fields = line.split(" ")
        if fields[4].replace("\\040", " ") == str(mountpoint):
            found = fields
    return found


def abort(mountpoint: Path) -> None:
    """Have the kernel answer all that waits for a FUSE mount with an error."""
    line = mount_line(mountpoint)
    if line is not None:
        number = line[2].partition(":")[2]
        with contextlib.suppress(OSError):
            Path(f"/sys/fs/fuse/connections/{number}/abort").write_text("1")


class Mount:
    """A mounted library. Leaving the context unmounts it, whatever happened to the server."""

    def __init__(
        self,
        sources: Sequence[str | Path],
        mountpoint: Path,
        *,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        limit_s: float = LIMIT_S,
    ) -> None:
        self.mountpoint = mountpoint
        self._command = [sys.executable, "-m", "musefs", "mount", *options]
        self._command += [*map(str, sources), str(mountpoint)]
        self._environment = {**os.environ, **(environment or {})}
        self._limit_s = limit_s
        self._log = mountpoint.parent / f"{mountpoint.name}.log"
        self._watchdog: threading.Timer | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.mountpoint.mkdir(parents=True, exist_ok=True)
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if self.process is not None:
                self.stop()
        finally:
            if mount_line(self.mountpoint) is not None:
                abort(self.mountpoint)
                subprocess.run(["umount", "-l", str(self.mountpoint)], check=False)

    @property
    def log(self) -> str:
        """What the server has logged."""
        return self._log.read_text(errors="replace")

    def start(self) -> None:
        """Mount; returns once the tree can be walked. Raises RuntimeError with the log."""
        self._watchdog = threading.Timer(self._limit_s, abort, [self.mountpoint])
        self._watchdog.daemon = True
        self._watchdog.start()
        with self._log.open("ab") as sink:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                env=self._environment,
            )
        until_s = time.monotonic() + READY_S
        while time.monotonic() < until_s and self.process.poll() is None:
            if self._is_ready():
                return
            time.sleep(0.02)
        raise RuntimeError(f"not mounted: {self.log[-3000:]}")

    def _is_ready(self) -> bool:
        line = mount_line(self.mountpoint)
        if line is None:
            return False
        try:
            return ".musefs" in os.listdir(self.mountpoint)
        except OSError:
            return False

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the server; its exit code. Raises TimeoutError when it does not end."""
        assert self.process is not None
        assert self._watchdog is not None
        self.process.send_signal(number)
        try:
            code = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            abort(self.mountpoint)
            self.process.kill()
            self.process.wait(STOP_S)
            raise TimeoutError(f"the server did not end: {self.log[-3000:]}") from None
        finally:
            self._watchdog.cancel()
            self.process = None
        return code

    def status(self) -> dict[str, Any]:
        """What the mount's own status file says, in one READ: a look always costs the same."""
        status = os.open(self.mountpoint / ".musefs/status.json", os.O_RDONLY)
        try:
            answer: dict[str, Any] = json.loads(os.read(status, STATUS_BYTES_MAX))
        finally:
            os.close(status)
        return answer

    def wait_indexed(self, timeout_s: float = 60.0) -> dict[str, Any]:
        """Return the status once every origin's first scan is done and the tree has followed."""
        until_s = time.monotonic() + timeout_s
        while time.monotonic() < until_s:
            status = self.status()
            shown = status["tracks"] + status["sidecars"]
            scans = [origin["scan_done"] and not origin["error"] for origin in status["origins"]]
            if all(scans) and shown and status["pending"] == 0:
                return status
            time.sleep(0.1)
        raise TimeoutError(f"not indexed: {self.status()} {self.log[-2000:]}")

    def files(self) -> list[Path]:
        """Every file of the tree, musefs' own left out."""
        found = []
        for folder, folders, names in os.walk(self.mountpoint):
            folders[:] = [name for name in folders if name != ".musefs"]
            found += [Path(folder, name) for name in names]
        return sorted(found)
