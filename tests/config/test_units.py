"""Quantities as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.config.units import parse_bandwidth, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("256 MiB", 256 << 20),
        ("10GiB", 10 << 30),
        ("64 KB", 64_000),
        ("64 KiB", 65_536),
        ("1.5 TiB", 3 << 39),
        (" 7 B ", 7),
        ("4096", 4096),
        (4096, 4096),
        (0, 0),
    ],
)
def test_a_size_is_in_bytes(text: object, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10 Mb", 'unknown unit "Mb"; allowed units: B, KB, KiB'),
        ("10 G", 'unknown unit "G"'),
        ("1.5", "not a whole number"),
        ("-1", "should be a size"),
        (-1, "should be a size"),
        ("ten MiB", "should be a size"),
        ("", "should be a size"),
        (True, "should be a size"),
        (1.5, "should be a size"),
        (None, "should be a size"),
        ("٣ MiB", "should be a size"),
        ("9999999 TiB", "larger than any disk"),
        ("9" * 40, "should be a size"),
    ],
)
def test_a_bad_size_is_told_what_is_allowed(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "duration_s"),
    [("30 s", 30.0), ("200 ms", 0.2), ("5 min", 300.0), ("1h", 3600.0), ("2 d", 172_800.0)],
)
def test_a_duration_is_in_seconds(text: str, duration_s: float) -> None:
    assert parse_duration(text) == duration_s


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("30", "30 needs a unit; allowed units: ms, s, min, h, d"),
        (30, "should be a duration"),
        ("30 sec", 'unknown unit "sec"'),
        ("inf s", "should be a duration"),
        ("367 d", "too long"),
    ],
)
def test_a_bad_duration_is_told_what_is_allowed(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_duration(text)


@pytest.mark.parametrize(("text", "rate"), [("20 MiB/s", 20 << 20), ("1MB/s", 10**6)])
def test_a_bandwidth_is_in_bytes_per_second(text: str, rate: int) -> None:
    assert parse_bandwidth(text) == rate


@pytest.mark.parametrize("text", ["20 MiB", "20", 20, "20/s", "20 Mbit/s", "20 MiB/h", None])
def test_a_bandwidth_needs_bytes_per_second(text: object) -> None:
    with pytest.raises(ValueError, match="allowed units"):
        parse_bandwidth(text)


@given(st.integers(0, 2**40), st.sampled_from(["B", "KiB", "MiB"]))
def test_every_whole_amount_is_exact(amount: int, unit: str) -> None:
    factor = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20}[unit]
    assert parse_size(f"{amount} {unit}") == amount * factor
