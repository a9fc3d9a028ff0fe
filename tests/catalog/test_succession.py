"""Replicas that are re-tagged one after another: which track, name and edits are left."""

from __future__ import annotations

import pytest

from musefs.catalog.database import Database
from musefs.catalog.edits import set_fields
from musefs.catalog.nodes import track_nodes
from musefs.model import TrackId
from tests.library.trees import Entry, Grove, song

FIRST = TrackId(1)
OLD = song("a.flac", "A", "Title")
RETAGGED = song("a.flac", "A", "Title", take=2)
RENAMED = song("a.flac", "A", "Other")


@pytest.fixture
async def grove(database: Database) -> Grove:
    """One track at two origins, in the tree."""
    grove = Grove(database)
    await grove.adopt(grove.adopted)
    await grove.record("nas", OLD)
    await grove.record("box", OLD)
    await grove.refresh()
    return grove


async def tracks(grove: Grove) -> dict[str, Entry]:
    return {
        "/".join(entry.path): entry
        for entry in (await grove.entries()).values()
        if entry.node.kind == "track"
    }


async def edit(grove: Grove, track_id: TrackId, title: str) -> None:
    async with grove.database.writing() as tx:
        await set_fields(tx, [track_id], {"title": [title]}, grove.now_ns)
    await grove.refresh()


@pytest.mark.parametrize("refreshed_between", [True, False])
@pytest.mark.parametrize(("new", "path"), [(RETAGGED, "A/Title.flac"), (RENAMED, "A/Other.flac")])
async def test_a_track_re_tagged_at_both_origins_keeps_inode_and_name(
    grove: Grove, new: object, path: str, *, refreshed_between: bool
) -> None:
    [before] = (await tracks(grove)).values()
    await grove.record("nas", new)  # type: ignore[arg-type]
    if refreshed_between:
        await grove.refresh()
        assert len(await tracks(grove)) == 2
    await grove.record("box", new)  # type: ignore[arg-type]
    await grove.refresh()
    after = await tracks(grove)
    assert list(after) == [path]
    assert after[path].node.inode == before.node.inode
    assert after[path].node.track_id == FIRST
    assert after[path].node.content_id != before.node.content_id


async def test_edits_stay_with_the_older_track(grove: Grove) -> None:
    await edit(grove, FIRST, "Mine")
    [before] = (await tracks(grove)).values()
    for origin in ("nas", "box"):
        await grove.record(origin, RETAGGED)
        await grove.refresh()
    after = await tracks(grove)
    assert list(after) == ["A/Mine.flac"]
    assert after["A/Mine.flac"].node.inode == before.node.inode


async def test_a_younger_track_that_was_edited_stays(grove: Grove) -> None:
    await grove.record("nas", RETAGGED)
    await grove.refresh()
    second = (await tracks(grove))["A/Title (2).flac"]
    assert second.node.track_id is not None
    await edit(grove, second.node.track_id, "Mine")
    await grove.record("box", RETAGGED)
    await grove.refresh()
    after = await tracks(grove)
    assert list(after) == ["A/Mine.flac"]
    assert after["A/Mine.flac"].node.inode == second.node.inode


async def test_another_track_whose_bytes_a_file_gets_keeps_its_place(grove: Grove) -> None:
    await grove.record("nas", song("b.flac", "A", "Second"))
    await grove.refresh()
    second = (await tracks(grove))["A/Second.flac"]
    for origin in ("nas", "box"):
        await grove.record(origin, song("a.flac", "A", "Second"))
        await grove.refresh()
    after = await tracks(grove)
    assert list(after) == ["A/Second.flac"]
    assert after["A/Second.flac"].node.inode == second.node.inode


async def test_two_copies_at_one_origin_re_tagged_in_one_scan_keep_their_track(
    database: Database,
) -> None:
    grove = Grove(database)
    await grove.record("nas", OLD, song("copy.flac", "A", "Title"))
    await grove.refresh()
    [before] = (await tracks(grove)).values()
    await grove.record("nas", RENAMED, song("copy.flac", "A", "Other"))
    await grove.refresh()
    after = await tracks(grove)
    assert list(after) == ["A/Other.flac"]
    assert after["A/Other.flac"].node.inode == before.node.inode


async def test_back_and_forth_leaves_one_track(grove: Grove) -> None:
    [before] = (await tracks(grove)).values()
    for new in (RETAGGED, OLD, RENAMED, RETAGGED, OLD):
        for origin in ("nas", "box"):
            await grove.record(origin, new)
            await grove.refresh()
        [after] = (await tracks(grove)).values()
        assert after.node.inode == before.node.inode
    rows = await grove.database.rows("SELECT id FROM tracks")
    placed = await track_nodes(grove.database, [row[0] for row in rows])
    assert list(placed) == [FIRST]
    assert await grove.database.rows("PRAGMA foreign_key_check") == []
