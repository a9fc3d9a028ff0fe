"""A goal that is missed is marked, whichever way it is missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.ratios import ROWS, Figure, Row, write_json

RATE = Row("rate", "MB/s", True, {"null": 0.5}, limit=100)
COST = Row("cost", "ms", goals={"null": 1.5}, limit=10)


def figures(**values: float) -> dict[str, Figure]:
    """One measurement of each."""
    return {name: Figure.of([value]) for name, value in values.items()}


@pytest.mark.parametrize(
    ("row", "ours", "is_missed"),
    [(RATE, 110, False), (RATE, 90, True), (COST, 290, False), (COST, 310, True)],
)
def test_more_is_better_of_a_rate_and_worse_of_a_cost(
    row: Row, ours: float, is_missed: bool
) -> None:
    assert row.misses(figures(musefs=ours, null=200), "null") is is_missed


@pytest.mark.parametrize(
    ("row", "ours", "is_missed"),
    [(RATE, 100, False), (RATE, 99, True), (COST, 10, False), (COST, 11, True)],
)
def test_a_bound_of_its_own_needs_nobody_else(row: Row, ours: float, is_missed: bool) -> None:
    assert row.misses_limit(figures(musefs=ours)) is is_missed


def test_nothing_is_missed_beside_what_was_not_measured() -> None:
    assert not COST.misses(figures(musefs=300), "null")
    assert not COST.misses(figures(musefs=300, null=0), "null")
    assert not COST.misses(figures(musefs=300, null=1), "folder")


def test_the_spread_is_kept() -> None:
    assert Figure.of([3, 1, 2]) == Figure(1, 2, 3)
    with pytest.raises(ValueError):
        Figure.of([])


def test_the_document_says_what_is_missed(tmp_path: Path) -> None:
    measured = {"chunks one": figures(musefs=70, null=100), "idle": figures(musefs=81)}
    write_json(tmp_path / "build" / "bench.json", {"cores": 2}, measured)
    rows = json.loads((tmp_path / "build" / "bench.json").read_text())["rows"]
    assert rows["chunks one"]["missed"] == ["null"]
    assert rows["chunks one"]["ratios"]["null"] == pytest.approx(0.7)
    assert rows["idle"]["missed_limit"]
    assert set(rows) <= set(ROWS)
