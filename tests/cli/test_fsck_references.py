"""References that lead nowhere: mended where they can be, and nothing that a user gave is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from musefs.cli.fsck import _check
from musefs.config import load
from tests.cli.conftest import Run

ONE_TRACK = "(SELECT min(id) FROM tracks)"
BREAKS = {
    "content_chunks refer to rows of contents": (
        "INSERT INTO content_chunks SELECT 99999, 0, digest FROM chunks LIMIT 1",
    ),
    "content_chunks refer to rows of chunks": (
        "INSERT INTO content_chunks SELECT min(id), 900, zeroblob(32) FROM contents",
    ),
    "layouts refer to rows of contents": (
        "INSERT INTO layouts (track_id, content_id, edited_ns, size, segments)"
        f" VALUES ({ONE_TRACK}, 99999, 1, 10, zeroblob(9))",
    ),
    "layouts refer to rows of tracks": (
        "INSERT INTO layouts (track_id, content_id, edited_ns, size, segments)"
        " SELECT 99999, min(id), 1, 10, zeroblob(9) FROM contents",
    ),
    "tags refer to rows of tracks": ("INSERT INTO tags VALUES (99999, 'title', 0, 'x')",),
    "art refer to rows of tracks": ("INSERT INTO art VALUES (99999, 0, 3, '', NULL, 5)",),
    "files refer to rows of contents": (
        "UPDATE files SET content_id = 99999 WHERE id = (SELECT max(id) FROM files)",
    ),
    "nodes refer to rows of tracks": (
        "INSERT INTO nodes (parent, name, folded, kind, track_id, size, mtime_ns)"
        " VALUES (1, 'ghost', 'ghost', 'track', 99999, 5, 5)",
    ),
    "nodes refer to rows of files": (
        "UPDATE nodes SET file_id = 99999 WHERE inode ="
        " (SELECT min(inode) FROM nodes WHERE kind = 'sidecar')",
    ),
    "nodes refer to rows of contents": (
        "UPDATE nodes SET content_id = 99999 WHERE inode ="
        " (SELECT min(inode) FROM nodes WHERE kind = 'track')",
    ),
    "edits refer to rows of edited": (
        f"INSERT INTO edits VALUES ({ONE_TRACK}, 'mood', 0, 'calm')",
    ),
}
USER_DATA = ("edits", "edited", "pictures")


@pytest.fixture
def edited(scanned: Path) -> Path:
    """A scanned library where a user has set a title and given a picture."""
    execute(
        scanned,
        "INSERT INTO pictures VALUES (7, zeroblob(32), 'image/png', 1, 1, 4, x'01020304')",
        "INSERT INTO edited (track_id, edited_ns, art, picture_id)"
        " SELECT max(id), 5, 'given', 7 FROM tracks",
        "INSERT INTO edits SELECT max(id), 'title', 0, 'Mine' FROM tracks",
    )
    return scanned


def catalogue(config: Path) -> sqlite3.Connection:
    return sqlite3.connect(config.parent / "state" / "catalogue.db")


def execute(config: Path, *statements: str) -> None:
    with closing(catalogue(config)) as connection, connection:
        for sql in statements:
            connection.execute(sql)


def user_data(config: Path) -> set[tuple[object, ...]]:
    with closing(catalogue(config)) as connection:
        return {
            (table, *row)
            for table in USER_DATA
            for row in connection.execute(f"SELECT * FROM {table}")
        }


def rows(config: Path, sql: str) -> Iterable[tuple[object, ...]]:
    with closing(catalogue(config)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("told", BREAKS)
async def test_what_leads_nowhere_is_told_and_mended(edited: Path, told: str) -> None:
    if "rows of contents" in told and "content_chunks" in told:
        execute(edited, "INSERT INTO chunks (digest, size) VALUES (zeroblob(32), 5)")
    execute(edited, *BREAKS[told])
    before = user_data(edited)
    config = load(edited, {})
    line = f"1 rows of {told} that are not there"
    found = await _check(config, repair=False)
    assert found.references == [line]
    assert line in found.left
    assert user_data(edited) == before

    assert (await _check(config, repair=True)).left == []
    assert (await _check(config, repair=False)).lines == []
    assert before <= user_data(edited)
    assert not list(rows(edited, "PRAGMA foreign_key_check"))


def test_edits_of_a_track_that_is_gone_are_told_and_kept(musefs: Run, edited: Path) -> None:
    execute(edited, "INSERT INTO edited (track_id, edited_ns) VALUES (99999, 5)")
    execute(edited, "INSERT INTO edits VALUES (99999, 'title', 0, 'Lost')")
    before = user_data(edited)
    done = musefs("fsck", edited, "--repair")
    assert done.returncode == 1
    assert "catalogue: 1 rows of edited refer to rows of tracks" in done.stdout
    assert "put a backup in its place" in done.stdout
    assert user_data(edited) == before


def test_the_command_tells_and_mends_it(musefs: Run, edited: Path) -> None:
    execute(edited, "INSERT INTO tags VALUES (99999, 'title', 0, 'x')")
    found = musefs("fsck", edited)
    assert found.returncode == 1
    assert found.stdout.startswith("references: 1 rows of tags refer to rows of tracks that")
    assert musefs("fsck", edited, "--repair").stdout.endswith("repaired\n")
    assert musefs("fsck", edited).stdout == "all is well, 0 chunks checked\n"


def test_edits_without_their_track_and_mark_are_told_and_kept(musefs: Run, edited: Path) -> None:
    execute(edited, "INSERT INTO edits VALUES (99999, 'title', 0, 'Lost')")
    before = user_data(edited)
    done = musefs("fsck", edited, "--repair")
    assert done.returncode == 1
    assert "repaired, but for: 1 rows of edits refer to rows of edited" in done.stdout
    assert user_data(edited) == before


def test_a_tree_that_is_mended_keeps_what_users_gave(musefs: Run, edited: Path) -> None:
    before = user_data(edited)
    execute(edited, "DELETE FROM nodes")
    assert musefs("fsck", edited, "--repair").returncode == 0
    assert user_data(edited) == before
