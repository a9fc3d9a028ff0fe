"""What musefs is to reach on one machine, and the table of ratios that says whether it does."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

OURS = "musefs"
OTHERS = ("null", "folder", "rclone", "sshfs")


@dataclass(frozen=True, slots=True)
class Figure:
    """What some measurements of one kind gave."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """Raises ValueError when there are none."""
        found = sorted(values)
        if not found:
            raise ValueError("nothing was measured")
        return cls(found[0], statistics.median(found), found[-1])

    def __str__(self) -> str:
        if self.low == self.high:
            return _short(self.median)
        return f"{_short(self.median)} ({_short(self.low)}–{_short(self.high)})"


Results = Mapping[str, Mapping[str, Figure]]
"""By the key of a row, then by what was measured."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Of a `rate` more is better, of everything else less.

    `goals` bound the ratio of musefs to another, `limit` bounds what musefs has by itself.
    """

    title: str
    unit: str
    rate: bool = False
    goals: Mapping[str, float] = field(default_factory=dict)
    limit: float | None = None

    def ratio(self, figures: Mapping[str, Figure], other: str) -> float | None:
        """musefs divided by another; None when one of the two is not there, or is nothing."""
        ours, theirs = figures.get(OURS), figures.get(other)
        if ours is None or theirs is None or not theirs.median:
            return None
        return ours.median / theirs.median

    def misses(self, figures: Mapping[str, Figure], other: str) -> bool:
        """Whether the ratio to another is beyond its goal."""
        ratio, goal = self.ratio(figures, other), self.goals.get(other)
        return ratio is not None and goal is not None and self._is_beyond(ratio, goal)

    def misses_limit(self, figures: Mapping[str, Figure]) -> bool:
        """Whether musefs is beyond the bound of its own."""
        ours = figures.get(OURS)
        return (
            ours is not None and self.limit is not None and self._is_beyond(ours.median, self.limit)
        )

    def goal(self) -> str:
        """The bounds as a text."""
        sign = "≥" if self.rate else "≤"
        texts = [f"{sign} {bound:g} × {other}" for other, bound in self.goals.items()]
        if self.limit is not None:
            texts.insert(0, f"{sign} {self.limit:g}")
        return ", ".join(texts)

    def _is_beyond(self, value: float, bound: float) -> bool:
        return value < bound if self.rate else value > bound


CPU = "  server CPU"
ONE_CORE = "  on one core"
OPENING = "open + 4 KiB + close"
ROWS = {
    "sequence": Row("sequential, pool warm", "MB/s", True, {"null": 0.85, "rclone": 4, "sshfs": 6}),
    "sequence cpu": Row(CPU, "ms/GiB"),
    "sequence one": Row(ONE_CORE, "MB/s", True, {"null": 0.85}),
    "sequence one cpu": Row(CPU, "ms/GiB"),
    "direct": Row("sequential, straight through", "MB/s", True, {"rclone": 4, "sshfs": 6}),
    "direct cpu": Row(CPU, "ms/GiB"),
    "direct one": Row(ONE_CORE, "MB/s", True),
    "direct one cpu": Row(CPU, "ms/GiB"),
    "chunks": Row("sequential, from chunk files", "MB/s", True, {"null": 0.75}),
    "chunks cpu": Row(CPU, "ms/GiB"),
    "chunks one": Row(ONE_CORE, "MB/s", True, {"null": 0.75}),
    "chunks one cpu": Row(CPU, "ms/GiB"),
    "again": Row("sequential, re-opened", "MB/s", True, {"folder": 0.4}),
    "again reads": Row("  READ requests", "", limit=0),
    "streams 4": Row("4 streams, pool warm", "MB/s", True),
    "streams 4 cpu": Row(CPU, "ms/GiB"),
    "streams 16": Row("16 streams, pool warm", "MB/s", True),
    "streams 16 cpu": Row(CPU, "ms/GiB"),
    "page": Row("random 4 KiB, pool warm", "µs"),
    "page cpu": Row(CPU, "µs", goals={"null": 1.6}),
    "page direct": Row("random 4 KiB, straight through", "µs"),
    "page direct cpu": Row(CPU, "µs"),
    "piece": Row("random 128 KiB, pool warm", "µs"),
    "piece cpu": Row(CPU, "µs"),
    "open": Row(f"{OPENING}, pool warm", "µs", goals={"null": 1.5}),
    "open cpu": Row(CPU, "µs"),
    "open direct": Row(f"{OPENING}, straight through", "µs", goals={"null": 1.5}),
    "open direct cpu": Row(CPU, "µs"),
    "open again": Row("  its page in the kernel, pool", "µs"),
    "open again cpu": Row(CPU, "µs"),
    "open again direct": Row("  its page in the kernel, straight", "µs"),
    "open again direct cpu": Row(CPU, "µs"),
    "find": Row("find, first", "files/s", True, {"rclone": 8}),
    "find cpu": Row(CPU, "µs/file"),
    "find again": Row("find, again", "files/s", True, {"rclone": 2}),
    "find again cpu": Row(CPU, "µs/file"),
    "stat": Row("stat of files found", "µs"),
    "stat cpu": Row(CPU, "µs"),
    "flat": Row("ls -f of one folder, first", "files/s", True, {"null": 0.7}),
    "flat again": Row("ls -f of one folder, again", "files/s", True, {"null": 0.7}),
    "flat again cpu": Row(CPU, "µs/file"),
    "mount": Row("mount", "ms", limit=500),
    "idle": Row("resident memory, idle", "MB", limit=80),
    "walked": Row("resident memory, all found", "MB", limit=200),
    "scan": Row("scan", "files/s", True, limit=1500),
    "scan growth": Row("  memory growth after its first quarter", "MB", limit=20),
    "refresh": Row("refresh of one track, seen in the mount", "ms"),
    "refresh cpu": Row(CPU, "ms", limit=10),
}


def table(results: Results) -> Table:
    """musefs, and its ratio to the others with what they had; `!` where it misses a goal."""
    shown = Table(title="on one machine: musefs, and musefs ÷ others (their own figure)")
    for name, justify in (("", "left"), ("", "left"), (OURS, "right")):
        shown.add_column(name, justify=justify)  # type: ignore[arg-type]
    for other in OTHERS:
        shown.add_column(f"÷ {other}", justify="right")
    shown.add_column("goal")
    for key, row in ROWS.items():
        figures = results.get(key)
        if figures is None:
            continue
        ours = str(figures[OURS]) + (" !" if row.misses_limit(figures) else "")
        others = [_cell(row, figures, other) for other in OTHERS]
        shown.add_row(row.title, row.unit, ours, *others, row.goal())
    return shown


def _cell(row: Row, figures: Mapping[str, Figure], other: str) -> str:
    if other not in figures:
        return "–"
    ratio = row.ratio(figures, other)
    mark = " !" if row.misses(figures, other) else ""
    text = "" if ratio is None else f"{ratio:.{2 if ratio < 10 else 0}f} "
    return f"{text}({_short(figures[other].median)}){mark}"


def _short(value: float) -> str:
    return f"{value:.{0 if value >= 100 or not value else 1 if value >= 10 else 2}f}"


def print_table(results: Results) -> None:
    """Show the table, whatever the terminal's width."""
    Console(width=190, highlight=False).print(table(results))


def write_json(path: Path, conditions: Mapping[str, object], results: Results) -> None:
    """Everything that was measured, and the goals, for other programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {
        key: asdict(ROWS[key])
        | {
            "figures": {name: asdict(figure) for name, figure in figures.items()},
            "ratios": {other: ROWS[key].ratio(figures, other) for other in OTHERS},
            "missed": [other for other in OTHERS if ROWS[key].misses(figures, other)],
            "missed_limit": ROWS[key].misses_limit(figures),
        }
        for key, figures in results.items()
    }
    document = {"conditions": dict(conditions), "rows": rows}
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
