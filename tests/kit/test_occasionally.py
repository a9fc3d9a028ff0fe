"""One line for many alike."""

from __future__ import annotations

from musefs.kit.occasionally import Occasionally


def test_the_first_is_told_at_once_and_the_others_are_counted() -> None:
    now_s = 100.0
    quiet = Occasionally(10.0, lambda: now_s)
    assert quiet.due() == 1
    assert [quiet.due() for _ in range(3)] == [None] * 3
    now_s = 110.0
    assert quiet.due() == 4
    assert quiet.due() is None
    now_s = 120.0
    assert quiet.due() == 2
