"""Sidecars appear beside the tracks of their folder, once for all replicas."""

from __future__ import annotations

from musefs.catalog.records import FileRecord
from tests.catalog.records import sidecar, size_of
from tests.library.trees import Grove, assert_sound, assert_told, rules_of, song


def lyrics(path: str) -> FileRecord:
    return sidecar(path, f"words of {path}")


async def test_a_sidecar_stands_beside_the_tracks_of_its_folder(grove: Grove) -> None:
    await grove.record("nas", song("x/1.flac", "A", "t"), sidecar("x/Cover.JPG", "picture"))
    await grove.record("nas", sidecar("y/cover.jpg", "of nothing"), sidecar("cover.jpg", "of all"))
    await grove.refresh()
    assert await grove.paths() == ["A/Cover.JPG", "A/t.flac"]
    entries = await grove.entries()
    assert_sound(entries, grove.adopted.names)
    [found] = [entry for entry in entries.values() if entry.node.kind == "sidecar"]
    assert (found.node.size, found.node.mtime_ns) == (size_of("picture"), 7)


async def test_a_sidecar_may_come_before_its_tracks(grove: Grove) -> None:
    await grove.record("nas", sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    assert await grove.paths() == []
    await grove.record("nas", song("x/1.flac", "A", "t"))
    await grove.refresh()
    assert await grove.paths() == ["A/cover.jpg", "A/t.flac"]


async def test_a_sidecar_goes_where_most_of_the_tracks_are(grove: Grove) -> None:
    await grove.record("nas", *(song(f"x/{n}.flac", "A", f"t{n}") for n in range(2)))
    await grove.record("nas", song("x/9.flac", "B", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    assert "A/cover.jpg" in await grove.paths()
    inode = (await grove.inodes())["A/cover.jpg"]
    before = await grove.entries()
    await grove.record("nas", song("x/0.flac", "B", "t0"))
    changes = await grove.refresh()
    assert (await grove.inodes())["B/cover.jpg"] == inode
    assert "A/cover.jpg" not in await grove.paths()
    assert_told(before, await grove.entries(), changes)


async def test_a_sidecar_above_the_discs_of_an_album_goes_with_them(grove: Grove) -> None:
    await grove.record("nas", song("x/cd1/1.flac", "A", "t"), song("x/cd2/1.flac", "A", "u"))
    await grove.record("nas", sidecar("x/cover.jpg", "picture"), sidecar("x/cd1/a.log", "log"))
    await grove.refresh()
    assert await grove.paths() == ["A/a.log", "A/cover.jpg", "A/t.flac", "A/u.flac"]
    await grove.record("nas", song("x/cd2/1.flac", "B", "u"))
    await grove.refresh()
    assert await grove.paths() == ["A/a.log", "A/t.flac", "B/u.flac"]


async def test_what_lies_deeper_than_the_discs_does_not_count(grove: Grove) -> None:
    await grove.record("nas", song("x/cd1/y/1.flac", "A", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.record("nas", song("x-/1.flac", "B", "t"), song("x0/1.flac", "B", "u"))
    await grove.refresh()
    assert await grove.paths() == ["A/t.flac", "B/t.flac", "B/u.flac"]


async def test_a_sidecar_goes_with_the_last_track(grove: Grove) -> None:
    await grove.record("nas", song("x/1.flac", "A", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    before = await grove.entries()
    await grove.remove("nas", "x/1.flac")
    changes = await grove.refresh()
    after = await grove.entries()
    assert await grove.paths() == []
    assert len(after) == 1
    assert_told(before, after, changes)


async def test_a_removed_sidecar_is_gone(grove: Grove) -> None:
    await grove.record("nas", song("x/1.flac", "A", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    before = await grove.entries()
    await grove.remove("nas", "x/cover.jpg")
    changes = await grove.refresh()
    assert await grove.paths() == ["A/t.flac"]
    assert_told(before, await grove.entries(), changes)


async def test_a_sidecar_with_other_bytes_keeps_its_inode(grove: Grove) -> None:
    await grove.record("nas", song("x/1.flac", "A", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    before, inodes = await grove.entries(), await grove.inodes()
    await grove.record("nas", sidecar("x/cover.jpg", "another picture"))
    changes = await grove.refresh()
    assert await grove.inodes() == inodes
    assert_told(before, await grove.entries(), changes)


async def replicas(grove: Grove) -> int:
    """An album with a cover at two origins; the cover's inode."""
    for origin in ("nas", "box"):
        await grove.record(origin, song("x/1.flac", "A", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    assert await grove.paths() == ["A/cover.jpg", "A/t.flac"]
    return (await grove.inodes())["A/cover.jpg"]


async def test_of_replicas_one_is_shown_and_the_other_stands_in(grove: Grove) -> None:
    inode = await replicas(grove)
    for origin in ("nas", "box"):
        await grove.remove(origin, "x/cover.jpg")
        await grove.refresh()
        assert (await grove.inodes()).get("A/cover.jpg") == (inode if origin == "nas" else None)


async def test_covers_that_differ_are_both_shown(grove: Grove) -> None:
    await replicas(grove)
    await grove.record("nas", sidecar("x/cover.jpg", "another"))
    await grove.refresh()
    assert await grove.paths() == ["A/cover (2).jpg", "A/cover.jpg", "A/t.flac"]
    await grove.record("box", sidecar("x/cover.jpg", "another"))
    await grove.refresh()
    assert len(await grove.paths()) == 2


async def test_a_replica_stands_in_where_the_shown_one_left(grove: Grove) -> None:
    await grove.record("box", song("y/1.flac", "A", "u"), sidecar("y/cover.jpg", "picture"))
    await grove.record("nas", song("x/1.flac", "A", "t"), sidecar("x/cover.jpg", "picture"))
    await grove.refresh()
    assert await grove.paths() == ["A/cover.jpg", "A/t.flac", "A/u.flac"]
    for origin, path in (("box", "y/1.flac"), ("nas", "x/1.flac")):
        await grove.record(origin, song(path, "B", "v", take=len(path) + ord(origin[0])))
        await grove.refresh()
        if origin == "box":
            assert await grove.paths() == ["A/cover.jpg", "A/t.flac", "B/cover.jpg", "B/v.flac"]
    assert await grove.paths() == ["B/cover.jpg", "B/v (2).flac", "B/v.flac"]


async def test_one_picture_in_two_folders_is_shown_in_both(grove: Grove) -> None:
    for folder, artist in (("x", "A"), ("y", "B")):
        await grove.record(
            "nas", song(f"{folder}/1.flac", artist, "t"), sidecar(f"{folder}/cover.jpg", "same")
        )
    await grove.refresh()
    assert await grove.paths() == ["A/cover.jpg", "A/t.flac", "B/cover.jpg", "B/t.flac"]


async def test_a_sidecar_named_like_a_track_gets_its_new_name(grove: Grove) -> None:
    await grove.record("nas", song("x/01.flac", "A", "t"), song("x/02.flac", "A", "t", take=2))
    await grove.record("nas", lyrics("x/01.lrc"), lyrics("x/02.LRC"), lyrics("x/03.lrc"))
    await grove.refresh()
    assert await grove.paths() == [
        *("A/03.lrc", "A/t (2).LRC", "A/t (2).flac", "A/t.flac", "A/t.lrc")
    ]
    inode = (await grove.inodes())["A/t.lrc"]
    await grove.record("nas", song("x/01.flac", "B", "new"), song("x/02.flac", "B", "x"))
    await grove.refresh()
    assert (await grove.inodes())["B/new.lrc"] == inode
    assert await grove.paths() == [*("B/03.lrc", "B/new.flac", "B/new.lrc", "B/x.LRC", "B/x.flac")]


async def test_a_sidecar_without_a_name_keeps_what_it_has(grove: Grove) -> None:
    await grove.record("nas", song("x/1.flac", "A", "t"))
    await grove.record("nas", lyrics("x/.cue"), lyrics("x/folder"), lyrics("x/a:b?.log"))
    await grove.refresh()
    assert await grove.paths() == ["A/_cue", "A/a:b?.log", "A/folder", "A/t.flac"]


async def test_another_template_takes_the_sidecars_along(grove: Grove) -> None:
    await grove.tree.adopt_rules()
    inode = await replicas(grove)
    await grove.adopt(rules_of("all/$artist/$title"))
    before = await grove.entries()
    changes = await grove.refresh()
    assert await grove.paths() == ["all/A/cover.jpg", "all/A/t.flac"]
    assert (await grove.inodes())["all/A/cover.jpg"] == inode
    assert_told(before, await grove.entries(), changes)
