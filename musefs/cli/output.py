"""What people and programs read: lines, JSON, tables, sizes and durations in words."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from typing import Any

import typer

_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_STEP = 1024
_DAY_S = 86_400


def allow_any_text() -> None:
    """Have both outputs escape what their encoding lacks, such as bytes of odd file names."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def say(text: str = "") -> None:
    """A line of the answer."""
    typer.echo(text)


def complain(text: str) -> None:
    """A line about what went wrong."""
    typer.echo(f"musefs: {' '.join(text.split())}", err=True)


def say_json(value: object) -> None:
    """The answer as one JSON document; bytes of a path that are not UTF-8 are surrogates in it."""
    typer.echo(json.dumps(value, indent=2, default=_plain))


def printable(text: str) -> str:
    """Text from outside on one line: what a terminal would obey is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def size(count: float) -> str:
    """A size in bytes as people read it: 3.4 GiB."""
    for unit in _UNITS:
        if count < _STEP or unit == _UNITS[-1]:
            break
        count /= _STEP
    return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"


def duration(seconds: float) -> str:
    """A duration in seconds as people read it: 2 d 03:04:05."""
    days, rest = divmod(int(seconds), _DAY_S)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock


def share(part: int, rest: int) -> str:
    """How much `part` is of both, in percent."""
    return f"{100 * part / (part + rest):.0f} %" if part + rest else "-"


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as lines, their columns aligned."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _plain(value: object) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)
