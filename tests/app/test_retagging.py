"""Edits through all parts but the mount: stored, shown by the tree, read from open files."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import yaml
from mutagen.flac import FLAC
from mutagen.id3 import ID3

from musefs.app.parts import Parts, assembled
from musefs.catalog.layouts import layouts_of
from musefs.catalog.nodes import Node
from musefs.config import Config, load
from musefs.errors import ContentUnavailable, InvalidImage, InvalidTags, NoSuchEntry, NotATrack
from musefs.indexing.scanning import ScanOptions
from musefs.library.tree_change import TreeChange
from musefs.model import Buffer, Content, Inode
from tests.lab.samples import shared_samples

NAMES = ("plain.flac", "v23.mp3", "opus.opus", "first.m4a", "adts.aac")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An origin with a file of several formats, one of which cannot be re-tagged."""
    folder = tmp_path / "music"
    (folder / "album").mkdir(parents=True)
    for name in NAMES:
        (folder / "album" / name).write_bytes(shared_samples()[name].read_bytes())
    (folder / "album" / "cover.jpg").write_bytes(cover())
    return folder


def config_of(folder: Path, **mount: str) -> Config:
    path = folder.parent / "musefs.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "state": str(folder.parent / "state"),
                "origins": [{"id": "nas", "kind": "local", "path": str(folder), "watch": "off"}],
                "tree": {"template": "$artist/$album/$title $format"},
                "mount": mount,
            }
        )
    )
    return load(path, {})


@pytest.fixture
async def parts(folder: Path) -> AsyncIterator[Parts]:
    async with assembled(config_of(folder), "test") as parts:
        await indexed(parts)
        yield parts


async def indexed(parts: Parts) -> None:
    await parts.refresher._tree.adopt_rules()
    for follower in parts.followers.values():
        await follower.rescan(ScanOptions())
    await parts.refresher.catch_up()


def cover() -> bytes:
    return (shared_samples()["plain.flac"].parent / "cover.jpg").read_bytes()


async def whole(parts: Parts, path: str) -> bytes:
    """A file of the tree, read in pieces; as long as the tree says."""
    node = await parts.library.walk(path)
    return await read(parts, await parts.reading.open_files.open(node), node)


async def read(parts: Parts, handle: int, node: Node) -> bytes:
    offsets = range(0, node.size + 1, 50_001)
    pieces = [await parts.reading.open_files.read(handle, offset, 50_001) for offset in offsets]
    parts.reading.open_files.release(handle)
    data = b"".join(pieces)
    assert len(data) == node.size
    return data


async def paths(parts: Parts) -> set[str]:
    """All paths of tracks."""
    return {track.path for track in await parts.tagging.show("")}


async def test_tags_that_are_set_are_in_the_file_its_size_and_the_tree(parts: Parts) -> None:
    before = await parts.library.walk("Beyoncé/Alb/Titre flac.flac")
    edited = await parts.tagging.set(
        "Beyoncé/Alb/Titre flac.flac",
        {"Title": ["Nouveau"], "artist": ["Une", "Deux"], "year": ["1999-05"]},
    )
    assert (edited.count, edited.pending) == (1, False)
    [track] = edited.tracks
    assert track.path == "Une; Deux/Alb/Nouveau flac.flac"
    assert (track.edited, track.untouched) == (("artist", "date", "title"), None)
    data = await whole(parts, track.path)
    found = FLAC(io.BytesIO(data))
    assert (found["title"], found["artist"], found["date"]) == (
        ["Nouveau"],
        ["Une", "Deux"],
        ["1999-05"],
    )
    assert [picture.data for picture in found.pictures] == [cover()]
    after = await parts.library.walk(track.path)
    assert (after.inode, after.mtime_ns > before.mtime_ns) == (before.inode, True)
    with pytest.raises(NoSuchEntry):
        await parts.library.walk("Beyoncé/Alb/Titre flac.flac")


async def test_clearing_brings_the_original_back_byte_for_byte(parts: Parts) -> None:
    path = "Beyoncé/Alb/Titre m4a.m4a"
    original = shared_samples()["first.m4a"].read_bytes()
    assert await whole(parts, path) == original
    await parts.tagging.set(path, {"title": ["Anders"]})
    assert await whole(parts, "Beyoncé/Alb/Anders m4a.m4a") != original
    edited = await parts.tagging.clear("Beyoncé/Alb/Anders m4a.m4a")
    assert (edited.tracks[0].path, edited.tracks[0].edited) == (path, ())
    assert await whole(parts, path) == original


async def test_a_folder_is_edited_with_all_of_its_tracks(parts: Parts) -> None:
    edited = await parts.tagging.set("Beyoncé", {"album": ["Ensemble"]})
    assert edited.count == 3  # one has ASCII in its name, one has no tags at all
    assert {track.path.split("/")[1] for track in edited.tracks} == {"Ensemble"}
    for track in edited.tracks:
        assert track.tags["album"] == ("Ensemble",)


async def test_a_cover_is_stored_once_and_never_in_a_layout(parts: Parts, tmp_path: Path) -> None:
    data = cover() + bytes(1 << 20)  # what follows a picture's end does not matter
    edited = await parts.tagging.set_art("", data)
    assert edited.count == len(NAMES)
    assert await parts.database.rows("SELECT size FROM pictures") == [(len(data),)]
    stored = await parts.database.rows("SELECT segments FROM layouts WHERE segments NOT NULL")
    assert len(stored) == len(NAMES) - 1
    assert all(len(row[0]) < 20_000 for row in stored)
    mp3 = next(track for track in edited.tracks if track.path.endswith(".mp3"))
    assert [(art.kind, art.length, art.given) for art in mp3.art] == [(3, len(data), True)]
    tag = ID3(io.BytesIO(await whole(parts, mp3.path)))
    assert [frame.data for frame in tag.getall("APIC")] == [data]
    bare = await parts.tagging.set_art(mp3.path, None)
    assert bare.tracks[0].art == ()
    assert ID3(io.BytesIO(await whole(parts, mp3.path))).getall("APIC") == []


async def test_an_open_file_stays_the_version_that_was_opened(parts: Parts) -> None:
    path = "Beyoncé/Alb/Titre flac.flac"
    original = shared_samples()["plain.flac"].read_bytes()
    node = await parts.library.walk(path)
    handle = await parts.reading.open_files.open(node)
    await parts.tagging.set(path, {"lyrics": ["la " * 50_000]})
    after = await parts.library.walk(path)
    assert after.inode != node.inode  # the kernel has one size for an inode
    assert parts.reading.open_files.node(node.inode) == node
    other = await parts.reading.open_files.open(after)
    assert await read(parts, handle, node) == original
    assert len(await read(parts, other, after)) > len(original) + 100_000
    assert parts.reading.open_files.node(node.inode) is None


async def test_what_cannot_be_retagged_is_told_and_served_as_it_is(parts: Parts) -> None:
    [path] = [path for path in await paths(parts) if path.endswith(".aac")]
    edited = await parts.tagging.set(path, {"title": ["Named"]})
    [track] = edited.tracks
    assert track.path.endswith("/Named aac.aac")
    assert track.untouched is not None
    assert "does not change" in track.untouched
    assert not edited.pending
    assert await whole(parts, track.path) == shared_samples()["adts.aac"].read_bytes()


async def test_bad_wishes_change_nothing(parts: Parts) -> None:
    path = "Beyoncé/Alb/Titre flac.flac"
    tries: list[tuple[type[Exception], Callable[[], object]]] = [
        (InvalidTags, lambda: parts.tagging.set(path, {"titel": ["x"]})),
        (InvalidTags, lambda: parts.tagging.set(path, {"title": ["x\0y"]})),
        (InvalidImage, lambda: parts.tagging.set_art(path, b"no picture")),
        (InvalidImage, lambda: parts.tagging.set_art(path, bytes(20 << 20))),
        (NoSuchEntry, lambda: parts.tagging.set("nowhere", {"title": ["x"]})),
        (NotATrack, lambda: parts.tagging.set("Beyoncé/Alb/cover.jpg", {"title": ["x"]})),
    ]
    for kind, attempt in tries:
        with pytest.raises(kind):
            await attempt()  # type: ignore[misc]  # every one is a coroutine
    assert await parts.database.rows("SELECT * FROM edited") == []
    assert await parts.database.rows("SELECT * FROM pictures") == []


async def test_edits_outlive_a_restart_and_new_bytes_of_the_file(folder: Path) -> None:
    config = config_of(folder)
    async with assembled(config, "first") as parts:
        await indexed(parts)
        await parts.tagging.set("Beyoncé/Alb/Titre flac.flac", {"title": ["Mine"]})
    source = FLAC(folder / "album" / "plain.flac")
    source["album"] = "Retagged"
    source.save()
    async with assembled(config, "second") as parts:
        assert "Beyoncé/Alb/Mine flac.flac" in await paths(parts)
        await indexed(parts)
        path = "Beyoncé/Retagged/Mine flac.flac"
        found = FLAC(io.BytesIO(await whole(parts, path)))
        assert (found["title"], found["album"]) == (["Mine"], ["Retagged"])


async def test_structure_only_serves_the_originals(folder: Path) -> None:
    async with assembled(config_of(folder), "first") as parts:
        await indexed(parts)
        await parts.tagging.set("Beyoncé/Alb/Titre flac.flac", {"title": ["Mine"]})
        retagged = await whole(parts, "Beyoncé/Alb/Mine flac.flac")
    async with assembled(config_of(folder, mode="structure-only"), "second") as parts:
        await indexed(parts)
        original = shared_samples()["plain.flac"].read_bytes()
        assert await whole(parts, "Beyoncé/Alb/Mine flac.flac") == original
        edited = await parts.tagging.set("Beyoncé/Alb/Mine flac.flac", {"genre": ["x"]})
        assert edited.tracks[0].untouched == "the mount's mode is structure-only"
        await parts.tagging.set("Beyoncé/Alb/Mine flac.flac", {"genre": []})
    async with assembled(config_of(folder), "third") as parts:
        await indexed(parts)
        assert await whole(parts, "Beyoncé/Alb/Mine flac.flac") == retagged


async def test_a_layout_that_cannot_be_made_now_is_made_later(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "Beyoncé/Alb/Titre flac.flac"
    retagger = parts.refresher._tree._retagger
    assert retagger is not None

    class Away:
        async def read(self, content: Content, offset: int, size: int) -> Buffer:
            raise ContentUnavailable("nas: it is away")

    with monkeypatch.context() as patch:
        patch.setattr(retagger, "_source", Away())
        edited = await parts.tagging.set(path, {"title": ["Later"]})
        assert edited.pending
        # The tree follows at once, the file when its header can be read.
        assert edited.tracks[0].path == "Beyoncé/Alb/Later flac.flac"
        original = shared_samples()["plain.flac"].read_bytes()
        assert await whole(parts, edited.tracks[0].path) == original
    monkeypatch.setattr("musefs.library.refreshing.RETAG_EVERY_S", 0.01)
    told = asyncio.Event()

    async def tell(change: TreeChange) -> None:
        if change.rewritten:
            told.set()

    parts.refresher.listeners.append(tell)
    running = asyncio.create_task(parts.refresher.run())
    async with asyncio.timeout(10):
        await told.wait()
    running.cancel()
    data = await whole(parts, "Beyoncé/Alb/Later flac.flac")
    assert FLAC(io.BytesIO(data))["title"] == ["Later"]


async def test_a_layout_that_is_due_is_made_once(parts: Parts) -> None:
    path = "Beyoncé/Alb/Titre flac.flac"
    await parts.tagging.set(path, {"title": ["Once"]})
    node = await parts.library.walk("Beyoncé/Alb/Once flac.flac")
    assert node.track_id is not None
    first = await layouts_of(parts.database, [node.track_id])
    await parts.refresher.place([node.track_id])
    await parts.refresher.catch_up()
    assert await layouts_of(parts.database, [node.track_id]) == first
    assert parts.reading.open_files.node(Inode(node.inode)) is None
