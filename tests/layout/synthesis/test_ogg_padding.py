"""The padding of Ogg headers, against trying every length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.ogg_headers import HEADER_PAGES_MAX
from musefs.layout.ogg_paginator import lacing_values
from musefs.layout.synthesis.ogg_padding import PADDING_BYTES_MAX, HeaderSizes, arrangement
from musefs.layout.wish import ALIGNMENT_BYTES, PADDING_BYTES_MIN, Unservable

sizes_of_headers = st.builds(
    HeaderSizes,
    st.lists(st.sampled_from([4, 100, 254, 255, 4_000, 62_000, 300_000]), min_size=2, max_size=3),
    st.sampled_from([None, 0, 1]),
    st.integers(40, 90),
    st.integers(1, 300),
    st.integers(0, 1 << 20),
)


def end_of_headers(sizes: HeaderSizes, padding: int, pages: int) -> int:
    lengths = list(sizes.lengths)
    if sizes.padded is not None:
        lengths[sizes.padded] += padding
    return sizes.start + 27 * pages + sum(length + lacing_values(length) for length in lengths)


def aligned(sizes: HeaderSizes, padding: int, pages: int) -> bool:
    return (end_of_headers(sizes, padding, pages) - sizes.audio_start) % ALIGNMENT_BYTES == 0


def fits(sizes: HeaderSizes, padding: int, pages: int) -> bool:
    return pages <= sum(sizes.lacings(padding)) <= 255 * pages


@given(sizes_of_headers)
def test_the_best_padding_is_found(sizes: HeaderSizes) -> None:
    padding, counts = arrangement(sizes)
    assert fits(sizes, padding, len(counts))
    assert sum(counts) == sum(sizes.lacings(padding))
    if sizes.padded is None:
        assert padding == 0
        assert (len(counts) == sizes.pages) == fits(sizes, 0, sizes.pages)
        return
    tried = range(PADDING_BYTES_MAX + 2 * ALIGNMENT_BYTES)
    same = [padding for padding in tried if fits(sizes, padding, sizes.pages)]
    if len(counts) != sizes.pages:
        assert not same or same[0] > PADDING_BYTES_MAX
        assert padding >= PADDING_BYTES_MIN
        return
    ample = [p for p in same if p >= PADDING_BYTES_MIN and aligned(sizes, p, sizes.pages)]
    assert not ample or padding == ample[0]
    if not aligned(sizes, padding, sizes.pages):
        assert not ample


@given(st.integers(0, 5_000), st.integers(0, 5_000))
def test_all_but_one_length_in_256_can_be_aligned(length: int, audio_start: int) -> None:
    sizes = HeaderSizes([length], 0, 58, 1, audio_start)
    padding, _ = arrangement(sizes)
    assert padding >= PADDING_BYTES_MIN
    can = (audio_start - 58 - 27 - 1) % 256 != 255
    assert aligned(sizes, padding, 1) == can
    assert padding <= PADDING_BYTES_MIN + ALIGNMENT_BYTES


def test_headers_without_end_are_refused() -> None:
    with pytest.raises(Unservable, match="more Ogg header pages"):
        arrangement(HeaderSizes([HEADER_PAGES_MAX * 65_025], 0, 58, 1, 4_000))
