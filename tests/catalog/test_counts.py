"""Counts that are kept beside the rows: right after whatever happens to these."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from musefs.catalog import database as database_module
from musefs.catalog.database import MIGRATIONS, Database
from musefs.catalog.files import Files
from musefs.catalog.integrity import mend_tree, tree_faults
from musefs.catalog.layouts import unmade
from musefs.catalog.nodes import ROOT, NewNode, delete, insert, node, rewrite, totals
from musefs.model import Inode, TrackId
from tests.catalog.records import ids_of, opened, sidecar, track, unreadable

ALBUM, SONG, COVER = Inode(100), Inode(101), Inode(102)

_OF_VERSION_FOUR = """
INSERT INTO contents (size, fingerprint, audio_start, audio_end)
VALUES (1003, x'aa', 100, 1003), (1004, x'bb', 100, 1004), (1005, x'cc', 100, 1005);
INSERT INTO tracks (content_id, format) VALUES (1, 'flac'), (2, 'flac'), (3, 'flac');
INSERT INTO files (origin, path, folder, size, mtime_ns, version, kind, content_id)
VALUES ('nas', x'61', x'', 1003, 7, 'v', 'audio', 1), ('nas', x'62', x'', 1004, 7, 'v', 'audio', 2),
    ('box', x'61', x'', 1005, 7, 'v', 'audio', 3);
INSERT INTO edited (track_id, edited_ns) VALUES (1, 5), (2, 5), (3, 5);
INSERT INTO edits VALUES (1, 'title', 0, 'Made'), (2, 'title', 0, 'Due');
INSERT INTO layouts (track_id, content_id, edited_ns, size, segments)
VALUES (1, 1, 5, 1100, x'00'), (2, 2, 4, 1100, x'00');
INSERT INTO nodes (parent, name, folded, kind, track_id, content_id, size, mtime_ns)
VALUES (1, 'a', 'a', 'track', 1, 1, 1100, 7), (1, 'b', 'b', 'track', 2, 2, 1004, 7);
"""


async def counted(database: Database) -> tuple[int, int, int, int]:
    found = await totals(database)
    return found.tracks, found.sidecars, found.folders, found.size_bytes


async def test_totals_follow_the_tree(database: Database) -> None:
    assert await counted(database) == (0, 0, 1, 0)
    song = NewNode(ALBUM, "a.flac", "a.flac", "track", 7, size=100)
    cover = NewNode(ALBUM, "cover.png", "cover.png", "sidecar", 7, size=30)
    async with database.writing() as tx:
        await insert(tx, [NewNode(ROOT, "A", "A", "folder", 7), song, cover], ALBUM)
    assert await counted(database) == (1, 1, 2, 130)
    async with database.writing() as tx:
        await rewrite(tx, SONG, replace(song, size=250))
    assert await counted(database) == (1, 1, 2, 280)
    async with database.writing() as tx:
        for inode in (COVER, SONG, ALBUM):
            entry = await node(tx, inode)
            assert entry is not None
            await delete(tx, entry)
    assert await counted(database) == (0, 0, 1, 0)


async def test_files_are_counted_by_their_origins(database: Database) -> None:
    files = Files(database)
    records = [track("a.flac", "one"), sidecar("cover.jpg", "art"), unreadable("b.flac")]
    for _ in range(2):
        await files.record("nas", records)
    await files.record("box", [track("a.flac", "one")])
    assert (await files.count("nas"), await files.count("box")) == (3, 1)
    await files.remove("nas", (await ids_of(files, "nas"))[:2])
    assert (await files.count("nas"), await files.count("box"), await files.count("?")) == (1, 1, 0)


async def test_a_catalogue_of_version_four_is_counted_when_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.db"
    with monkeypatch.context() as patch:
        patch.setattr(database_module, "MIGRATIONS", MIGRATIONS[:4])
        async with opened(path):
            pass
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_OF_VERSION_FOUR)
    for _ in range(2):
        async with opened(path) as database:
            files = Files(database)
            assert await counted(database) == (2, 0, 1, 2104)
            assert (await files.count("nas"), await files.count("box")) == (2, 1)
            assert await unmade(database, 10) == [TrackId(2)]
            due = await database.rows("SELECT track_id FROM edited WHERE unmade = 1")
            assert due == [(2,)]


async def test_wrong_counts_are_found_and_mended(database: Database) -> None:
    await Files(database).record("nas", [track("a.flac", "one")])
    async with database.writing() as tx:
        await insert(tx, [NewNode(ROOT, "A", "A", "folder", 7)], ALBUM)
        await tx.run("UPDATE totals SET entries = 7, size = 1")
        await tx.run("UPDATE file_counts SET files = 7")
    assert await tree_faults(database) == [
        "1 kinds of entries are counted wrongly",
        "1 origins have their files counted wrongly",
    ]
    async with database.writing() as tx:
        await mend_tree(tx)
    assert await tree_faults(database) == []
    assert (await counted(database), await Files(database).count("nas")) == ((0, 0, 2, 0), 1)
