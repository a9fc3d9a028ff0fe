"""Fragments: what is known of a file is what was added, wherever the pieces overlap."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from musefs.content.fragments import Fragments

WHOLE = random.Random(7).randbytes(300)
SPANS = st.tuples(st.integers(0, 300), st.integers(0, 300)).map(lambda span: tuple(sorted(span)))


@given(st.lists(SPANS, max_size=8), SPANS)
def test_what_is_known_is_what_was_added(
    pieces: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    known = Fragments()
    for start, end in pieces:
        known.add(start, WHOLE[start:end])
    covered = {place for start, end in pieces for place in range(start, end)}
    start, end = asked
    wanted = set(range(start, end))
    missing = {place for a, b in known.missing(start, end) for place in range(a, b)}
    assert missing == wanted - covered
    found = known.between(start, end)
    assert (found is None) == bool(missing)
    if found is not None:
        assert bytes(found) == WHOLE[start:end]
    for offset, part in known.overlapping(start, end):
        assert start <= offset < offset + len(part) <= end
        assert bytes(part) == WHOLE[offset : offset + len(part)]


def test_bytes_of_one_piece_are_not_copied() -> None:
    known = Fragments()
    known.add(10, WHOLE)
    found = known.between(20, 50)
    assert isinstance(found, memoryview)
    assert found.obj is WHOLE


def test_shared_pieces_are_not_counted() -> None:
    known = Fragments()
    known.add(0, WHOLE)
    known.add(300, WHOLE, shared=True)
    assert known.owned_bytes == 300
    assert known.missing(0, 700) == [(600, 700)]
