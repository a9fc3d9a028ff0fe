"""What musefs is to reach over 50 ms, and the table that says whether it does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.workload import Result

Results = Mapping[str, Sequence[Result]]
"""By what was measured."""


@dataclass(frozen=True, slots=True)
class Goal:
    """Upper bounds in seconds and in MB (10^6 bytes); None: there is none."""

    title: str
    seconds: float | None = None
    megabytes: float | None = None

    def is_met(self, result: Result) -> bool:
        """Whether a measurement stays within the bounds."""
        slow = self.seconds is not None and (result.seconds or 0) > self.seconds
        large = self.megabytes is not None and (result.megabytes or 0) > self.megabytes
        return not (slow or large)


NOTHING_MB = 0.01
"""Keep-alives of a connection and a check of the origin cross the link now and then."""

GOALS = {
    "indexing": Goal("index 101 files, once", 3.0, 8.0),
    "walk": Goal("walk + stat of all files", 0.1, NOTHING_MB),
    "tags": Goal("read tags of 80 files", 0.5, NOTHING_MB),
    "tags again": Goal("the same again", 0.1, NOTHING_MB),
    "first": Goal("first 64 KiB of a cold file", 0.02),
    "middle": Goal("64 KiB in its middle, cold", 0.12, 0.6),
    "sequence": Goal("64 MiB in sequence, cold", 1.6),
    "at once": Goal("4 cold files at once", 0.6),
    "memory": Goal("resident memory", None, 150.0),
}


def table(results: Results) -> Table:
    """All measurements beside the goals; what musefs misses is marked with an exclamation mark."""
    shown = Table(title="over a link of 50 ms, cold caches; MB: crossed the link")
    shown.add_column("")
    shown.add_column("goal", justify="right")
    for name in results:
        shown.add_column(name, justify="right")
    for row, goal in GOALS.items():
        cells = []
        for name, measured in results.items():
            result = next((one for one in measured if one.row == row), None)
            missed = result is not None and name.startswith("musefs") and not goal.is_met(result)
            cells.append("–" if result is None else _cell(result) + (" !" if missed else ""))
        shown.add_row(goal.title, _cell(Result(row, goal.seconds, goal.megabytes)), *cells)
    return shown


def _cell(result: Result) -> str:
    texts = []
    if result.seconds is not None:
        texts.append(f"{result.seconds:.{3 if result.seconds < 0.1 else 2}f} s")
    if result.megabytes is not None:
        texts.append(f"{result.megabytes:.{0 if result.megabytes >= 100 else 1}f} MB")
    return ", ".join(texts)


def print_table(results: Results) -> None:
    """Show the table, whatever the terminal's width."""
    Console(width=48 + 20 * len(results), highlight=False).print(table(results))


def write_json(path: Path, link: Mapping[str, object], results: Results) -> None:
    """Everything that was measured, and the goals, for other programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "link": dict(link),
        "goals": {row: asdict(goal) for row, goal in GOALS.items()},
        "results": {
            name: [asdict(one) | {"met": GOALS[one.row].is_met(one)} for one in measured]
            for name, measured in results.items()
        },
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
