"""The file object over fetched ranges."""

from __future__ import annotations

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.ranged import (
    BoundReached,
    Bounds,
    Extents,
    Malformed,
    Need,
    RangedFile,
    in_memory,
)

DATA = bytes(range(200))


def extents(*ranges: tuple[int, int], bounds: Bounds | None = None) -> Extents:
    known = Extents(len(DATA), bounds)
    for start, end in ranges:
        known.add(start, DATA[start:end])
    return known


def test_a_read_of_unknown_bytes_names_the_gap() -> None:
    file = RangedFile(extents((0, 10), (50, 60)))
    with pytest.raises(Need) as caught:
        file.at(5, 100)
    assert (caught.value.start, caught.value.end) == (10, 50)


def test_a_need_passes_through_handlers_of_ordinary_errors() -> None:
    assert not issubclass(Need, Exception)
    assert not issubclass(BoundReached, Exception)


def test_ranges_that_touch_or_overlap_read_as_one() -> None:
    file = RangedFile(extents((20, 40), (0, 25), (40, 200)))
    assert file.read() == DATA


def test_a_hole_reads_as_zeros_and_known_bytes_win() -> None:
    known = extents((0, 12), (30, 40))
    known.hole(10, 30)
    assert RangedFile(known).at(8, 27) == DATA[8:12] + bytes(18) + DATA[30:35]


def test_a_gap_ends_where_a_hole_begins() -> None:
    known = extents((0, 10))
    known.hole(20, 30)
    with pytest.raises(Need) as caught:
        RangedFile(known).at(0, 40)
    assert (caught.value.start, caught.value.end) == (10, 20)


def test_bytes_at_hand_end_where_the_first_gap_begins() -> None:
    known = extents((0, 10), (50, 60))
    file = RangedFile(known, 0, 100, at_hand=True)
    assert file.read() == DATA[:10]
    assert file.seek(0, os.SEEK_END) == 100
    assert file.at(55, 20) == DATA[55:60]
    assert file.at(20, 5) == b""


def test_a_part_is_a_file_of_its_own() -> None:
    part = in_memory(DATA).part(10, 20).part(2, 100)
    assert part.size == 8
    assert part.read() == DATA[12:20]
    assert part.exactly(0, 8) == DATA[12:20]
    with pytest.raises(Malformed, match="cut off"):
        part.exactly(1, 8)


def test_tags_larger_than_the_bound_are_refused_before_they_are_fetched() -> None:
    known = extents((0, 10), bounds=Bounds(fetched_bytes_max=50))
    assert known.spare_bytes == 40
    with pytest.raises(Need):
        known.read(10, 50)
    with pytest.raises(BoundReached, match="larger than"):
        known.read(10, 51)


def test_one_read_never_takes_more_memory_than_its_bound() -> None:
    known = extents(bounds=Bounds(read_bytes_max=100))
    known.hole(0, 200)
    assert known.read(0, 100) == bytes(100)
    with pytest.raises(BoundReached, match="larger than"):
        known.read(0, 101)


def test_a_parser_that_loops_for_ever_is_stopped_and_news_starts_the_count_anew() -> None:
    known = extents((0, 10), bounds=Bounds(reads_max=100))
    for _ in range(100):
        known.read(0, 1)
    known.add(10, DATA[10:20])
    for _ in range(100):
        known.read(0, 1)
    with pytest.raises(BoundReached, match="pieces"):
        known.read(0, 1)


steps = st.lists(
    st.tuples(st.sampled_from(["read", "set", "cur", "end"]), st.integers(-250, 250)), max_size=12
)


@given(steps)
def test_it_behaves_as_an_ordinary_file(script: list[tuple[str, int]]) -> None:
    ours, plain = in_memory(DATA), io.BytesIO(DATA)
    for step, number in script:
        if step == "read":
            assert ours.read(number) == plain.read(number)
            continue
        whence = {"set": os.SEEK_SET, "cur": os.SEEK_CUR, "end": os.SEEK_END}[step]
        base = {"set": 0, "cur": plain.tell(), "end": len(DATA)}[step]
        if base + number < 0:
            with pytest.raises(OSError, match="before the start"):
                ours.seek(number, whence)
        else:
            assert ours.seek(number, whence) == plain.seek(number, whence)
        assert ours.tell() == plain.tell()
