"""Files at origins: recorded, changed, unreadable, gone; and what the tree is told of it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from musefs.catalog.changelog import finish, pending, pending_count
from musefs.catalog.contents import Contents
from musefs.catalog.database import Database
from musefs.catalog.files import FailedFile, Files, keep_origins
from musefs.catalog.paths import folder_of, from_blob, to_blob
from musefs.catalog.records import ArtRecord
from musefs.catalog.tracks import StoredTrack, art_of, stored_tracks
from musefs.model import ContentId, TrackId
from tests.catalog.records import fingerprint_of, ids_of, sidecar, size_of, track, unreadable

NOT_UTF8 = os.fsdecode(b"caf\xe9/\xff.flac")


@pytest.fixture
def files(database: Database) -> Files:
    return Files(database)


async def all_tracks(database: Database) -> list[StoredTrack]:
    rows = await database.rows("SELECT id FROM tracks")
    return await stored_tracks(database, [row[0] for row in rows])


async def only_track(database: Database) -> StoredTrack:
    [found] = await all_tracks(database)
    return found


async def told(database: Database) -> tuple[set[TrackId], set[tuple[str, str]]]:
    """The tracks and folders that the tree has to follow; it has followed them then."""
    async with database.writing() as tx:
        todo = await pending(tx, 1000)
        if todo is None:
            return set(), set()
        await finish(tx, todo)
    return set(todo.tracks), set(todo.folders)


async def paths_of(database: Database, origin: str) -> list[str]:
    rows = await database.rows("SELECT path FROM files WHERE origin = ? ORDER BY path", [origin])
    return [from_blob(row[0]) for row in rows]


async def test_a_recorded_file_is_known_by_its_path_and_version(files: Files) -> None:
    await files.record("nas", [track("a/b.flac", "one"), sidecar("a/cover.jpg", "picture")])
    known = await files.known("nas", ["a/b.flac", "a/cover.jpg", "a", "a/c.flac"])
    assert {path: file.version for path, file in known.items()} == {
        "a/b.flac": "v-one",
        "a/cover.jpg": "v-picture",
    }
    assert await files.known("box", ["a/b.flac"]) == {}
    assert await files.known("nas", []) == {}
    assert (await files.count("nas"), await files.count("box")) == (2, 0)


async def test_recording_nothing_tells_the_tree_nothing(files: Files, database: Database) -> None:
    await files.record("nas", [])
    assert await pending_count(database) == 0


async def test_ids_only_grow_and_are_never_given_out_twice(files: Files) -> None:
    assert await files.newest_id() == 0
    await files.record("nas", [track("a.flac", "one"), track("b.flac", "two")])
    newest = await files.newest_id()
    assert max(await ids_of(files, "nas")) == newest
    await files.remove("nas", await ids_of(files, "nas"))
    await files.record("nas", [track("a.flac", "one")])
    assert await ids_of(files, "nas") > [newest]


async def test_ids_below_a_path_are_those_in_that_folder_alone(files: Files) -> None:
    paths = [
        *("a/1.flac", "a/b/2.flac", "a", "ab/3.flac", "a b/4.flac", "a-/5.flac", "a0"),
        *("A/7.flac", "%/8.flac", "_/9.flac", "x/a/10.flac", "a.flac", NOT_UTF8, "é/11.flac"),
    ]
    await files.record("nas", [track(path, ascii(path)) for path in paths])
    await files.record("box", [track("a/1.flac", "a/1.flac")])
    id_of = {path: file.id for path, file in (await files.known("nas", paths)).items()}

    async def below(path: str) -> list[str]:
        ids = await ids_of(files, "nas", path)
        return sorted(path for path in paths if id_of[path] in ids)

    assert await below("") == sorted(paths)
    assert await below("a") == ["a", "a/1.flac", "a/b/2.flac"]
    assert await below("a/b") == ["a/b/2.flac"]
    assert await below("a/1.flac") == ["a/1.flac"]
    assert await below("ab") == ["ab/3.flac"]
    assert await below("%") == ["%/8.flac"]
    assert await below("_") == ["_/9.flac"]
    assert await below("é") == ["é/11.flac"]
    assert await below(folder_of(NOT_UTF8)) == [NOT_UTF8]
    assert await below("nowhere") == []


@pytest.mark.parametrize(
    "path", [NOT_UTF8, "%_\\'\"/*?.flac", "\u0301/e\u0301.flac", "new\nline.flac", "x" * 4000]
)
async def test_a_path_comes_back_as_it_was(files: Files, database: Database, path: str) -> None:
    await files.record("nas", [track(path, "one")])
    assert list(await files.known("nas", [path])) == [path]
    found = await only_track(database)
    assert [file.path for file in found.files] == [path]
    [replica] = await Contents(database).replicas(found.content_id)
    assert (replica.origin_id, replica.path, replica.version) == ("nas", path, "v-one")
    assert await told(database) == ({found.id}, {("nas", folder_of(path))})


def test_paths_and_their_bytes_are_the_same() -> None:
    for raw in (b"", b"a/b", bytes(range(1, 256)), "é".encode()):
        assert to_blob(from_blob(raw)) == raw
    assert (folder_of("a/b/c"), folder_of("c")) == ("a/b", "")


async def test_tags_and_art_are_kept_in_their_order(files: Files, database: Database) -> None:
    art = [ArtRecord(3, "image/jpeg", 512, 900), ArtRecord(4, "image/png", None, 7)]
    tags = {"artist": ["B", "A"], "title": ["one"]}
    await files.record("nas", [track("a.flac", "one", tags, art=art)])
    found = await only_track(database)
    assert found.tags == tags
    assert found.format == "flac"
    assert await art_of(database, found.id) == art
    await files.record("nas", [track("a.flac", "one", {"artist": ["C"]})])
    found = await only_track(database)
    assert found.tags == {"artist": ["C"]}
    assert await art_of(database, found.id) == []


async def test_text_that_no_database_takes_is_kept_as_far_as_it_goes(
    files: Files, database: Database
) -> None:
    tags = {"title": ["a\0b", "\ud800c", "\U0001f3b5"], "\udcffx": ["y"]}
    record = track("a.flac", "one", tags, art=[ArtRecord(3, "image/\ud800", 0, 1)])
    await files.record("nas", [replace(record, failure="is \udcff")])
    found = await only_track(database)
    assert found.tags == {"title": ["a\0b", "?c", "\U0001f3b5"], "?x": ["y"]}
    assert (await art_of(database, found.id))[0].mime == "image/?"
    assert await files.failures() == [FailedFile("nas", "a.flac", "is ?")]


async def test_a_changed_file_keeps_its_track(files: Files, database: Database) -> None:
    await files.record("nas", [track("a.flac", "one", {"title": ["old"]})])
    before = await only_track(database)
    await told(database)
    await files.record("nas", [track("a.flac", "two", {"title": ["new"]})])
    after = await only_track(database)
    assert after.id == before.id
    assert after.content_id != before.content_id
    assert after.tags == {"title": ["new"]}
    assert [(file.path, file.size) for file in after.files] == [("a.flac", size_of("two"))]
    assert await told(database) == ({after.id}, {("nas", "")})


async def test_two_files_with_one_content_are_one_track(files: Files, database: Database) -> None:
    await files.record("nas", [track("z.flac", "one"), track("b/y.flac", "one")])
    await files.record("box", [track("x.flac", "one")])
    found = await only_track(database)
    assert [(file.origin, file.path) for file in found.files] == [
        ("box", "x.flac"),
        ("nas", "b/y.flac"),
        ("nas", "z.flac"),
    ]
    replicas = await Contents(database).replicas(found.content_id)
    assert [replica.origin_id for replica in replicas] == ["box", "nas", "nas"]


async def test_size_and_fingerprint_together_tell_contents_apart(
    files: Files, database: Database
) -> None:
    one = track("a.flac", "one")
    await files.record("nas", [one, replace(one, path="b.flac", size=one.size + 1)])
    assert len(await all_tracks(database)) == 2


async def test_a_replica_that_changes_leaves_the_track_to_the_others(
    files: Files, database: Database
) -> None:
    await files.record("nas", [track("a.flac", "one")])
    await files.record("box", [track("a.flac", "one")])
    before = await only_track(database)
    await told(database)
    await files.record("nas", [track("a.flac", "two")])
    old, new = await all_tracks(database)
    assert (old.id, old.content_id) == (before.id, before.content_id)
    assert [file.origin for file in old.files] == ["box"]
    assert [file.origin for file in new.files] == ["nas"]
    assert (await told(database))[0] == {old.id, new.id}


async def test_two_files_that_change_places_change_tracks(files: Files, database: Database) -> None:
    await files.record("nas", [track("a.flac", "one"), track("b.flac", "two")])
    one, two = await all_tracks(database)
    await files.record("nas", [track("a.flac", "two"), track("b.flac", "one")])
    after = {found.id: [file.path for file in found.files] for found in await all_tracks(database)}
    assert after == {one.id: ["b.flac"], two.id: ["a.flac"]}


async def test_a_file_that_moves_keeps_its_track(files: Files, database: Database) -> None:
    await files.record("nas", [track("a/1.flac", "one")])
    before = await only_track(database)
    old = await ids_of(files, "nas")
    await files.record("nas", [track("b/1.flac", "one")])
    await files.remove("nas", old)
    after = await only_track(database)
    assert after.id == before.id
    assert [file.path for file in after.files] == ["b/1.flac"]


async def test_a_file_that_cannot_be_read_keeps_what_was_known_of_it(
    files: Files, database: Database
) -> None:
    await files.record("nas", [track("a.flac", "one", {"title": ["old"]})])
    before = await only_track(database)
    await files.record("nas", [unreadable("a.flac", size=999_999, reason="is denied")])
    after = await only_track(database)
    assert after == before
    assert await files.failures() == [FailedFile("nas", "a.flac", "is denied")]
    assert (await files.known("nas", ["a.flac"]))["a.flac"].version == ""
    await files.record("nas", [track("a.flac", "one")])
    assert await files.failures() == []
    assert await files.failure_count() == 0


async def test_a_file_that_was_never_read_is_listed_and_asked_for_again(
    files: Files, database: Database
) -> None:
    await files.record("nas", [unreadable("a.flac", reason="is denied")])
    assert await all_tracks(database) == []
    assert await files.failure_count() == 1
    assert (await files.known("nas", ["a.flac"]))["a.flac"].version == ""
    await files.record("nas", [track("a.flac", "one")])
    assert [file.path for file in (await only_track(database)).files] == ["a.flac"]


async def test_a_removed_file_leaves_its_track_for_the_tree_to_take_out(
    files: Files, database: Database
) -> None:
    await files.record("nas", [track("a/1.flac", "one"), sidecar("a/cover.jpg", "picture")])
    found = await only_track(database)
    await told(database)
    await files.remove("nas", [*await ids_of(files, "nas"), 12345])
    assert await paths_of(database, "nas") == []
    assert (await only_track(database)).files == []
    assert await told(database) == ({found.id}, {("nas", "a")})


async def test_files_of_origins_that_are_no_longer_configured_go(
    files: Files, database: Database
) -> None:
    for origin in ("nas", "box", "bucket"):
        await files.record(origin, [track("a.flac", origin)])
    assert sorted(await keep_origins(database, ["box", "new"])) == ["bucket", "nas"]
    assert [len(await paths_of(database, origin)) for origin in ("nas", "box", "bucket")] == [
        *(0, 1, 0)
    ]
    assert await keep_origins(database, ["box", "new"]) == []


async def test_changes_are_told_oldest_first_each_once_and_as_many_as_asked_for(
    files: Files, database: Database
) -> None:
    await files.record("nas", [track("a/1.flac", "one"), track("a/2.flac", "two")])
    await files.record("nas", [track("a/1.flac", "one")])
    assert await pending_count(database) == 5
    todo = await pending(database, 4)
    assert todo is not None
    assert (len(todo.tracks), todo.folders) == (2, (("nas", "a"),))
    async with database.writing() as tx:
        await finish(tx, todo)
    assert await pending_count(database) == 1
    assert await told(database) == (set(), {("nas", "a")})
    assert await pending(database, 4) is None


async def test_a_content_is_found_by_its_id(files: Files, database: Database) -> None:
    await files.record("nas", [track("a.flac", "one")])
    content_id = (await only_track(database)).content_id
    content = await Contents(database).content(content_id)
    assert content is not None
    assert (content.size, content.fingerprint) == (size_of("one"), fingerprint_of("one"))
    assert (content.audio_start, content.audio_end) == (100, size_of("one"))
    assert await Contents(database).content(ContentId(content_id + 1)) is None
