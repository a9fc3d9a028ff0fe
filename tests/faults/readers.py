"""Threads that use a mount while something goes wrong: readers of files, and somebody who lists."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

READ_BYTES = 64 << 10
GATE_BYTES = 256 << 10
JOIN_S = 60.0

_LISTER = """
import os, select, sys, time
times_s, stopped = [], False
while not stopped or len(times_s) < 100:
    stopped = bool(select.select([sys.stdin], [], [], 0.01)[0])
    for folder in sys.argv[1:]:
        began_s = time.perf_counter()
        with os.scandir(folder) as entries:
            assert [entry.stat() for entry in entries]
        times_s.append(time.perf_counter() - began_s)
print(*times_s)
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a reader got: all that it read, the errno that ended it, and its slowest read."""

    data: bytes
    errno: int | None
    slowest_s: float


class Stream(threading.Thread):
    """Reads a file from its beginning; waits at 256 KiB for the gate."""

    def __init__(self, path: Path, gate: threading.Event) -> None:
        super().__init__(name=f"reader of {path.name}", daemon=True)
        self.path = path
        self.at_gate = threading.Event()
        self._gate = gate
        self._outcome: Outcome | None = None

    def run(self) -> None:
        """Read to the end or to the first error."""
        data, slowest_s, errno = bytearray(), 0.0, None
        began_s = time.monotonic()
        try:
            with self.path.open("rb", buffering=0) as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                while True:
                    began_s = time.monotonic()
                    part = file.read(READ_BYTES)
                    slowest_s = max(slowest_s, time.monotonic() - began_s)
                    data += part
                    if not part:
                        break
                    if len(data) >= GATE_BYTES:
                        self.at_gate.set()
                        self._gate.wait(JOIN_S)
        except OSError as error:
            slowest_s = max(slowest_s, time.monotonic() - began_s)
            errno = error.errno
        self._outcome = Outcome(bytes(data), errno, slowest_s)
        self.at_gate.set()

    def outcome(self) -> Outcome:
        """What came of it. Raises TimeoutError when the reader hangs."""
        self.join(JOIN_S)
        if self._outcome is None:
            raise TimeoutError(f"{self.path} hangs its reader")
        return self._outcome


def read_afresh(path: Path) -> bytes:
    """A file's bytes, not from the kernel's page cache. Raises OSError."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return file.read()


class Lister:
    """Lists folders with their entries' attributes, a hundred times a second, and takes the time.

    In a process of its own, so that it waits for the mount and not for this process's readers.
    """

    def __init__(self, folders: list[Path]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LISTER, *map(str, folders)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def p99_s(self) -> float:
        """Stop; what 99 of 100 listings took at most. Raises TimeoutExpired when one hangs."""
        try:
            told, _ = self._process.communicate(timeout=JOIN_S)
        finally:
            self._process.kill()
            self._process.wait()
        times_s = sorted(map(float, told.split()))
        return times_s[len(times_s) * 99 // 100]
