"""Queries over a catalogue: by path and by tags, edits included."""

from __future__ import annotations

import pytest

from musefs.catalog.edits import set_fields
from musefs.errors import InvalidQuery, NoSuchEntry, NotATrack
from musefs.library import choosing
from musefs.library.choosing import Choosing
from musefs.library.library import Library
from musefs.model import TrackId
from tests.catalog.records import sidecar
from tests.library.trees import Grove, song


@pytest.fixture
async def chosen(grove: Grove) -> Choosing:
    await grove.record(
        "nas",
        song("a/1", "Miles Davis", "Blue in Green"),
        song("a/2", "Miles Davis", "So What_100%"),
        song("b/1", "Björk", "Jóga"),
        sidecar("a/cover.jpg", "cover"),
    )
    await grove.record("box", song("c/1", "Miles Davis", "So What_100%"), song("c/2", "BLUE", "X"))
    await grove.refresh()
    return Choosing(grove.database, Library(grove.database, grove.adopted.names), {"nas"})


async def paths(chosen: Choosing, query: str) -> list[str]:
    return [track.path for track in await chosen.tracks(await chosen.normal(query))]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("blue", ["BLUE/X", "Miles Davis/Blue in Green"]),
        ("blue miles", ["Miles Davis/Blue in Green"]),
        ("artist:blue", ["BLUE/X"]),
        ('artist:"miles davis" what', ["Miles Davis/So What_100%"]),
        ("BJÖRK", ["Björk/Jóga"]),
        ("joga", []),
        ("t_1", ["Miles Davis/So What_100%"]),
        ("t_0", []),
        ("100%", ["Miles Davis/So What_100%"]),
        ("0%0", []),
        ("/Miles Davis/", ["Miles Davis/Blue in Green", "Miles Davis/So What_100%"]),
        ("Miles Davis", ["Miles Davis/Blue in Green", "Miles Davis/So What_100%"]),
        ("Miles Davis/Blue in Green", ["Miles Davis/Blue in Green"]),
        ("/", ["BLUE/X", "Björk/Jóga", "Miles Davis/Blue in Green", "Miles Davis/So What_100%"]),
    ],
)
async def test_what_a_query_names(chosen: Choosing, query: str, found: list[str]) -> None:
    assert await paths(chosen, query) == found


async def test_edits_stand_before_what_files_say(grove: Grove, chosen: Choosing) -> None:
    [[track_id]] = await grove.database.rows(
        "SELECT track_id FROM tags WHERE field = 'title' AND value = 'Jóga'"
    )
    async with grove.database.writing() as tx:
        await set_fields(tx, [TrackId(track_id)], {"artist": ["Guðmundsdóttir"], "mood": []}, 5)
    await grove.refresh()
    assert await paths(chosen, "björk") == []
    assert await paths(chosen, "artist:GUÐMUND jóga") == ["Guðmundsdóttir/Jóga"]


async def test_only_files_of_read_through_origins_are_not_cached(chosen: Choosing) -> None:
    found = {track.path: track.is_cached for track in await chosen.tracks("/")}
    assert found == {
        "Miles Davis/Blue in Green": False,
        "Miles Davis/So What_100%": True,
        "Björk/Jóga": False,
        "BLUE/X": True,
    }


@pytest.mark.parametrize(
    ("query", "normal"),
    [
        ("Miles Davis/", "/Miles Davis"),
        ("//Miles Davis/../BLUE", "/BLUE"),
        ("/", "/"),
        (" blue  x ", "blue  x"),
        ("/not/there/yet", "/not/there/yet"),
    ],
)
async def test_a_query_is_written_in_one_way(chosen: Choosing, query: str, normal: str) -> None:
    assert await chosen.normal(query) == normal
    assert await chosen.normal(normal) == normal


async def test_what_names_nothing_is_told(
    grove: Grove, chosen: Choosing, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoSuchEntry):
        await chosen.tracks("/not there")
    with pytest.raises(NotATrack):
        await chosen.tracks("/Miles Davis/cover.jpg")
    with pytest.raises(InvalidQuery, match="no such field"):
        await chosen.normal("colour:blue")
    monkeypatch.setattr(choosing, "TRACKS_MAX", 1)
    monkeypatch.setattr(choosing, "TRACKS_AT_ONCE", 1)
    for query in ("/", "miles"):
        with pytest.raises(InvalidQuery, match="more than 1 tracks"):
            await chosen.tracks(query)
