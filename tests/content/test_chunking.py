"""Chunk boundaries: they tile the content, and the audio's do not depend on what is before it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from musefs.content.chunking import chunk_at, chunk_count, chunks_of, chunks_touched, locate
from musefs.model import CHUNK_BYTES, Content, ContentId

CUTS = st.integers(0, 5 * CHUNK_BYTES)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    """Of three regions, or of any."""
    start, end, size = sorted(draw(st.tuples(CUTS, CUTS, CUTS)))
    cuts = draw(st.lists(CUTS, max_size=6))
    regions = tuple(sorted({0, start, end, size, *(cut for cut in cuts if cut < size)}))
    return Content(ContentId(1), size, start, end, regions=regions if cuts else ())


@given(contents())
def test_chunks_tile_the_content_and_stop_at_the_audio(content: Content) -> None:
    chunks = list(chunks_of(content, 0, content.size))
    assert [chunk.index for chunk in chunks] == list(range(chunk_count(content)))
    edges = [0, *(chunk.end for chunk in chunks)]
    assert edges == [*(chunk.start for chunk in chunks), content.size]
    assert {content.audio_start, content.audio_end} <= set(edges)
    assert all(0 < chunk.size <= CHUNK_BYTES for chunk in chunks)
    for before, after in pairwise(chunks):
        full = before.size == CHUNK_BYTES
        assert full or after.start in content.regions


@given(contents(), st.data())
def test_locating_equals_a_search_through_all_chunks(content: Content, data: st.DataObject) -> None:
    if not content.size:
        return
    offset = data.draw(st.integers(0, content.size - 1))
    chunks: list[tuple[int, int, int]] = []
    for begin, end in pairwise(content.regions):
        for start in range(begin, end, CHUNK_BYTES):
            chunks.append((len(chunks), start, min(start + CHUNK_BYTES, end)))
    assert locate(content, offset) == next(chunk for chunk in chunks if chunk[2] > offset)
    assert chunk_count(content) == len(chunks)


@given(contents(), st.lists(st.tuples(CUTS, CUTS), max_size=4))
def test_touched_chunks_hold_every_byte_of_the_spans(
    content: Content, spans: list[tuple[int, int]]
) -> None:
    wanted = [(min(span), min(max(span), content.size)) for span in spans]
    expected = [
        chunk
        for chunk in chunks_of(content, 0, content.size)
        if any(chunk.start < end and chunk.end > start and start < end for start, end in wanted)
    ]
    assert chunks_touched(content, wanted) == expected


def test_the_body_is_the_audio_between_its_cuts() -> None:
    def body(*cuts: int) -> tuple[int, int]:
        return Content(ContentId(1), 100, 10, 90, regions=(0, 10, *cuts, 90, 100)).body

    assert body(30, 80) == (30, 80)
    assert body() == (10, 90)
    assert Content(ContentId(1), 100, 10, 90).body == (10, 90)


@given(contents(), st.data())
def test_a_range_is_covered_by_just_the_chunks_it_touches(
    content: Content, data: st.DataObject
) -> None:
    offset = data.draw(st.integers(0, content.size))
    size = data.draw(st.integers(0, 2 * CHUNK_BYTES))
    end = min(offset + size, content.size)
    expected = [
        chunk
        for chunk in chunks_of(content, 0, content.size)
        if chunk.start < end and chunk.end > offset and offset < end
    ]
    assert list(chunks_of(content, offset, size)) == expected
    if offset < content.size:
        chunk = chunk_at(content, offset)
        assert chunk.start <= offset < chunk.end


@given(st.integers(0, 3 * CHUNK_BYTES), st.integers(0, 3 * CHUNK_BYTES), CUTS)
def test_a_retagged_twin_has_the_same_audio_chunks(one: int, other: int, length: int) -> None:
    def audio_chunks(head: int) -> list[tuple[int, int]]:
        content = Content(ContentId(1), head + length + 128, head, head + length)
        return [
            (chunk.start - head, chunk.end - head) for chunk in chunks_of(content, head, length)
        ]

    assert audio_chunks(one) == audio_chunks(other)
