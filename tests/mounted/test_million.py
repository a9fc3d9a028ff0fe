"""Very many tracks under a real mount: what must cost the same in any library does."""

from __future__ import annotations

import os
import statistics
import time

import pytest

from benchmarks import reader
from benchmarks.million import Measured, resident_mb, settle
from tests.lab.large_catalogue import ONE_FOLDER, LargeLibrary, make_library
from tests.lab.mounting import Mount

pytestmark = pytest.mark.long

FEW, MANY = 1_000, 300_000
MOUNTS = 5
LIMIT_S = 150.0

IDLE_MB_MAX = 100.0
WALKED_MB_MAX = 250.0
REFRESH_MS_MAX = 10.0
ROUNDS = 4
GROWTH_MB_MAX = 10.0


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> LargeLibrary:
    """A small library."""
    return make_library(tmp_path_factory.mktemp("few"), FEW)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> LargeLibrary:
    """A large one."""
    return make_library(tmp_path_factory.mktemp("many"), MANY)


def mounted_s(library: LargeLibrary) -> float:
    """How long it takes until a library can be walked, in seconds: the least of some times."""
    found = []
    for _ in range(MOUNTS):
        began_s = time.perf_counter()
        with Mount([library.config], library.config.parent / "mnt"):
            found.append(time.perf_counter() - began_s)
    return min(found)


def test_mounting_takes_as_long_in_any_library(few: LargeLibrary, many: LargeLibrary) -> None:
    few_s, many_s = mounted_s(few), mounted_s(many)
    print(f"{few_s:.2f} s with {FEW} tracks, {many_s:.2f} s with {MANY}")
    assert many_s <= 1.3 * few_s + 0.1


def test_walking_takes_a_bounded_memory_and_the_first_answers_come_at_once(
    many: LargeLibrary,
) -> None:
    with Mount([many.config], many.config.parent / "mnt", limit_s=LIMIT_S) as mount:
        began_s = time.perf_counter()
        for number in (0, MANY // 2, MANY // 3):
            assert (mount.mountpoint / many.some_path(number)).stat().st_size > 0
        assert os.statvfs(mount.mountpoint).f_files > MANY
        assert mount.status()["tracks"] > MANY
        taken_s = time.perf_counter() - began_s
        idle = resident_mb(mount)
        sizes = []
        for _ in range(ROUNDS):
            assert reader.names(mount.mountpoint / ONE_FOLDER, many.in_one_folder) > 0
            assert reader.find(mount.mountpoint, MANY + len(many.real_names)) > 0
            sizes.append(resident_mb(mount))
    print(f"first answers {taken_s:.2f} s; idle {idle:.0f} MB, walked {sizes}")
    assert taken_s < 1
    assert idle <= IDLE_MB_MAX
    assert max(sizes) <= WALKED_MB_MAX
    assert sizes[-1] - sizes[1] <= GROWTH_MB_MAX


def test_one_change_is_followed_within_milliseconds(many: LargeLibrary) -> None:
    rows = Measured(many, 0.0)
    with Mount([many.config], rows.mountpoint, options=["-vv"], limit_s=LIMIT_S) as mount:
        found = dict(rows.refreshes(mount))
    print({key: str(figure) for key, figure in found.items()})
    assert found["change"].median < REFRESH_MS_MAX
    assert found["edit"].median < REFRESH_MS_MAX


def test_one_change_takes_as_many_statements_in_any_library(
    few: LargeLibrary, many: LargeLibrary
) -> None:
    counts = []
    for library in (few, many):
        rows = Measured(library, 0.0)
        with Mount([library.config], rows.mountpoint, options=["-vv"]) as mount:
            settle(mount)
            before = mount.status()["work"]["statements"]
            dict(rows.refreshes(mount))
            counts.append(mount.status()["work"]["statements"] - before)
    print(f"{counts} statements")
    assert statistics.mean(counts) * 1.2 >= max(counts)
