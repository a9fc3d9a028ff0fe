"""The tree follows the catalogue: names, numbers, moves, inodes, and nothing by halves."""

from __future__ import annotations

from unittest import mock

import pytest

from musefs.catalog import nodes
from musefs.catalog.changelog import pending_count
from musefs.catalog.nodes import ROOT, totals
from musefs.errors import StateBroken
from tests.catalog.records import size_of, track, unreadable
from tests.library.trees import Grove, assert_sound, assert_told, rules_of, song


async def test_a_track_stands_where_its_tags_say(grove: Grove) -> None:
    tags = {"artist": ["AC/DC"], "album": ["Live"], "title": ["$title [x]"]}
    await grove.record("nas", track("x/y.FLAC", "one", tags))
    [change] = await grove.refresh()
    assert await grove.paths() == ["AC_DC/Live/$title [x].FLAC"]
    assert change.gone == []
    assert change.rewritten == set()
    entries = await grove.entries()
    assert_sound(entries, grove.adopted.names)
    [file] = [entry.node for entry in entries.values() if entry.node.kind == "track"]
    assert (file.size, file.mtime_ns) == (size_of("one"), 7)


async def test_a_tree_that_is_up_to_date_has_nothing_to_do(grove: Grove) -> None:
    assert await grove.tree.refresh() is None
    await grove.record("nas", song("a.flac", "A", "t"))
    assert len(await grove.refresh()) == 1
    assert await grove.tree.refresh() is None


async def test_of_equal_names_the_first_path_gets_the_plain_one(grove: Grove) -> None:
    await grove.record("nas", *(song(f"{n}.flac", "A", "t", take=n) for n in (3, 1, 2)))
    await grove.refresh()
    rows = await grove.database.rows(
        "SELECT n.name, CAST(f.path AS TEXT) FROM nodes n JOIN files f USING (content_id)"
    )
    assert dict(rows) == {"t.flac": "1.flac", "t (2).flac": "2.flac", "t (3).flac": "3.flac"}


async def test_a_number_is_kept_when_the_plain_name_is_free_again(grove: Grove) -> None:
    await grove.record("nas", *(song(f"{n}.flac", "A", "t", take=n) for n in (1, 2, 3)))
    await grove.refresh()
    before = await grove.inodes()
    await grove.remove("nas", "1.flac")
    await grove.record("nas", song("3.flac", "A", "t", take=3))
    await grove.refresh()
    after = await grove.inodes()
    assert after == {path: before[path] for path in ("A/t (2).flac", "A/t (3).flac")}
    await grove.record("nas", song("4.flac", "A", "t", take=4))
    await grove.refresh()
    assert set(await grove.inodes()) - set(after) == {"A/t.flac"}


async def test_a_title_that_looks_numbered_collides_with_no_one(grove: Grove) -> None:
    titles = ["t (2)", "t", "t", "t (2)"]
    await grove.record(
        "nas", *(song(f"{n}.flac", "A", title, take=n) for n, title in enumerate(titles))
    )
    await grove.refresh()
    assert await grove.paths() == [
        *("A/t (2) (2).flac", "A/t (2).flac", "A/t (3).flac", "A/t.flac")
    ]


async def test_a_retagged_track_moves_with_its_inode(grove: Grove) -> None:
    await grove.record("nas", song("a.flac", "A", "old"), song("b.flac", "A", "stays"))
    await grove.refresh()
    before = await grove.entries()
    inodes = await grove.inodes()
    await grove.record("nas", song("a.flac", "B", "new"))
    changes = await grove.refresh()
    assert await grove.inodes() == {
        "A/stays.flac": inodes["A/stays.flac"],
        "B/new.flac": inodes["A/old.flac"],
    }
    assert_told(before, await grove.entries(), changes)
    assert changes[0].rewritten == {inodes["A/old.flac"]}


async def test_new_bytes_under_the_same_name_are_told(grove: Grove) -> None:
    await grove.record("nas", song("a.flac", "A", "t", take=1))
    await grove.refresh()
    before = await grove.entries()
    await grove.record("nas", song("a.flac", "A", "t", take=22))
    [change] = await grove.refresh()
    assert (change.gone, change.folders) == ([], set())
    assert_told(before, await grove.entries(), [change])


async def test_a_file_that_can_no_longer_be_read_stays_as_it_was(grove: Grove) -> None:
    await grove.record("nas", song("a.flac", "A", "t"))
    await grove.refresh()
    before = await grove.entries()
    await grove.record("nas", unreadable("a.flac", size=99))
    [change] = await grove.refresh()
    assert await grove.entries() == before
    assert change.rewritten == set()


async def test_a_folder_goes_with_its_last_track(grove: Grove) -> None:
    tags = {"artist": ["A"], "album": ["X"], "title": ["t"]}
    await grove.record("nas", track("a.flac", "one", tags), song("b.flac", "B", "t"))
    await grove.refresh()
    before = await grove.entries()
    await grove.remove("nas", "a.flac")
    [change] = await grove.refresh()
    assert await grove.paths() == ["B/t.flac"]
    assert [name for _, name, _ in change.gone] == ["t.flac", "X", "A"]
    assert change.folders == {ROOT}
    after = await grove.entries()
    assert_told(before, after, [change])
    assert_sound(after, grove.adopted.names)


async def test_inodes_are_never_given_out_twice(grove: Grove) -> None:
    seen: set[int] = set()
    for take in range(3):
        await grove.record("nas", song("a.flac", "A", "t", take=take))
        await grove.refresh()
        entries = set(await grove.entries()) - {ROOT}
        assert not entries & seen
        seen |= entries
        await grove.remove("nas", "a.flac")
        await grove.refresh()
        assert set(await grove.entries()) == {ROOT}
    assert min(seen) >= 100


async def test_a_track_keeps_its_place_while_one_file_is_left(grove: Grove) -> None:
    await grove.record("nas", song("a.flac", "A", "t"))
    await grove.record("box", song("b.flac", "A", "t"))
    await grove.refresh()
    before = await grove.inodes()
    await grove.remove("nas", "a.flac")
    await grove.refresh()
    assert await grove.inodes() == before
    await grove.remove("box", "b.flac")
    await grove.refresh()
    assert await grove.paths() == []


async def test_the_file_of_the_preferred_origin_stands_for_the_track(grove: Grove) -> None:
    await grove.adopt(rules_of("$origin/$filename"))
    await grove.record("nas", song("z.flac", "A", "t"))
    await grove.refresh()
    assert await grove.paths() == ["nas/z.flac"]
    await grove.record("box", song("y.flac", "A", "t"), song("x.flac", "A", "t"))
    await grove.refresh()
    assert await grove.paths() == ["box/x.flac"]
    await grove.remove("box", "x.flac", "y.flac")
    await grove.refresh()
    assert await grove.paths() == ["nas/z.flac"]


async def test_a_folder_beside_a_file_of_its_name_gets_a_number(grove: Grove) -> None:
    tags = {"artist": ["A"], "album": ["t.flac"], "title": ["u"]}
    await grove.record("nas", song("a.flac", "A", "t"))
    await grove.refresh()
    await grove.record("nas", track("b.flac", "two", tags))
    await grove.refresh()
    assert await grove.paths() == ["A/t (2).flac/u.flac", "A/t.flac"]
    await grove.record("nas", track("c.flac", "three", tags | {"title": ["v"]}))
    await grove.refresh()
    assert await grove.paths() == ["A/t (2).flac/u.flac", "A/t (2).flac/v.flac", "A/t.flac"]


async def test_a_file_beside_a_folder_of_its_name_gets_a_number(grove: Grove) -> None:
    tags = {"artist": ["A"], "album": ["t.flac"], "title": ["u"]}
    await grove.record("nas", track("b.flac", "two", tags))
    await grove.refresh()
    await grove.record("nas", song("a.flac", "A", "t"))
    await grove.refresh()
    assert await grove.paths() == ["A/t (2).flac", "A/t.flac/u.flac"]


async def test_another_template_moves_everything_and_keeps_the_inodes(grove: Grove) -> None:
    assert await grove.tree.adopt_rules()
    await grove.record("nas", *(song(f"{n}.flac", "A", f"t{n}") for n in range(5)))
    await grove.refresh()
    before, entries = await grove.inodes(), await grove.entries()
    assert not await grove.tree.adopt_rules()
    assert await grove.adopt(rules_of("all/$title by $artist"))
    changes = await grove.refresh()
    after = await grove.inodes()
    assert after == {f"all/t{n} by A.flac": before[f"A/t{n}.flac"] for n in range(5)}
    assert_told(entries, await grove.entries(), changes)
    assert not await grove.adopt(rules_of("all/$title by $artist"))
    assert await pending_count(grove.database) == 0


async def test_in_a_tree_without_case_names_collide_by_their_letters(grove: Grove) -> None:
    await grove.adopt(rules_of(case_insensitive=True))
    await grove.record("nas", song("1.flac", "AC", "t"), song("2.flac", "ac", "T"))
    await grove.refresh()
    assert await grove.paths() == ["AC/T (2).flac", "AC/t.flac"]
    assert_sound(await grove.entries(), grove.adopted.names)


async def test_in_a_tree_without_case_a_name_can_change_its_case(grove: Grove) -> None:
    await grove.adopt(rules_of(case_insensitive=True))
    await grove.record("nas", song("1.flac", "A", "straße"))
    await grove.refresh()
    await grove.record("nas", song("1.flac", "A", "STRASSE"))
    await grove.refresh()
    assert await grove.paths() == ["A/STRASSE.flac"]


async def test_a_tree_can_give_up_case_and_take_it_up_again(grove: Grove) -> None:
    template = "[$artist/]$title"
    records = [
        song(f"{n}.flac", artist, title)
        for n, (artist, title) in enumerate(
            [("AC", "t"), ("ac", "t"), ("", "Root"), ("", "root"), ("", "Alone")]
        )
    ]
    await grove.adopt(rules_of(template))
    await grove.record("nas", *records)
    await grove.refresh()
    sensitive = await grove.paths()
    inodes = set((await grove.inodes()).values())
    assert sensitive == ["AC/t.flac", "Alone.flac", "Root.flac", "ac/t.flac", "root.flac"]

    await grove.adopt(rules_of(template, case_insensitive=True))
    before = await grove.entries()
    changes = await grove.refresh()
    entries = await grove.entries()
    assert_sound(entries, grove.adopted.names)
    assert_told(before, entries, changes)
    assert len({path.casefold() for path in await grove.paths()}) == 5

    await grove.adopt(rules_of(template))
    await grove.refresh()
    assert_sound(await grove.entries(), grove.adopted.names)
    assert set((await grove.inodes()).values()) == inodes
    assert {path.split("/")[0] for path in await grove.paths() if "/" in path} == {"AC", "ac"}


async def test_folders_part_when_case_counts_again(grove: Grove) -> None:
    await grove.adopt(rules_of(case_insensitive=True))
    await grove.record("nas", song("1.flac", "AC", "t"), song("2.flac", "ac", "u"))
    await grove.refresh()
    assert await grove.paths() == ["AC/t.flac", "AC/u.flac"]
    await grove.adopt(rules_of())
    await grove.refresh()
    assert await grove.paths() == ["AC/t.flac", "ac/u.flac"]
    assert_sound(await grove.entries(), grove.adopted.names)


async def test_many_changes_are_followed_in_several_transactions(grove: Grove) -> None:
    for start in range(0, 1200, 200):
        await grove.record(
            "nas", *(song(f"{n:04}.flac", "A", "t", take=n) for n in range(start, start + 200))
        )
    changes = await grove.refresh()
    assert len(changes) == 3
    numbers = {"A/t.flac"} | {f"A/t ({n}).flac" for n in range(2, 1201)}
    assert set(await grove.paths()) == numbers
    assert_sound(await grove.entries(), grove.adopted.names)
    found = await totals(grove.database)
    assert (found.tracks, found.sidecars, found.folders) == (1200, 0, 2)
    assert found.size_bytes == sum(size_of(f"A|t|{n}") for n in range(1200))


@pytest.mark.parametrize("at", ["touch", "insert", "move", "delete"])
async def test_a_refresh_that_is_broken_off_changes_nothing(grove: Grove, at: str) -> None:
    await grove.record("nas", *(song(f"{n}.flac", "A", f"t{n}") for n in range(4)))
    await grove.refresh()
    await grove.record("nas", song("0.flac", "B", "t"), song("9.flac", "C", "t"))
    await grove.remove("nas", "1.flac")
    before, todo = await grove.entries(), await pending_count(grove.database)
    broken = mock.patch.object(nodes, at, side_effect=StateBroken("the disk is full"))
    with broken, pytest.raises(StateBroken):
        await grove.tree.refresh()
    assert await grove.entries() == before
    assert await pending_count(grove.database) == todo
    assert_told(before, await grove.entries(), [])
    await grove.refresh()
    assert await grove.paths() == ["A/t2.flac", "A/t3.flac", "B/t.flac", "C/t.flac"]
