"""The rows about very many files: index, mount, walk, ask for attributes, follow a change."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import reader
from benchmarks.costs import Cost, Costs, cost, in_turns, rates, server_times, times
from benchmarks.local_libraries import (
    FLAT_TEMPLATE,
    MANY_TEMPLATE,
    ONE_FOLDER,
    SHORT_AUDIO_BYTES,
    listed,
    short_track,
)
from benchmarks.local_subjects import Configured, Subject, musefs, null, rclone, sshfs
from benchmarks.ratios import OURS, Figure
from benchmarks.server_load import cpu_s
from benchmarks.workload import resident_bytes
from tests.lab.sshd import Sshd

ROUNDS = 3
"""A mount is walked for the first time once: so it is mounted anew."""
ASKED = 5000
LOOK_S = 0.1
CHANGES = 5
CHANGE_S = 30.0
CALM_S = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies: `originals` is what the SFTP server shows at `far`."""

    folder: Path
    originals: Path
    far: str
    build: Path
    sshd: Sshd | None


class TreeRows:
    """All rows about one library of many files."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._files = list(listed(place.originals))
        self._count = len(self._files)
        configured = Configured(place.originals, MANY_TEMPLATE, watch="auto")
        self._config = configured.write(place.folder / "many")

    def scan(self) -> Iterator[tuple[str, Mapping[str, Figure]]]:
        """The first scan, by the command that does only that."""
        command = [sys.executable, "-m", "musefs", "scan", str(self._config)]
        began_s = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        sizes = []
        while process.poll() is None:
            try:
                sizes.append(resident_bytes(process.pid))
            except OSError:
                break  # it has ended meanwhile
            time.sleep(LOOK_S)
        if process.wait() != 0:
            raise RuntimeError("the scan has failed: see the message above")
        taken_s = time.perf_counter() - began_s
        yield "scan", {OURS: Figure.of([self._count / taken_s])}
        quarter = len(sizes) // 4
        grown = max(sizes[quarter:]) - max(sizes[: quarter + 1])
        yield "scan growth", {OURS: Figure.of([max(grown, 0) / 1e6])}

    def walks(self) -> Iterator[tuple[str, Mapping[str, Figure]]]:
        """Mounting, finding everything, asking for attributes, and the memory that it takes."""
        costs: dict[str, Costs] = defaultdict(lambda: defaultdict(list))
        sizes: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        for number in range(ROUNDS):
            for mount in self._mounts(self._place.folder / f"round-{number}"):
                with mount as subject:
                    if subject.mounted_s is not None:
                        sizes["mount"][subject.name].append(subject.mounted_s * 1e3)
                    self._walk(subject, costs, sizes)
        folder = Subject("folder", self._place.originals)
        for _ in range(ROUNDS):
            self._walk(folder, costs, sizes)
        for key in ("find", "find again"):
            yield key, rates(costs[key], self._count)
            yield f"{key} cpu", server_times(costs[key], self._count / 1e6)
        asked = min(ASKED, self._count)
        yield "stat", times(costs["stat"], asked / 1e6)
        yield "stat cpu", server_times(costs["stat"], asked / 1e6)
        for key, found in sizes.items():
            yield key, {name: Figure.of(values) for name, values in found.items()}

    def _mounts(self, folder: Path) -> Iterator[AbstractContextManager[Subject]]:
        place = self._place
        yield musefs(self._config)
        yield null(folder / "null", self._files)
        yield rclone(folder / "rclone", place.originals, place.build)
        if place.sshd is not None:
            yield sshfs(folder / "sshfs", place.sshd, place.far)

    def _walk(
        self,
        subject: Subject,
        costs: dict[str, Costs],
        sizes: dict[str, dict[str, list[float]]],
    ) -> None:
        def found(key: str) -> None:
            one: Cost = cost(subject, lambda s: reader.find(s.root, self._count), "one")
            costs[key][subject.name].append(one)

        if subject.pid is not None and subject.name != "null":
            sizes["idle"][subject.name].append(resident_bytes(subject.pid) / 1e6)
        found("find")
        found("find again")
        some = random.Random(23).sample(self._files, min(ASKED, self._count))
        paths = [subject.root / path for path, _ in some]
        costs["stat"][subject.name].append(cost(subject, lambda _: reader.stats(paths), "one"))
        if subject.pid is not None and subject.name != "null":
            sizes["walked"][subject.name].append(resident_bytes(subject.pid) / 1e6)

    def one_folder(self) -> Iterator[tuple[str, Mapping[str, Figure]]]:
        """All files in one folder, which another template makes of them."""
        flat = [(f"{ONE_FOLDER}/{Path(path).name}", size) for path, size in self._files]
        first: Costs = defaultdict(list)
        configured = Configured(self._place.originals, FLAT_TEMPLATE)
        config = configured.write(self._place.folder / "flat", self._config.parent / "state")

        def names(subject: Subject) -> float:
            return reader.names(subject.root / ONE_FOLDER, self._count)

        with musefs(config) as ours, null(self._place.folder / "flat-null", flat) as limit:
            for subject in (ours, limit):
                first[subject.name].append(cost(subject, names, "one"))
            again = in_turns([ours, limit], names, lambda _: None, "one")
        yield "flat", rates(first, self._count)
        yield "flat again", rates(again, self._count)
        yield "flat again cpu", server_times(again, self._count / 1e6)

    def changes(self) -> Iterator[tuple[str, Mapping[str, Figure]]]:
        """A file of the library is replaced: until the mount shows it, and what the server does."""
        seen_ms, used_ms = [], []
        with musefs(self._config) as subject:
            assert subject.pid is not None
            reader.find(subject.root, self._count)
            for number in range(CHANGES):
                time.sleep(CALM_S)
                before_s = cpu_s(subject.pid)
                seen_ms.append(self._change(subject, number) * 1e3)
                time.sleep(CALM_S)
                used_ms.append((cpu_s(subject.pid) - before_s) * 1e3)
            time.sleep(CALM_S)
            before_s = cpu_s(subject.pid)
            time.sleep(2 * CALM_S)
            idle_ms = (cpu_s(subject.pid) - before_s) * 1e3
        yield "refresh", {OURS: Figure.of(seen_ms)}
        yield "refresh cpu", {OURS: Figure.of(max(used - idle_ms, 0.0) for used in used_ms)}

    def _change(self, subject: Subject, number: int) -> float:
        path = Path(self._files[number * self._count // CHANGES][0])
        audio = bytes(SHORT_AUDIO_BYTES + 100 + number)
        fresh = self._place.folder / "fresh.flac"
        fresh.write_bytes(short_track(path.parent.name, path.stem, audio))
        size, shown = fresh.stat().st_size, subject.root / path
        os.rename(fresh, self._place.originals / path)
        began_s = time.perf_counter()
        while (taken_s := time.perf_counter() - began_s) < CHANGE_S:
            if shown.stat().st_size == size:
                return taken_s
            time.sleep(1e-3)
        raise RuntimeError(f"{shown}: the mount does not show the change within {CHANGE_S} s")
