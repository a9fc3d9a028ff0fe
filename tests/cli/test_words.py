"""Sizes, durations, shares and odd text as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.cli.output import columns, duration, printable, share, size


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (10 << 30, "10.0 GiB"),
        (5000 << 40, "5000.0 TiB"),
    ],
)
def test_a_size_has_the_unit_that_suits_it(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "00:00:00"), (3661.9, "01:01:01"), (200_000, "2 d 07:33:20")]
)
def test_a_duration_is_a_clock_with_days(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_share_of_nothing_is_no_number() -> None:
    assert (share(1, 3), share(0, 0)) == ("25 %", "-")


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert columns([("a", "bb", ""), ("ccc", "d", "e")]) == ["a    bb", "ccc  d   e"]


@given(st.text())
def test_printable_text_is_on_one_line_and_harmless(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert "\n" not in shown
    if text.isprintable():
        assert shown == text
