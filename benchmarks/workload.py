"""What a user does with a mounted library: time, bytes over the link and memory of each.

The library is that of flac_library. Files that were not read yet are taken for what is measured
cold, and the link is silent before and after each measurement, so that bytes count where they
belong.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import mutagen

from benchmarks.mounts import Mounted

TAGGED_FILES = 80
PROBES = 3
"""Cold files for each of the measurements that take one file; their median counts."""
AT_ONCE = 4
PIECE_BYTES = 256 << 10
PROBE_BYTES = 64 << 10
SILENCE_S = 0.4
SILENT_BYTES = 2000
"""Keep-alives and acknowledgements are no traffic."""
SETTLE_S = 15.0


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement; what does not apply is None."""

    row: str
    seconds: float | None = None
    megabytes: float | None = None


class Meter:
    """Measures time and bytes; `crossed` tells the bytes that have passed the link so far."""

    def __init__(self, crossed: Callable[[], int]) -> None:
        self._crossed = crossed

    def settle(self) -> int:
        """Wait until the link is silent; the bytes so far."""
        until_s = time.monotonic() + SETTLE_S
        before = self._crossed()
        while True:
            time.sleep(SILENCE_S)
            now = self._crossed()
            if now - before < SILENT_BYTES or time.monotonic() > until_s:
                return now
            before = now

    def measure(self, row: str, *actions: Callable[[], object]) -> Result:
        """The medians of some actions of one kind."""
        seconds, sizes = [], []
        for action in actions:
            before = self.settle()
            start_s = time.monotonic()
            action()
            seconds.append(time.monotonic() - start_s)
            sizes.append((self.settle() - before) / 1e6)
        return Result(row, statistics.median(seconds), statistics.median(sizes))


def measurements(mounted: Mounted, meter: Meter) -> Iterator[Result]:
    """Every row but indexing, in an order in which none warms the next."""
    root = mounted.path
    yield meter.measure("walk", lambda: walk(root))
    files = walk(root)
    long = max(files, key=files.__getitem__)
    tracks = sorted(path for path in files if path != long)
    tagged, cold = tracks[:TAGGED_FILES], tracks[TAGGED_FILES:]
    yield meter.measure("tags", lambda: read_tags(tagged))
    yield meter.measure("tags again", lambda: read_tags(tagged))
    yield meter.measure("first", *(_probe(path, 0) for path in cold[:PROBES]))
    middles = [_probe(path, files[path] // 2) for path in cold[PROBES : 2 * PROBES]]
    yield meter.measure("middle", *middles)
    yield meter.measure("sequence", lambda: read_whole(long))
    yield meter.measure("at once", lambda: read_at_once(cold[-AT_ONCE:]))
    yield Result("memory", megabytes=resident_bytes(mounted.pid) / 1e6)


def walk(root: Path) -> dict[Path, int]:
    """Every file of the library and its size, as find and ls see them."""
    found = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".musefs"]
        for name in names:
            path = Path(folder, name)
            found[path] = os.stat(path).st_size
    return found


def read_tags(paths: list[Path]) -> None:
    """As a media server's scan does. Raises ValueError for a file without them."""
    for path in paths:
        audio = mutagen.File(path)
        if audio is None or not audio.get("title"):
            raise ValueError(f"{path} shows no tags")


def _probe(path: Path, offset: int) -> Callable[[], None]:
    def read() -> None:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            got = len(os.pread(descriptor, PROBE_BYTES, offset))
        finally:
            os.close(descriptor)
        if got != PROBE_BYTES:
            raise ValueError(f"{path} gave {got} bytes")

    return read


def read_whole(path: Path) -> None:
    """From the beginning to the end."""
    with path.open("rb", buffering=0) as file:
        while file.read(PIECE_BYTES):
            pass


def read_at_once(paths: list[Path]) -> None:
    """Several files side by side."""
    with ThreadPoolExecutor(len(paths)) as threads:
        list(threads.map(read_whole, paths))


def resident_bytes(pid: int) -> int:
    """Of a process and its children."""
    total = 0
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            total += int(line.split()[1]) * 1024
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return total + sum(resident_bytes(int(child)) for child in children)
