"""What users set: kept beside what the files say, and logged for the tree."""

from __future__ import annotations

import pytest

from musefs.catalog.changelog import finish, pending
from musefs.catalog.database import Database
from musefs.catalog.edits import clear_edits, edits_of, set_art, set_fields
from musefs.catalog.files import Files
from musefs.catalog.layouts import (
    LayoutRecord,
    drop_layout,
    keep_layout,
    layout_failures,
    layouts_of,
    segments_of,
    unmade,
)
from musefs.catalog.pictures import (
    NewPicture,
    keep_picture,
    picture,
    picture_bytes,
    sweep_pictures,
)
from musefs.catalog.tracks import stored_tracks
from musefs.model import ContentId, PictureId, TrackId
from tests.catalog.records import size_of, track

ONE, TWO = TrackId(1), TrackId(2)
COVER = NewPicture("image/png", 30, 20, b"\x89PNG" + bytes(range(100)))


@pytest.fixture(autouse=True)
async def two_tracks(database: Database) -> None:
    """Their changelog is done with."""
    own = {"title": ["Own"], "artist": ["A", "B"], "mood": ["calm"]}
    await Files(database).record("nas", [track("a/1.flac", "one", own), track("a/2.flac", "two")])
    await followed(database)


async def followed(database: Database) -> tuple[TrackId, ...]:
    """The tracks in the changelog, which is empty then."""
    todo = await pending(database, 100)
    if todo is None:
        return ()
    async with database.writing() as tx:
        await finish(tx, todo)
    return todo.tracks


async def test_fields_are_set_removed_and_laid_over_those_of_the_file(database: Database) -> None:
    changes = {"title": ["New"], "artist": [], "genre": ["Jazz", "Blues"]}
    async with database.writing() as tx:
        await set_fields(tx, [ONE], changes, 5_000)
    [found] = await stored_tracks(database, [ONE])
    assert found.tags == {"title": ("New",), "genre": ("Jazz", "Blues"), "mood": ("calm",)}
    assert found.own_tags["title"] == ["Own"]
    assert found.edits is not None
    assert (found.edits.edited_ns, found.edits.art, found.edits.is_empty) == (5_000, "own", False)
    assert await followed(database) == (ONE,)


async def test_an_edit_takes_the_place_of_the_one_before(database: Database) -> None:
    async with database.writing() as tx:
        await set_fields(tx, [ONE, TWO], {"title": ["a", "b", "c"], "genre": ["x"]}, 5_000)
        # The clock went back: the time names the edit, so it grows all the same.
        await set_fields(tx, [ONE], {"title": ["d"]}, 4_000)
    edits = await edits_of(database, [ONE, TWO])
    assert edits[ONE].fields == {"title": ("d",), "genre": ("x",)}
    assert edits[ONE].edited_ns == 5_001
    assert edits[TWO].fields == {"title": ("a", "b", "c"), "genre": ("x",)}


async def test_clearing_brings_back_the_file_and_is_an_edit_of_its_own(database: Database) -> None:
    async with database.writing() as tx:
        await set_fields(tx, [ONE], {"title": ["New"]}, 5_000)
        await set_art(tx, [ONE], None, 6_000)
        await clear_edits(tx, [ONE, TWO], 7_000)
    edits = await edits_of(database, [ONE, TWO])
    assert list(edits) == [ONE]
    assert (edits[ONE].is_empty, edits[ONE].edited_ns) == (True, 7_000)
    [found] = await stored_tracks(database, [ONE])
    assert found.tags["title"] == ("Own",)
    assert await followed(database) == (ONE, TWO)


async def test_pictures_are_kept_once_and_read_in_ranges(database: Database) -> None:
    async with database.writing() as tx:
        first = await keep_picture(tx, COVER)
        assert await keep_picture(tx, COVER) == first
        other = await keep_picture(tx, NewPicture("image/jpeg", 1, 1, b"other"))
        await set_art(tx, [ONE, TWO], first, 5_000)
    found = await picture(database, first)
    assert found is not None
    assert (found.mime, found.width, found.height, found.size) == ("image/png", 30, 20, 104)
    assert await picture_bytes(database, first, 2, 5) == COVER.data[2:7]
    assert await picture_bytes(database, first, 100, 50) == COVER.data[100:]
    edits = await edits_of(database, [TWO])
    assert (edits[TWO].art, edits[TWO].picture) == ("given", found)
    async with database.writing() as tx:
        assert await sweep_pictures(tx) == 1
    assert await picture(database, other) is None
    assert await picture_bytes(database, other, 0, 1) is None
    assert await picture(database, first) == found
    async with database.writing() as tx:
        await set_art(tx, [ONE, TWO], None, 6_000)
    assert (await edits_of(database, [ONE]))[ONE].art == "none"


async def test_a_track_has_one_layout_and_each_has_an_id_of_its_own(database: Database) -> None:
    content = ContentId(1)
    async with database.writing() as tx:
        first = await keep_layout(tx, LayoutRecord(ONE, content, 5, 100, b"blob"))
        second = await keep_layout(tx, LayoutRecord(ONE, content, 6, 200, b"other"))
    assert second.id > first.id
    assert await layouts_of(database, [ONE, TWO]) == {ONE: second}
    assert await segments_of(database, first.id) is None
    assert await segments_of(database, second.id) == b"other"
    async with database.writing() as tx:
        await drop_layout(tx, ONE)
    assert await layouts_of(database, [ONE]) == {}


async def test_what_has_no_layout_for_its_last_edit_is_unmade(database: Database) -> None:
    assert await unmade(database, 10) == []
    async with database.writing() as tx:
        await set_fields(tx, [ONE], {"title": ["New"]}, 5_000)
        await set_art(tx, [TWO], None, 5_000)
    assert set(await unmade(database, 10)) == {ONE, TWO}
    assert len(await unmade(database, 1)) == 1
    async with database.writing() as tx:
        await keep_layout(tx, LayoutRecord(ONE, ContentId(1), 5_000, 100, b"blob"))
        await keep_layout(tx, LayoutRecord(TWO, ContentId(2), 4_999, 100, b"blob"))
    assert await unmade(database, 10) == [TWO]
    async with database.writing() as tx:
        await clear_edits(tx, [TWO], 6_000)
    assert await unmade(database, 10) == []


async def test_files_without_a_layout_are_told_with_the_reason(database: Database) -> None:
    async with database.writing() as tx:
        await set_fields(tx, [ONE], {"title": ["New"]}, 5_000)
        record = LayoutRecord(ONE, ContentId(1), 5_000, size_of("one"), None, "is odd")
        await keep_layout(tx, record)
    [failed] = await layout_failures(database)
    assert (failed.origin, failed.path, failed.reason) == ("nas", "a/1.flac", "is odd")
    assert await unmade(database, 10) == []
    await Files(database).record("nas", [track("a/1.flac", "other bytes")])
    assert await layout_failures(database) == []
    assert await unmade(database, 10) == [ONE]


async def test_edits_stay_with_a_track_whose_file_gets_other_bytes(database: Database) -> None:
    async with database.writing() as tx:
        await set_fields(tx, [ONE], {"title": ["New"]}, 5_000)
    await Files(database).record("nas", [track("a/1.flac", "other", {"title": ["Retagged"]})])
    [found] = await stored_tracks(database, [ONE])
    assert (found.own_tags["title"], found.tags["title"]) == (["Retagged"], ("New",))


async def test_a_picture_in_use_cannot_go(database: Database) -> None:
    async with database.writing() as tx:
        kept = await keep_picture(tx, COVER)
        await set_art(tx, [ONE], kept, 5_000)
        assert await sweep_pictures(tx) == 0
    assert await picture(database, PictureId(kept)) is not None
