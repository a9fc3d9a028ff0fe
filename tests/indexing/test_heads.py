"""Where a file is cut and what of it is kept: pure, and bounded whatever a file claims."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from musefs.indexing.heads import (
    FETCHED_TEXT_BYTES_MAX,
    KEPT_ART_BYTES_MAX,
    KERNEL_READ_BYTES,
    PICTURES_MAX,
    SCATTERED_BYTES_MAX,
    heads_of,
)
from musefs.indexing.inspection import DEFAULT_ENDS, Inspection, trail_bytes
from musefs.layout.formats import Format
from musefs.layout.pictures import Picture
from musefs.model import CHUNK_BYTES, Content, ContentId

MIB = 1 << 20
LEAD = 56 << 10
FAR_LEAD = 144 << 10


def found(audio: tuple[int, int], *pictures: Picture, kind: Format = Format.FLAC) -> Inspection:
    return Inspection(kind, {}, pictures, *audio, bytes(32))


def cover(offset: int | None, length: int) -> Picture:
    return Picture(3, "image/jpeg", offset, length)


def test_a_song_with_a_cover_is_cut_around_it_and_inside_its_audio() -> None:
    size = 30 * MIB
    heads = heads_of(found((MIB + 9000, size), cover(500, MIB)), size, DEFAULT_ENDS)
    start, trail = MIB + 9000, size - (8 << 10)
    assert heads.regions == (
        *(0, 500, MIB + 500),
        *(start, start + LEAD, start + FAR_LEAD),
        *(trail, size),
    )
    assert heads.spans == (
        (0, 500),
        (MIB + 500, MIB + 9000),
        (start, start + FAR_LEAD),
        (trail, size),
    )
    assert [picture.offset for picture in heads.pictures] == [500]


def test_the_kernels_read_of_the_first_frames_is_kept_whole_behind_a_picture() -> None:
    size = 30 * MIB
    for start in range(100_000, 100_000 + KERNEL_READ_BYTES, 4096):
        heads = heads_of(found((start, size), cover(500, start - 900)), size, DEFAULT_ENDS)
        _, end = next(span for span in heads.spans if span[0] == start)
        asked_up_to = -(-(start + 4096) // KERNEL_READ_BYTES) * KERNEL_READ_BYTES
        assert end >= min(asked_up_to, start + LEAD)
        assert end in (start + LEAD, start + FAR_LEAD)
        assert end == start + FAR_LEAD or asked_up_to <= end


def test_less_is_kept_of_a_file_without_a_picture_and_it_is_cut_the_same() -> None:
    size, start = 30 * MIB, 8500
    heads = heads_of(found((start, size)), size, DEFAULT_ENDS)
    assert heads.regions[:4] == (0, start, start + LEAD, start + FAR_LEAD)
    assert (start, start + LEAD) in heads.spans


def test_a_short_song_is_kept_as_a_whole() -> None:
    heads = heads_of(found((1000, 61_000)), 61_128, DEFAULT_ENDS)
    assert heads.regions == (0, 1000, 61_000, 61_128)
    assert heads.spans == ((0, 1000), (1000, 61_000), (61_000, 61_128))


def test_a_file_in_which_readers_look_everywhere_is_kept_as_a_whole() -> None:
    for size, is_whole in ((SCATTERED_BYTES_MAX, True), (SCATTERED_BYTES_MAX + 1, False)):
        inspected = replace(found((1000, size)), scattered=True)
        kept = heads_of(inspected, size, DEFAULT_ENDS).spans
        assert (kept == ((0, 1000), (1000, size))) is is_whole


def test_more_is_kept_of_an_end_that_readers_look_at() -> None:
    sizes = [trail_bytes(kind, DEFAULT_ENDS) for kind in (Format.FLAC, Format.MP3, Format.OPUS)]
    assert sizes == [8 << 10, 16 << 10, 72 << 10]


def test_pictures_that_are_small_misplaced_or_too_many_are_left_out() -> None:
    size = 40 * MIB
    misplaced = [
        cover(None, MIB),
        cover(10, 15_000),
        cover(size - 10, 20_000),
        cover(5 * MIB, 20_000),
    ]
    heads = heads_of(found((2 * MIB, size), *misplaced), size, DEFAULT_ENDS)
    assert heads.pictures == ()
    many = [cover(20_000 * number, 20_000) for number in range(100)]
    heads = heads_of(found((2 * MIB, size), *many, *many), size, DEFAULT_ENDS)
    assert len(heads.pictures) == PICTURES_MAX
    huge = [cover(0, 10 * MIB), cover(10 * MIB, 4 * MIB), cover(14 * MIB, MIB)]
    heads = heads_of(found((20 * MIB, size), *huge), size, DEFAULT_ENDS)
    assert sum(picture.length for picture in heads.pictures) == 11 * MIB <= KEPT_ART_BYTES_MAX


def test_of_a_huge_header_only_the_beginning_is_kept() -> None:
    heads = heads_of(found((5 * MIB, 30 * MIB)), 30 * MIB, DEFAULT_ENDS)
    assert heads.spans[0] == (0, CHUNK_BYTES)


PLACES = st.integers(0, 20 * MIB)


@given(
    st.lists(PLACES, min_size=3, max_size=3).map(sorted),
    st.lists(st.tuples(PLACES, st.integers(0, 3 * MIB)), max_size=30),
    st.sampled_from(list(Format)),
)
def test_regions_and_spans_lie_in_the_file_and_cost_little(
    places: list[int], pictures: list[tuple[int, int]], kind: Format
) -> None:
    start, end, size = places
    seen = found((start, end), *(cover(*place) for place in pictures), kind=kind)
    heads = heads_of(seen, size, DEFAULT_ENDS)
    assert list(heads.regions) == sorted({*heads.regions, 0, start, end, size})
    assert len(heads.regions) <= 6 + 2 * PICTURES_MAX
    kept = sorted(heads.kept)
    assert all(0 <= a < b <= size for a, b in kept)
    assert all(before[1] <= after[0] for before, after in pairwise(kept))
    cut_short = [span for span in heads.spans if span[1] - span[0] == CHUNK_BYTES]
    whole = [span for span in heads.kept if span not in cut_short]
    assert {place for span in whole for place in span} <= set(heads.regions)
    text = sum(b - a for a, b in heads.spans)
    assert text <= 2 * FETCHED_TEXT_BYTES_MAX + (48 << 10) + (72 << 10) + (16 << 10)


@given(st.integers(0, 3 * MIB), st.integers(0, 3 * MIB), st.integers(1, 9 * MIB), st.data())
def test_a_retagged_twin_has_the_same_audio_chunks(
    one: int, other: int, length: int, data: st.DataObject
) -> None:
    def audio_chunks(head: int) -> list[tuple[int, int]]:
        size = head + length + 128
        art = [cover(0, head // 2)] if data.draw(st.booleans()) else []
        heads = heads_of(found((head, head + length), *art), size, DEFAULT_ENDS)
        content = Content(ContentId(1), size, head, head + length, regions=heads.regions)
        cuts = [place - head for place in content.regions if head <= place <= head + length]
        return list(pairwise(cuts))

    assert audio_chunks(one + 1) == audio_chunks(other + 1)
