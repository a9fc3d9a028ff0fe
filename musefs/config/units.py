"""Quantities as people write them: 256 MiB, 200 ms, 20 MiB/s.

A unit is spelled one way only, so that "Mb" is never taken for megabytes. KB is 1000 bytes, KiB
1024 (IEC 80000-13). A plain whole number is a size in bytes; a duration always needs its unit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_SIZE_BYTES = {
    "B": 1,
    "KB": 10**3,
    "KiB": 1 << 10,
    "MB": 10**6,
    "MiB": 1 << 20,
    "GB": 10**9,
    "GiB": 1 << 30,
    "TB": 10**12,
    "TiB": 1 << 40,
}
_DURATION_MS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
_SIZE_BYTES_MAX = (1 << 63) - 1  # SQLite and statvfs count in 64 bits
_DURATION_S_MAX = 366 * 86_400.0
_QUANTITY = re.compile(r"\s*([0-9]{1,19}(?:\.[0-9]{1,9})?)\s*([A-Za-z/]*)\s*")


def parse_size(value: object) -> int:
    """A size in bytes. Raises ValueError for anything but bytes or a number with a known unit."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    amount, unit = _split(value, 'a size such as "256 MiB"', _SIZE_BYTES)
    if not unit and amount != int(amount):
        raise ValueError(f"{amount} is not a whole number of bytes; {_allowed(_SIZE_BYTES)}")
    size = int(amount * _SIZE_BYTES.get(unit, 1))
    if size > _SIZE_BYTES_MAX:
        raise ValueError("is larger than any disk; should be less than 8388608 TiB")
    return size


def parse_bandwidth(value: object) -> int:
    """A bandwidth in bytes per second. Raises ValueError."""
    text = value.strip() if isinstance(value, str) else ""
    if not text.endswith("/s") or text[:-2].strip().isdecimal():
        rates = ", ".join(f"{unit}/s" for unit in _SIZE_BYTES)
        raise ValueError(f'should be a bandwidth such as "20 MiB/s"; allowed units: {rates}')
    return parse_size(text[:-2])


def parse_duration(value: object) -> float:
    """A duration in seconds. Raises ValueError for a number without a unit."""
    amount, unit = _split(value, 'a duration such as "30 s"', _DURATION_MS)
    if not unit:
        raise ValueError(f"{amount} needs a unit; {_allowed(_DURATION_MS)}")
    seconds = float(amount * _DURATION_MS[unit] / 1000)
    if seconds > _DURATION_S_MAX:
        raise ValueError("is too long; should be at most 366 d")
    return seconds


def at_least(text: str, parse: Callable[[object], float]) -> AfterValidator:
    """A validator that refuses quantities below `text`, which `parse` reads."""
    least = parse(text)

    def check(value: float) -> float:
        if value < least:
            raise ValueError(f"should be at least {text}")
        return value

    return AfterValidator(check)


def _split(value: object, wanted: str, units: dict[str, int]) -> tuple[Decimal, str]:
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"should be {wanted}; {_allowed(units)}")
    amount, unit = match.groups()
    if unit and unit not in units:
        raise ValueError(f'unknown unit "{unit}"; {_allowed(units)}')
    return Decimal(amount), unit


def _allowed(units: dict[str, int]) -> str:
    return "allowed units: " + ", ".join(units)


Size = Annotated[int, BeforeValidator(parse_size)]
"""In bytes."""

Duration = Annotated[float, BeforeValidator(parse_duration)]
"""In seconds."""

PositiveDuration = Annotated[Duration, at_least("1 ms", parse_duration)]
"""In seconds, above zero: a deadline of nothing would fail every call."""

Interval = Annotated[Duration, at_least("1 s", parse_duration)]
"""In seconds, for what recurs: below a second it would load the origins all the time."""

Bandwidth = Annotated[int, BeforeValidator(parse_bandwidth), at_least("16 KiB", parse_size)]
"""In bytes per second."""


def _bandwidth_or_none(value: object) -> int:
    if value in (0, "0"):
        return 0
    bandwidth = parse_bandwidth(value)
    if 0 < bandwidth < parse_size("16 KiB"):
        raise ValueError("should be at least 16 KiB/s, or 0 for none at all")
    return bandwidth


BandwidthOrNone = Annotated[int, BeforeValidator(_bandwidth_or_none)]
"""In bytes per second; 0: none at all."""
