"""The rows about reading long files: in sequence, side by side, here and there, from the start."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import reader
from benchmarks.costs import Costs, in_turns, rates, server_times, times
from benchmarks.local_libraries import Sizes
from benchmarks.local_subjects import Subject, read_ahead_alike
from benchmarks.ratios import OURS, Figure
from benchmarks.server_load import Cores

LONG = "Symphony/One/01 Long.flac"
PAGES = 4096
PIECES = 1024
PIECE_BYTES = 128 << 10
OPENINGS = 1000
WARMING_ROUNDS_MAX = 20
WRITING_S = 0.3
"""What comes while the disk is behind is not kept there: give it time."""

Found = tuple[str, Mapping[str, Figure]]
"""A row's key and its figures."""


@dataclass(frozen=True, slots=True)
class TrackSubjects:
    """musefs with a warm pool, with chunk files, reading straight through; and the others."""

    pool: Subject
    chunks: Subject
    direct: Subject
    null: Subject
    folder: Subject
    foreign: tuple[Subject, ...]


class TrackRows:
    """All rows of one set of mounts."""

    def __init__(self, subjects: TrackSubjects, sizes: Sizes) -> None:
        self._subjects = subjects
        self._sizes = sizes
        self._streams = [
            f"Streams/Many/{number:02} Title {number}.flac"
            for number in range(1, sizes.streams + 1)
        ]

    def warm(self) -> None:
        """Fill what is to be warm. Raises RuntimeError when it does not become so."""
        subjects, names = self._subjects, [LONG, *self._streams]
        warm(subjects.pool, names, "memory_misses")
        warm(subjects.chunks, names, "disk_misses")
        for subject in (subjects.direct, subjects.folder, *subjects.foreign):
            _read(subject, names)

    def sequence(self) -> Iterator[Found]:
        """One file, from its beginning to its end."""
        subjects, size = self._subjects, self._sizes.long_bytes
        others = (subjects.folder, *subjects.foreign)
        compared: dict[str, tuple[Subject, Sequence[Subject], Cores]] = {
            "sequence": (subjects.pool, others, "any"),
            "sequence one": (subjects.pool, (), "one"),
            "direct": (subjects.direct, others, "any"),
            "direct one": (subjects.direct, (), "one"),
            "chunks": (subjects.chunks, (), "any"),
            "chunks one": (subjects.chunks, (), "one"),
        }
        for key, (ours, beside, cores) in compared.items():
            costs = self._in_turns(
                ours, beside, lambda s: reader.sequence(s.root / LONG), [LONG], cores=cores
            )
            yield from _throughput(key, costs, size)
        costs = in_turns(
            [_ours(subjects.pool), subjects.null, subjects.folder, *subjects.foreign],
            lambda s: reader.sequence(s.root / LONG),
            lambda s: reader.sequence(s.root / LONG),
            "any",
        )
        yield "again", rates(costs, size / 1e6)
        yield "again reads", {OURS: Figure.of([self._requests_again()])}

    def streams(self) -> Iterator[Found]:
        """Several files at once."""
        for count in (4, self._sizes.streams):
            names = self._streams[:count]
            costs = self._in_turns(
                self._subjects.pool,
                (self._subjects.folder, *self._subjects.foreign),
                lambda s, names=names: reader.streams([s.root / name for name in names]),  # type: ignore[misc]
                names,
                cores="any",
            )
            yield from _throughput(f"streams {count}", costs, count * self._sizes.stream_bytes)

    def scattered(self) -> Iterator[Found]:
        """Here and there in a file, each time where it was not read yet."""
        pool, direct = self._subjects.pool, self._subjects.direct
        for key, ours, size, wanted in (
            ("page", pool, 4096, PAGES),
            ("page direct", direct, 4096, PAGES),
            ("piece", pool, PIECE_BYTES, PIECES),
        ):
            places = range(0, self._sizes.long_bytes - size, size)
            count = min(wanted, len(places))
            offsets = random.Random(22).sample(places, count)
            costs = self._in_turns(
                ours,
                self._subjects.foreign,
                lambda s, o=offsets, z=size: reader.scattered(s.root / LONG, o, z),  # type: ignore[misc]
                [LONG],
                cores="one",
            )
            yield from _latency(key, costs, count)

    def openings(self) -> Iterator[Found]:
        """Open, read a page, close: of files whose pages the kernel has not, and has."""
        pool, direct = self._subjects.pool, self._subjects.direct
        for key, ours, cold in (
            ("open", pool, True),
            ("open direct", direct, True),
            ("open again", pool, False),
            ("open again direct", direct, False),
        ):
            costs = self._in_turns(
                ours,
                (self._subjects.folder, *self._subjects.foreign),
                lambda s, cold=cold: reader.open_read_close(  # type: ignore[misc]
                    [s.root / name for name in self._streams], OPENINGS, cold=cold
                ),
                self._streams if cold else [],
                cores="one",
            )
            yield from _latency(key, costs, OPENINGS)

    def _in_turns(
        self,
        ours: Subject,
        others: Sequence[Subject],
        action: Callable[[Subject], float],
        cold: Sequence[str],
        *,
        cores: Cores,
    ) -> Costs:
        """`cold`: files whose pages are dropped first; but the plain folder's, which are all of it.

        The null file system is read ahead as far as the mount of musefs that is compared with it.
        """
        null = self._subjects.null
        read_ahead_alike(null, ours)

        def prepare(subject: Subject) -> None:
            if subject.pid is not None:
                reader.forget(subject.root / name for name in cold)

        return in_turns([_ours(ours), null, *others], action, prepare, cores)

    def _requests_again(self) -> int:
        """READ requests of a sequential read of a file that is in the kernel's cache."""
        ours = self._subjects.pool
        counts = [_reads(ours), _reads(ours)]  # to look at the count is to read
        reader.sequence(ours.root / LONG)
        counts.append(_reads(ours))
        return (counts[2] - counts[1]) - (counts[1] - counts[0])


def _ours(subject: Subject) -> Subject:
    """A mount of musefs, under the name that all of them have in the table."""
    return replace(subject, name=OURS)


def warm(subject: Subject, names: Sequence[str], misses: str) -> None:
    """Read files until nothing of them is missed. Raises RuntimeError when that never comes."""
    assert subject.mount is not None
    before = -1
    for _ in range(WARMING_ROUNDS_MAX):
        now: int = subject.mount.status()["cache"][misses]
        if now == before:
            return
        before = now
        _read(subject, names)
        time.sleep(WRITING_S)
    raise RuntimeError(f"{subject.name}: does not become warm: {subject.mount.status()['cache']}")


def _read(subject: Subject, names: Sequence[str]) -> None:
    paths: list[Path] = [subject.root / name for name in names]
    reader.forget(paths)
    for path in paths:
        reader.sequence(path)


def _reads(subject: Subject) -> int:
    assert subject.mount is not None
    count: int = subject.mount.status()["work"]["requests"].get("read", 0)
    return count


def _throughput(key: str, costs: Costs, size: int) -> Iterator[Found]:
    yield key, rates(costs, size / 1e6)
    yield f"{key} cpu", server_times(costs, size / (1 << 30) / 1e3)


def _latency(key: str, costs: Costs, count: int) -> Iterator[Found]:
    yield key, times(costs, count / 1e6)
    yield f"{key} cpu", server_times(costs, count / 1e6)
