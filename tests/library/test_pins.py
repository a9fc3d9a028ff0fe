"""The byte budget of pins: whole tracks, in their order, each content once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musefs.library.choosing import ChosenTrack
from musefs.library.pins import allot
from musefs.model import ContentId


def of(number: int, size: int, *, is_cached: bool = True) -> ChosenTrack:
    return ChosenTrack(f"{number}", ContentId(number), size, is_cached)


def test_what_does_not_fit_is_left_out_as_a_whole_and_told() -> None:
    allotted = allot([("a", [of(1, 40), of(2, 70), of(3, 50)]), ("b", [of(4, 20)])], 100)
    assert allotted.contents == {1: 40, 3: 50}
    assert allotted.short == {"a", "b"}


def test_a_content_counts_once_and_what_is_read_through_not_at_all() -> None:
    wanted = [("a", [of(1, 60), of(2, 900, is_cached=False)]), ("b", [of(1, 60), of(3, 40)])]
    allotted = allot(wanted, 100)
    assert allotted.contents == {1: 60, 3: 40}
    assert not allotted.short


SOME = st.lists(st.builds(of, st.integers(1, 9), st.just(0), is_cached=st.booleans()), max_size=6)


@given(st.lists(st.tuples(st.sampled_from("abc"), SOME), max_size=4), st.integers(0, 30))
def test_the_budget_is_never_exceeded_and_what_is_missing_is_told(
    pins: list[tuple[str, list[ChosenTrack]]], bytes_max: int
) -> None:
    sized = [
        (query, [of(t.content_id, t.content_id, is_cached=t.is_cached) for t in tracks])
        for query, tracks in pins
    ]
    allotted = allot(sized, bytes_max)
    assert sum(allotted.contents.values()) <= bytes_max
    short = {
        query
        for query, tracks in sized
        if any(t.is_cached and t.content_id not in allotted.contents for t in tracks)
    }
    assert allotted.short == short
