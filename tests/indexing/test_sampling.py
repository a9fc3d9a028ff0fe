"""Where windows lie, and that variants have names of their own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musefs.content.chunking import Chunk, chunks_of
from musefs.indexing.sampling import WINDOW_BYTES, WINDOWS_BETWEEN, variant, windows_of
from musefs.model import CHUNK_BYTES, Content, ContentId

SIZES = st.integers(1, 40 * CHUNK_BYTES)
FINGERPRINTS = st.binary(min_size=32, max_size=32)


def chunks(size: int) -> list[Chunk]:
    return list(chunks_of(Content(ContentId(1), size, 0, size), 0, size))


@given(SIZES, FINGERPRINTS, st.data())
def test_windows_lie_in_what_is_stored(size: int, fingerprint: bytes, data: st.DataObject) -> None:
    stored = [chunk for chunk in chunks(size) if data.draw(st.booleans())]
    windows = windows_of(stored, fingerprint)
    assert len(windows) <= WINDOWS_BETWEEN + 2
    assert bool(windows) == bool(stored)
    for window in windows:
        assert window.chunk in stored
        assert window.chunk.start <= window.start < window.end <= window.chunk.end
        assert window.end - window.start == min(WINDOW_BYTES, window.chunk.size)
    if stored:
        assert windows[0].start == stored[0].start
        assert windows[-1].end == stored[-1].end
    assert windows_of(stored, fingerprint) == windows


def test_windows_are_spread_and_follow_from_the_fingerprint() -> None:
    stored = chunks(60 * CHUNK_BYTES)
    places = {tuple(w.start for w in windows_of(stored, bytes([n]) * 32)) for n in range(50)}
    assert len(places) == 50
    for starts in places:
        tenths = {start * WINDOWS_BETWEEN // (60 * CHUNK_BYTES) for start in starts}
        assert tenths == set(range(WINDOWS_BETWEEN))


def test_no_window_is_drawn_where_nothing_is_stored() -> None:
    assert windows_of([], bytes(32)) == []


@given(FINGERPRINTS, st.binary(max_size=20), st.binary(max_size=20))
def test_variants_differ_by_what_was_seen_and_by_what_they_were(
    ends: bytes, one: bytes, other: bytes
) -> None:
    first = variant(ends, ends, [(7, one)])
    assert first != ends
    assert (variant(ends, ends, [(7, other)]) == first) == (one == other)
    assert variant(ends, ends, [(8, one)]) != first
    assert variant(ends, first, [(7, one)]) != first
