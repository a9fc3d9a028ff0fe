"""Layouts against the bytes that they stand for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.segments import Backing, Layout, Segment, Synthesised, original

BACKING = bytes(range(256)) * 4

synthesised = st.binary(min_size=1, max_size=40).map(Synthesised)
backing = st.builds(
    lambda offset, length: Backing(offset, min(length, len(BACKING) - offset)),
    st.integers(0, len(BACKING) - 1),
    st.integers(1, 300),
)
layouts = st.lists(synthesised | backing, max_size=8).map(lambda parts: Layout(tuple(parts)))


def bytes_of(segments: list[Segment]) -> bytes:
    parts = []
    for segment in segments:
        if isinstance(segment, Synthesised):
            parts.append(segment.data)
        else:
            parts.append(BACKING[segment.offset : segment.offset + segment.length])
    return b"".join(parts)


@given(layouts, st.integers(0, 1200), st.integers(0, 1200))
def test_a_slice_holds_the_bytes_of_its_range(layout: Layout, offset: int, size: int) -> None:
    whole = bytes_of(list(layout.segments))
    assert layout.size == len(whole)
    parts = layout.slice(offset, size)
    assert bytes_of(parts) == whole[offset : offset + size]
    assert all(part.length for part in parts)


def test_an_original_is_one_range_of_the_backing_file() -> None:
    assert original(7).slice(2, 100) == [Backing(2, 5)]
    assert original(0).slice(0, 10) == []
