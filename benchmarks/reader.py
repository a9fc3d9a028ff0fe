"""What a program does with files, each as one action that tells how long it took in seconds."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PIECE_BYTES = 256 << 10
PAGE_BYTES = 4096
FIND = ("-name", ".musefs", "-prune", "-o", "-type", "f", "-size", "+0", "-printf", ".")
LIMIT_S = 300.0


def forget(paths: Iterable[Path]) -> None:
    """Have the kernel drop a mount's pages of some files; what the server keeps stays."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def sequence(path: Path) -> float:
    """Read a file from its beginning to its end."""
    began_s = time.perf_counter()
    _read_whole(path)
    return time.perf_counter() - began_s


def streams(paths: Sequence[Path]) -> float:
    """Read some files side by side."""
    with ThreadPoolExecutor(len(paths)) as threads:
        began_s = time.perf_counter()
        list(threads.map(_read_whole, paths))
        return time.perf_counter() - began_s


def scattered(path: Path, offsets: Sequence[int], size: int) -> float:
    """Read `size` bytes at each of some offsets, without the kernel's read-ahead."""
    buffer = bytearray(size)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        began_s = time.perf_counter()
        for offset in offsets:
            os.preadv(descriptor, [buffer], offset)
        return time.perf_counter() - began_s
    finally:
        os.close(descriptor)


def open_read_close(paths: Sequence[Path], count: int, *, cold: bool) -> float:
    """Open, read the first page, close, `count` times in all. `cold`: no page is there before."""
    buffer = bytearray(PAGE_BYTES)
    kept = [os.open(path, os.O_RDONLY) for path in paths]
    total_s = 0.0
    try:
        for number in range(count):
            index = number % len(paths)
            if cold:
                os.posix_fadvise(kept[index], 0, 0, os.POSIX_FADV_DONTNEED)
            began_s = time.perf_counter()
            descriptor = os.open(paths[index], os.O_RDONLY)
            os.preadv(descriptor, [buffer], 0)
            os.close(descriptor)
            total_s += time.perf_counter() - began_s
    finally:
        for descriptor in kept:
            os.close(descriptor)
    return total_s


def stats(paths: Sequence[Path]) -> float:
    """Ask for the attributes of some files."""
    texts = [os.fspath(path) for path in paths]
    began_s = time.perf_counter()
    for text in texts:
        os.stat(text)
    return time.perf_counter() - began_s


def find(folder: Path, count: int) -> float:
    """Have find(1) look at the size of every file. Raises ValueError unless it finds `count`."""
    return _timed(["find", str(folder), *FIND], len, count)


def names(folder: Path, count: int) -> float:
    """Have ls(1) list one folder, unsorted. Raises ValueError unless it has `count` entries."""

    def entries(said: bytes) -> int:
        return sum(name not in (b".", b"..") for name in said.split(b"\n")[:-1])

    return _timed(["ls", "-f", str(folder)], entries, count)


def _timed(command: list[str], counted: Callable[[bytes], int], count: int) -> float:
    began_s = time.perf_counter()
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=LIMIT_S, check=True
    )
    seconds = time.perf_counter() - began_s
    if counted(done.stdout) != count:
        raise ValueError(f"{command[:2]} finds {counted(done.stdout)} files instead of {count}")
    return seconds


def _read_whole(path: Path) -> None:
    buffer = bytearray(PIECE_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
