"""Opening a catalogue: made, migrated, or refused in one line."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from musefs.catalog import database as database_module
from musefs.catalog import nodes
from musefs.catalog.contents import Contents
from musefs.catalog.database import MIGRATIONS, Database, open_database, open_readonly
from musefs.catalog.files import Files
from musefs.catalog.nodes import ROOT, NewNode, insert, next_inode, node
from musefs.catalog.tracks import stored_tracks
from musefs.errors import StateBroken
from musefs.model import Inode, TrackId
from tests.catalog.records import connections, opened, track, until_connections

Open = Callable[[Path], Awaitable[Database]]


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def execute(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


async def make(path: Path) -> None:
    async with opened(path):
        pass


async def refusal(opening: Open, path: Path) -> str:
    """The one line that tells why; nothing of the attempt is left running."""
    before = connections()
    with pytest.raises(StateBroken) as caught:
        await opening(path)
    text = str(caught.value)
    await until_connections(before)
    assert text.startswith(f"{path}: ")
    assert "\n" not in text
    return text


async def test_a_fresh_catalogue_has_an_empty_tree_of_the_newest_version(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    async with opened(path) as database:
        root = await node(database, ROOT)
        assert root is not None
        assert (root.kind, root.subfolders) == ("folder", 0)
        async with database.writing() as tx:
            assert await next_inode(tx) == 100
            await insert(tx, [NewNode(ROOT, "a", "a", "folder", 0)], Inode(100))
            assert await next_inode(tx) == 101
        root = await node(database, ROOT)
        assert root is not None
        assert root.subfolders == 1
    assert version_of(path) == len(MIGRATIONS)


async def test_a_closed_catalogue_is_one_file_and_opens_with_what_it_held(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    async with opened(path) as database:
        await Files(database).record("nas", [track("a.flac", "one")])
    assert names_in(tmp_path) == ["catalogue.db"]
    async with opened(path) as database:
        assert list(await Files(database).known("nas", ["a.flac"])) == ["a.flac"]


async def test_a_catalogue_may_be_closed_twice(tmp_path: Path) -> None:
    before = connections()
    database = await open_database(tmp_path / "catalogue.db")
    await database.aclose()
    await database.aclose()
    await until_connections(before)


@pytest.mark.parametrize(
    "name", ["a b.db", "50%.db", "what?.db", "#1.db", "ä;&=.db", os.fsdecode(b"caf\xe9.db")]
)
async def test_any_file_name_will_do(tmp_path: Path, name: str) -> None:
    async with opened(tmp_path / name) as database:
        await Files(database).record("nas", [track("a.flac", "one")])
        assert [row async for row in database.stream("SELECT count(*) FROM files")] == [(1,)]
    assert names_in(tmp_path) == [name]


async def test_a_catalogue_of_a_newer_musefs_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    execute(path, "PRAGMA user_version = 99; CREATE TABLE later (a);")
    text = await refusal(open_database, path)
    assert f"version 99, this musefs knows {len(MIGRATIONS)}" in text
    assert "newer musefs" in text
    assert version_of(path) == 99


@pytest.mark.parametrize("opening", [open_database, open_readonly])
async def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, opening: Open
) -> None:
    path = tmp_path / "catalogue.db"
    path.write_bytes(b"It is a song. " * 1000)
    assert "not a database" in await refusal(opening, path)
    assert path.read_bytes() == b"It is a song. " * 1000


@pytest.mark.parametrize("opening", [open_database, open_readonly])
async def test_a_folder_in_the_way_is_refused(tmp_path: Path, opening: Open) -> None:
    path = tmp_path / "catalogue.db"
    path.mkdir()
    assert "cannot be used" in await refusal(opening, path)


async def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be used" in await refusal(open_database, tmp_path / "gone" / "catalogue.db")


async def test_a_damaged_catalogue_is_refused_when_it_is_opened_or_read(tmp_path: Path) -> None:
    before = connections()
    path = tmp_path / "catalogue.db"
    async with opened(path) as database:
        await Files(database).record("nas", [track(f"{n}.flac", str(n)) for n in range(150)])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StateBroken, match="malformed"):
        async with opened(path) as database:
            await Files(database).count("nas")
    await until_connections(before)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_permission_is_refused_in_one_line(there: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "catalogue.db"
        if there:
            asyncio.run(make(path))
        Path(folder).chmod(0o555)
        command = [sys.executable, "-m", "tests.catalog.as_nobody", str(path)]
        # Nobody cannot write what is measured of a test run.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True, env=environment
        )
    assert done.stderr == ""
    [line] = done.stdout.splitlines()
    assert line.startswith(f"{path}: the catalogue cannot be used")
    assert "permissions" in line


async def test_reading_alone_sees_what_a_service_writes_and_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    async with opened(path) as service:
        database = await open_readonly(path)
        await Files(service).record("nas", [track("a.flac", "one")])
        assert await Files(database).count("nas") == 1
        with pytest.raises(StateBroken, match="reading only"):
            await Files(database).record("nas", [track("b.flac", "two")])
        await database.aclose()


async def test_reading_alone_says_when_there_is_no_catalogue(tmp_path: Path) -> None:
    assert "musefs scan" in await refusal(open_readonly, tmp_path / "catalogue.db")
    assert not (tmp_path / "catalogue.db").exists()


async def test_reading_alone_refuses_a_database_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    execute(path, "CREATE TABLE songs (a);")
    assert "cannot be used" in await refusal(open_readonly, path)


_OF_VERSION_ONE = """
INSERT INTO contents (size, fingerprint, audio_start, audio_end) VALUES (1003, x'aa', 100, 1003);
INSERT INTO tracks (content_id, format, duration_s) VALUES (1, 'flac', 3.0);
INSERT INTO tags (track_id, field, position, value) VALUES (1, 'title', 0, 'One');
INSERT INTO files (origin, path, folder, size, mtime_ns, version, kind, content_id)
VALUES ('nas', x'612e666c6163', x'', 1003, 7, 'v', 'audio', 1);
INSERT INTO chunks (digest, size) VALUES (x'bb', 100);
INSERT INTO nodes (parent, name, folded, kind, track_id, content_id, size, mtime_ns)
VALUES (1, 'One.flac', 'One.flac', 'track', 1, 1, 1003, 7);
"""


async def test_a_catalogue_of_version_one_gets_what_later_versions_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.db"
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "MIGRATIONS", MIGRATIONS[:1])
        async with opened(path):
            pass
    assert version_of(path) == 1
    execute(path, _OF_VERSION_ONE)
    for _ in range(2):
        async with opened(path) as database:
            [found] = await stored_tracks(database, [TrackId(1)])
            assert (found.tags, found.edits) == ({"title": ["One"]}, None)
            content = await Contents(database).content(found.content_id)
            assert content is not None
            assert content.regions == ()
            assert [node.layout_id for node in await nodes.children(database, nodes.ROOT)] == [None]
            assert await database.rows("SELECT kept FROM chunks") == [(0,)]
    assert version_of(path) == len(MIGRATIONS)


async def test_a_migration_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.db"
    async with opened(path) as database:
        await Files(database).record("nas", [track("a.flac", "one")])
    more = tmp_path / "more.sql"
    more.write_text("DELETE FROM files; ALTER TABLE nowhere ADD COLUMN stars;")
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "MIGRATIONS", (*MIGRATIONS, str(more)))
        assert "nowhere" in await refusal(open_database, path)
    assert version_of(path) == len(MIGRATIONS)
    async with opened(path) as database:
        assert await Files(database).count("nas") == 1


async def test_what_was_committed_outlives_a_kill_and_the_rest_does_not(tmp_path: Path) -> None:
    def killed(name: str) -> Path:
        """The files as a kill at this moment would leave them."""
        (tmp_path / name).mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"catalogue.db{suffix}", tmp_path / name)
        return tmp_path / name / "catalogue.db"

    async with opened(tmp_path / "catalogue.db") as database:
        async with database.writing() as tx:
            await tx.run("INSERT INTO settings (name, value) VALUES ('a', ?)", ["x" * 10_000_000])
            during = killed("during")
        after = killed("after")
    for path, count in ((during, 0), (after, 1)):
        async with opened(path) as database:
            assert await database.rows("SELECT count(*) FROM settings") == [(count,)]
