"""Copies of the catalogue: whole while it is written to, and never in the place of something."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from musefs.catalog.backup import back_up, backup_name
from musefs.catalog.database import Database, copy_database
from musefs.catalog.edits import edits_of, set_fields
from musefs.catalog.files import Files
from musefs.catalog.integrity import damage
from musefs.errors import BackupFailed
from musefs.model import TrackId
from tests.catalog.records import connections, opened, track, until_connections

ONE = TrackId(1)


def test_the_name_tells_the_time_and_sorts_by_it() -> None:
    assert backup_name(datetime(2024, 2, 9, 7, 5, 3, tzinfo=UTC)) == "catalogue-20240209-070503.db"


async def test_a_copy_is_a_catalogue_with_the_edits(database: Database, tmp_path: Path) -> None:
    await Files(database).record("nas", [track("a/1.flac", "one", {"title": ["Own"]})])
    async with database.writing() as tx:
        await set_fields(tx, [ONE], {"title": ["Given"]}, 5)
    target = tmp_path / "a dir?" / "copy of 100%.db"
    target.parent.mkdir()
    size = await back_up(database.path, target)
    assert (size, list(target.parent.iterdir())) == (target.stat().st_size, [target])
    assert target.stat().st_mode & 0o777 == 0o600
    async with opened(target) as copy:
        assert await damage(copy) == []
        assert (await edits_of(copy, [ONE]))[ONE].fields == {"title": ("Given",)}
        assert await copy.row("PRAGMA user_version") == await database.row("PRAGMA user_version")
        assert await copy.rows("SELECT * FROM sqlite_sequence") == await database.rows(
            "SELECT * FROM sqlite_sequence"
        )


async def test_a_copy_is_of_one_moment_while_the_catalogue_is_written(
    database: Database, tmp_path: Path
) -> None:
    async with database.writing() as tx:
        await tx.run("CREATE TABLE pairs (number INTEGER PRIMARY KEY, bytes BLOB)")
        await tx.run_many("INSERT INTO pairs VALUES (?, ?)", [(n, bytes(900)) for n in range(8000)])
    written = 8000
    copying = asyncio.create_task(back_up(database.path, tmp_path / "copy.db"))
    while not copying.done():
        async with database.writing() as tx:
            for number in (written, written + 1):
                await tx.run("INSERT INTO pairs VALUES (?, ?)", [number, bytes(900)])
        written += 2
    assert written > 8000
    await copying
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    [(count,)] = copy.execute("SELECT count(*) FROM pairs").fetchall()
    copy.close()
    assert 8000 <= count <= written
    assert count % 2 == 0


async def test_nothing_is_replaced(database: Database, tmp_path: Path) -> None:
    taken, dangling = tmp_path / "taken.db", tmp_path / "dangling.db"
    taken.write_bytes(b"a backup of mine")
    dangling.symlink_to(tmp_path / "not there")
    for target in (taken, dangling):
        with pytest.raises(BackupFailed, match="there is something already: name another file"):
            await back_up(database.path, target)
    assert taken.read_bytes() == b"a backup of mine"


async def test_what_is_put_there_meanwhile_stays(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "copy.db"

    async def taken(*_: Path) -> None:
        target.write_bytes(b"mine")

    monkeypatch.setattr("musefs.catalog.backup.copy_database", taken)
    with pytest.raises(BackupFailed, match="there is something already"):
        await back_up(database.path, target)
    assert target.read_bytes() == b"mine"
    assert "copy.db" in os.listdir(tmp_path)
    assert ".copy.db.part" not in os.listdir(tmp_path)


async def test_where_there_are_no_links_the_copy_is_moved(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)
    assert await back_up(database.path, tmp_path / "copy.db") > 0
    assert "copy.db" in os.listdir(tmp_path)
    assert ".copy.db.part" not in os.listdir(tmp_path)


async def test_a_folder_that_is_not_there_is_told(database: Database, tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=r"no backup can be written there.*check the folder"):
        await back_up(database.path, tmp_path / "away" / "copy.db")


async def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    catalogue = tmp_path / "catalogue.db"
    catalogue.write_bytes(b"garbage " * 1000)
    with pytest.raises(BackupFailed, match="cannot be copied there"):
        await back_up(catalogue, tmp_path / "copy.db")
    assert os.listdir(tmp_path) == [catalogue.name]


async def test_who_is_cancelled_leaves_nothing_behind(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copying_begun = asyncio.Event()

    async def told(catalogue: Path, target: Path) -> None:
        copying_begun.set()
        await copy_database(catalogue, target)

    monkeypatch.setattr("musefs.catalog.backup.copy_database", told)
    async with database.writing() as tx:
        await tx.run("CREATE TABLE big (bytes BLOB)")
        await tx.run_many("INSERT INTO big VALUES (?)", [(bytes(90_000),)] * 300)
    before = connections()
    copying = asyncio.create_task(back_up(database.path, tmp_path / "copy.db"))
    await copying_begun.wait()
    copying.cancel()
    await asyncio.wait([copying])
    assert copying.cancelled()
    assert {"copy.db", ".copy.db.part"}.isdisjoint(os.listdir(tmp_path))
    await until_connections(before)
