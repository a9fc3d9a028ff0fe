"""Chunk boundaries: they tile the content, and the audio's do not depend on what is before it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from musefs.content.chunking import chunk_at, chunk_count, chunks_of
from musefs.model import CHUNK_BYTES, Content, ContentId

CUTS = st.integers(0, 5 * CHUNK_BYTES)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    start, end, size = sorted(draw(st.tuples(CUTS, CUTS, CUTS)))
    return Content(ContentId(1), size, start, end)


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
        assert full or after.start in (content.audio_start, content.audio_end)


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
