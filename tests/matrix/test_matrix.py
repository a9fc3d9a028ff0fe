"""Every format with every kind of change, read by every reader, decoded and checked.

What is served says what was wished and nothing else, sounds like the original, and no program finds
fault with it that finds none with the original. Where a reader is blind is data (`sights`).
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.lab.readers import READERS
from tests.lab.readers.by_mutagen import read_by_mutagen
from tests.lab.readers.shown import ShownPicture, picture_of
from tests.lab.served import joined
from tests.matrix.bench import SAYS_NO_MORE, Bench, Case, changes_of
from tests.matrix.changes import CHANGES, NEW_TEXT
from tests.matrix.originals import ORIGINAL_NAMES, originals

CASES = [(name, change) for name in ORIGINAL_NAMES for change in changes_of(name)]
every_case = pytest.mark.parametrize(("name", "change"), CASES)


@every_case
def test_the_file_is_as_large_as_its_layout_says(bench: Bench, name: str, change: str) -> None:
    case = bench.case(name, change)
    assert len(case.served) == case.retagged.layout.size > 0


@every_case
def test_it_sounds_like_the_original(bench: Bench, name: str, change: str) -> None:
    case = bench.case(name, change)
    found = bench.decoded[case.path]
    assert found.pcm_md5 is not None
    assert found.pcm_md5 == bench.decoded[originals()[name]].pcm_md5


@every_case
@pytest.mark.parametrize("reader", READERS)
def test_the_readers_show_the_text(bench: Bench, reader: str, name: str, change: str) -> None:
    case = bench.case(name, change)
    sight = case.sight(reader)
    if sight is None or (reader, change) in SAYS_NO_MORE:
        return
    assert case.path in bench.shown[reader], f"{reader} cannot read it"
    shown = bench.shown[reader][case.path].fields
    before = bench.shown[reader][originals()[name]].fields
    own, wished = case.retagged.reading.tags, case.retagged.wish.tags
    expected = sight.of(wished)
    wrong = {
        field: (shown.get(field), expected.get(field))
        for field in NEW_TEXT
        if not sight.same(field, expected.get(field, ()), shown.get(field, ()))
        # A field that nobody changed stays as it is, and may be told twice or in a strange way.
        and not (own.get(field) == wished.get(field) and shown.get(field) == before.get(field))
    }
    assert wrong == {}


@every_case
@pytest.mark.parametrize("reader", READERS)
def test_the_readers_show_the_pictures(bench: Bench, reader: str, name: str, change: str) -> None:
    case = bench.case(name, change)
    sight = case.sight(reader)
    if sight is None or reader == "ffprobe":  # it shows that there is one: see below
        return
    pictures = bench.shown[reader][case.path].pictures or ()
    expected = expected_pictures(case)
    assert [picture.length for picture in pictures] == [picture.length for picture in expected]
    assert all(map(same_picture, pictures, expected))


@every_case
def test_the_decoder_finds_the_pictures(bench: Bench, name: str, change: str) -> None:
    case = bench.case(name, change)
    sight = case.sight("ffprobe")
    if sight is None or sight.hidden_pictures:
        return
    expected = [picture.md5 for picture in expected_pictures(case)]
    assert list(bench.decoded[case.path].picture_md5s) == expected


@every_case
def test_nobody_finds_new_faults(bench: Bench, name: str, change: str) -> None:
    case, original = bench.case(name, change), originals()[name]
    old = {*bench.complaints[original], *bench.decoded[original].complaints}
    new = {*bench.complaints[case.path], *bench.decoded[case.path].complaints}
    assert new - old == set()


@pytest.mark.parametrize("name", ORIGINAL_NAMES)
@given(data=st.data())
def test_any_read_equals_the_whole(bench: Bench, name: str, data: st.DataObject) -> None:
    case = bench.case(name, data.draw(st.sampled_from(changes_of(name))))
    layout = case.retagged.layout
    edges = [end for end in layout._ends if end < layout.size] or [0]
    start = data.draw(
        st.integers(0, layout.size + 10)
        | st.sampled_from(edges).flatmap(lambda edge: st.integers(max(0, edge - 40), edge + 40))
    )
    size = data.draw(st.integers(0, 200) | st.integers(0, 140_000))
    parts = layout.slice(start, size)
    read = joined(parts, case.retagged.original, case.retagged.pictures)
    assert read == case.served[start : start + size]


def expected_pictures(case: Case) -> list[ShownPicture]:
    """The embedded ones that stay, in their order, then the given one."""
    path, change = originals()[case.name], CHANGES[case.change]
    embedded = read_by_mutagen([path])[path].pictures or ()
    kinds = [picture.kind for picture in case.retagged.reading.pictures]
    stays = [case.retagged.wish.keeps(kind) for kind in kinds]
    new = [picture_of(change.picture.mime, change.picture.data)] if change.picture else []
    return [*(found for found, kept in zip(embedded, stays, strict=True) if kept), *new]


def same_picture(shown: ShownPicture, expected: ShownPicture) -> bool:
    """Equal in what the reader tells."""
    return (
        shown.mime in ("", expected.mime)
        and shown.length in (None, expected.length)
        and shown.md5 in (None, expected.md5)
    )
