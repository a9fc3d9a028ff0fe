"""`make bench-million`: musefs with a thousand, a hundred thousand and a million tracks.

The catalogues are written, not scanned; the mounts are real. A column is a number of tracks: what
should cost the same in any library can be seen to. A missed goal is marked and is no failure.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import reader
from benchmarks.ratios import Figure
from tests.lab.large_catalogue import ONE_FOLDER, REAL_FOLDER, LargeLibrary, make_library
from tests.lab.mounting import Mount, musefs

BUILD = Path(__file__).parents[1] / "build"
TRACKS = (1_000, 100_000, 1_000_000)
MOUNTS = 5
SAMPLES = 20
CHANGES = 9
READ_BYTES = 64 << 10
LIMIT_S = 3_600.0
SETTLED_S = 60.0
TOLD = re.compile(r"(looked at|has followed)[^:]*: ([0-9.]+) ms")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. `goal` is an upper bound, perhaps another one up to 100,000 tracks."""

    title: str
    unit: str
    goal: float | None = None
    goal_to_100_000: float | None = None

    def bound(self, tracks: int) -> float | None:
        """The goal with so many tracks."""
        return self.goal_to_100_000 if self.goal_to_100_000 and tracks <= 100_000 else self.goal


ROWS = {
    "catalogue": Row("catalogue on the disk", "MB"),
    "mount": Row("mount, until it can be walked", "ms", 500),
    "idle": Row("resident memory, idle", "MB", 80),
    "lookup": Row("a path that nobody has asked for", "ms"),
    "statfs": Row("size of the file system (statfs)", "ms"),
    "status": Row("status file", "ms"),
    "read": Row("open, 64 KiB, close of a file", "ms"),
    "flat": Row("ls -f of a tenth of all, in one folder", "µs/entry"),
    "flat again": Row("  again", "µs/entry"),
    "find": Row("find over all", "µs/entry"),
    "find again": Row("  again", "µs/entry"),
    "walked": Row("resident memory, all found twice", "MB", 500, 200),
    "edit": Row("one track edited, inside the service", "ms", 10),
    "edit seen": Row("  by `musefs tags set`, with its start", "ms"),
    "change": Row("one file changed, inside the service", "ms", 10),
    "change seen": Row("  until the mount shows it", "ms"),
    "grown": Row("memory growth while all goes on", "MB", 10),
}

Results = dict[str, Figure]


class Measured:
    """All rows of one library."""

    def __init__(self, library: LargeLibrary, minutes: float) -> None:
        self._library = library
        self._minutes = minutes
        self.mountpoint = self._mnt = library.config.parent / "mnt"
        self._random = random.Random(library.tracks)

    def rows(self) -> Iterator[tuple[str, Figure]]:
        """Each row as soon as it is measured."""
        catalogue = self._library.config.parent / "state" / "catalogue.db"
        yield "catalogue", Figure.of([catalogue.stat().st_size / 1e6])
        yield "mount", Figure.of([self._mounted_ms() for _ in range(MOUNTS)])
        with Mount([self._library.config], self._mnt, limit_s=LIMIT_S) as mount:
            settle(mount)
            yield "idle", Figure.of([resident_mb(mount)])
            yield from self._questions(mount)
            yield from self._walks(mount)
            yield "walked", Figure.of([resident_mb(mount)])
        with Mount([self._library.config], self._mnt, options=["-vv"], limit_s=LIMIT_S) as mount:
            yield from self.refreshes(mount)
            if self._minutes:
                yield "grown", Figure.of([self._growth_mb(mount)])

    def _mounted_ms(self) -> float:
        mount = Mount([self._library.config], self._mnt)
        began_s = time.perf_counter()
        with mount:
            return (time.perf_counter() - began_s) * 1e3

    def _some_path(self) -> Path:
        # Not in the single large folder: listing that is a row of its own.
        return self._mnt / self._library.some_path(
            self._random.randrange(self._library.tracks // 2)
        )

    def _questions(self, mount: Mount) -> Iterator[tuple[str, Figure]]:
        paths = [self._some_path() for _ in range(SAMPLES)]
        real = [self._mnt / REAL_FOLDER / name for name in self._library.real_names[:SAMPLES]]
        yield "lookup", timed_ms([lambda path=path: os.stat(path) for path in paths])  # type: ignore[misc]
        yield "statfs", timed_ms([lambda: os.statvfs(self._mnt)] * SAMPLES)
        yield "status", timed_ms([mount.status] * SAMPLES)
        yield "read", timed_ms([lambda path=path: _read(path) for path in real])  # type: ignore[misc]

    def _walks(self, mount: Mount) -> Iterator[tuple[str, Figure]]:
        entries = self._library.in_one_folder
        for key in ("flat", "flat again"):
            taken_s = reader.names(self._mnt / ONE_FOLDER, entries)
            yield key, Figure.of([taken_s / entries * 1e6])
        count = mount.status()["tracks"]
        for key in ("find", "find again"):
            yield key, Figure.of([reader.find(self._mnt, count) / count * 1e6])

    def refreshes(self, mount: Mount) -> Iterator[tuple[str, Figure]]:
        """The rows about one track that changes, of a mount that logs at debug."""
        settle(mount)
        yield from self._edits(mount)
        yield from self._changes(mount)

    def _edits(self, mount: Mount) -> Iterator[tuple[str, Figure]]:
        def edit(number: int) -> None:
            path = self._mnt / REAL_FOLDER / self._library.real_names[number]
            done = musefs("tags", "set", path, f"genre=Genre {number}")
            if done.returncode:
                raise RuntimeError(done.stderr)

        inside, seen = _told(mount, edit)
        yield "edit", Figure.of(inside)
        yield "edit seen", Figure.of(seen)

    def _changes(self, mount: Mount) -> Iterator[tuple[str, Figure]]:
        def change(number: int) -> None:
            file = self._library.origin / "real" / f"{number}.flac"
            shown = self._mnt / REAL_FOLDER / self._library.real_names[number]
            data = file.read_bytes() + b"more"
            before = shown.stat().st_size
            file.write_bytes(data)
            until_s = time.monotonic() + SETTLED_S
            while shown.stat().st_size == before and time.monotonic() < until_s:
                time.sleep(0.002)

        inside, seen = _told(mount, change)
        yield "change", Figure.of(inside)
        yield "change seen", Figure.of(seen)

    def _growth_mb(self, mount: Mount) -> float:
        """How much the memory has grown since the first of many rounds of everything."""
        sizes: list[float] = []
        until_s = time.monotonic() + self._minutes * 60
        count = mount.status()["tracks"]
        while time.monotonic() < until_s or len(sizes) < 2:
            reader.find(self._mnt, count)
            for name in self._library.real_names:
                _read(self._mnt / REAL_FOLDER / name)
            for _ in self._changes(mount):
                pass
            sizes.append(resident_mb(mount))
            print(f"  {sizes[-1]:.0f} MB", flush=True)
        return max(sizes[-1] - sizes[0], 0)


def resident_mb(mount: Mount) -> float:
    """The memory of a mount's process, in MB."""
    assert mount.process is not None
    pages = int(Path(f"/proc/{mount.process.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def timed_ms(actions: list[Callable[[], object]]) -> Figure:
    """How long each of these takes."""
    found = []
    for action in actions:
        began_s = time.perf_counter()
        action()
        found.append((time.perf_counter() - began_s) * 1e3)
    return Figure.of(found)


def settle(mount: Mount) -> None:
    """Wait until the first scan is over."""
    until_s = time.monotonic() + SETTLED_S
    while time.monotonic() < until_s:
        if all(origin["scan_done"] for origin in mount.status()["origins"]):
            return
        time.sleep(0.1)
    raise TimeoutError(f"the first scan does not end: {mount.status()}")


def _told(mount: Mount, change: Callable[[int], None]) -> tuple[list[float], list[float]]:
    """What some changes took in ms: by the service's log, and as seen from here."""
    inside, seen = [], []
    for number in range(CHANGES):
        before = len(mount.log)
        began_s = time.perf_counter()
        change(number)
        seen.append((time.perf_counter() - began_s) * 1e3)
        told: dict[str, float] = {}
        while "has followed" not in told:
            for what, taken_ms in TOLD.findall(mount.log[before:]):
                # The changelog is followed again behind an edit that was placed before all others.
                told.setdefault(what, float(taken_ms))
            time.sleep(0.002)
        inside.append(sum(told.values()))
    return inside, seen


def _read(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        if not file.read(READ_BYTES):
            raise RuntimeError(f"{path} is empty")


def table(results: Mapping[int, Results]) -> Table:
    """A column for each number of tracks; `!` marks what misses its goal."""
    shown = Table(title="median (lowest–highest)")
    for name in ("", ""):
        shown.add_column(name)
    for tracks in results:
        shown.add_column(f"{tracks:,} tracks", justify="right")
    shown.add_column("goal")
    for key, row in ROWS.items():
        cells = []
        for tracks, found in results.items():
            bound = row.bound(tracks)
            missed = key in found and bound is not None and found[key].median > bound
            cells.append("–" if key not in found else f"{found[key]}{' !' if missed else ''}")
        goals = [f"{goal:g}" for goal in (row.goal_to_100_000, row.goal) if goal is not None]
        shown.add_row(row.title, row.unit, *cells, " / ".join(goals))
    return shown


def main() -> None:
    """Measure, print the table, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million")
    parser.add_argument("--json", type=Path, default=BUILD / "bench-million.json")
    parser.add_argument("--tracks", type=int, action="append", help="several times, perhaps")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long memory is watched")
    options = parser.parse_args()
    results: dict[int, Results] = defaultdict(dict)
    for tracks in options.tracks or TRACKS:
        folder = Path(tempfile.mkdtemp(prefix="musefs-million-"))
        try:
            print(f"{tracks:,} tracks …", flush=True)
            for key, figure in Measured(make_library(folder, tracks), options.minutes).rows():
                print(f"  {ROWS[key].title}: {figure} {ROWS[key].unit}", flush=True)
                results[tracks][key] = figure
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    Console(width=150, highlight=False).print(table(results))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    rows = {key: asdict(row) for key, row in ROWS.items()}
    figures = {n: {k: asdict(one) for k, one in found.items()} for n, found in results.items()}
    options.json.write_text(json.dumps({"rows": rows, "results": figures}, indent=2) + "\n")
    print(f"written: {options.json}")


if __name__ == "__main__":
    main()
