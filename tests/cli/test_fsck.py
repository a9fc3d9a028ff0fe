"""Broken catalogues and chunk stores: what fsck says of them, and whether it mends them."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from musefs.state import claim
from tests.cli.conftest import Run, complaint

FAULTS = {
    "an entry in no folder": (
        "UPDATE nodes SET parent = 9999 WHERE inode = (SELECT max(inode) FROM nodes"
        " WHERE kind = 'track')",
        "tree: 1 entries are in no folder",
    ),
    "an entry below a track": (
        "UPDATE nodes SET parent = (SELECT min(inode) FROM nodes WHERE kind = 'track')"
        " WHERE inode = (SELECT max(inode) FROM nodes WHERE kind = 'sidecar')",
        "tree: 1 entries are in no folder",
    ),
    "a circle of folders": (
        "UPDATE nodes SET parent = inode WHERE inode ="
        " (SELECT min(inode) FROM nodes WHERE kind = 'folder' AND inode > 1)",
        "entries are in no folder",
    ),
    "wrong counts": (
        "UPDATE nodes SET subfolders = subfolders + 3 WHERE kind = 'folder' AND inode = 1",
        "tree: 1 folders count their subfolders wrongly",
    ),
    "wrong totals": (
        "UPDATE totals SET entries = entries + 1 WHERE kind = 'track'",
        "tree: 1 kinds of entries are counted wrongly",
    ),
    "wrong counts of files": (
        "UPDATE file_counts SET files = files - 1",
        "have their files counted wrongly",
    ),
    "another content": (
        "UPDATE nodes SET content_id = (SELECT max(id) FROM contents) WHERE inode ="
        " (SELECT min(inode) FROM nodes WHERE kind = 'track')",
        "tree: 1 entries show another content than their track has",
    ),
    "another sidecar": (
        "UPDATE nodes SET content_id = (SELECT content_id FROM tracks LIMIT 1) WHERE inode ="
        " (SELECT min(inode) FROM nodes WHERE kind = 'sidecar')",
        "tree: 1 entries show another content than their sidecar file has",
    ),
    "a missing track": (
        "DELETE FROM nodes WHERE inode = (SELECT min(inode) FROM nodes WHERE kind = 'track')",
        "tree: 1 tracks are missing from the tree",
    ),
    "no root": ("DELETE FROM nodes WHERE inode = 1", "tree: 1 root folders are missing"),
}


def change(config: Path, sql: str) -> None:
    with sqlite3.connect(config.parent / "state" / "catalogue.db") as catalogue:
        catalogue.execute(sql)
    catalogue.close()


def tracks(config: Path) -> dict[int, tuple[int, str]]:
    """Inode and path of every track in the tree."""
    with sqlite3.connect(config.parent / "state" / "catalogue.db") as catalogue:
        rows = catalogue.execute(
            "WITH RECURSIVE t (inode, path, track) AS (SELECT 1, '', NULL UNION SELECT n.inode,"
            " t.path || '/' || n.name, n.track_id FROM nodes n JOIN t ON n.parent = t.inode)"
            " SELECT track, inode, path FROM t WHERE track IS NOT NULL"
        ).fetchall()
    catalogue.close()
    return {row[0]: (row[1], row[2]) for row in rows}


def test_a_whole_library_is_clean(musefs: Run, scanned: Path) -> None:
    done = musefs("fsck", scanned)
    assert (done.returncode, done.stdout) == (0, "all is well, 0 chunks checked\n")
    assert not (scanned.parent / "state" / "running").exists()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_tree_is_found_and_mended(musefs: Run, scanned: Path, fault: str) -> None:
    before = tracks(scanned)
    sql, told = FAULTS[fault]
    change(scanned, sql)
    found = musefs("fsck", scanned)
    assert found.returncode == 1
    assert told in found.stdout
    assert found.stdout.endswith("mend it with --repair\n")
    assert (scanned.parent / "state" / "running").exists()

    mended = musefs("fsck", scanned, "--repair")
    assert mended.returncode == 0, mended.stdout + mended.stderr
    assert mended.stdout.endswith("repaired\n")
    assert musefs("fsck", scanned).stdout == "all is well, 0 chunks checked\n"
    after = tracks(scanned)
    assert {track: path for track, (_, path) in after.items()} == {
        track: path for track, (_, path) in before.items()
    }
    if fault != "a missing track":
        assert after == before


def test_bad_chunks_are_found_and_removed(musefs: Run, scanned: Path) -> None:
    chunks = scanned.parent / "state" / "chunks"
    (chunks / "ab").mkdir(parents=True)
    (chunks / "incoming").mkdir(exist_ok=True)
    wrong, stray = chunks / "ab" / ("cd" * 31), chunks / "incoming" / "half"
    wrong.write_bytes(b"not what the name says")
    stray.write_bytes(b"half")
    change(scanned, "INSERT INTO chunks (digest, size) VALUES (zeroblob(32), 5)")

    answer = json.loads(musefs("fsck", scanned, "--json").stdout)
    assert answer["chunks"] == [
        "1 chunks are recorded and not on the disk",
        "1 chunks are on the disk and not recorded",
        "1 chunks have other bytes than their name says",
        "1 half-written files lie about",
    ]
    assert (answer["ok"], wrong.exists(), stray.exists()) == (False, True, True)
    assert musefs("fsck", scanned, "--repair").returncode == 0
    assert (wrong.exists(), stray.exists()) == (False, False)
    assert musefs("fsck", scanned).returncode == 0


def test_references_to_nothing_cannot_be_mended(musefs: Run, scanned: Path) -> None:
    change(scanned, "UPDATE tracks SET content_id = 99999 WHERE id = 1")
    done = musefs("fsck", scanned, "--repair")
    assert done.returncode == 1
    assert "catalogue: 1 rows of tracks refer to rows of contents" in done.stdout
    assert "move catalogue.db away" in done.stdout


def test_a_file_that_is_no_catalogue_is_one_line(musefs: Run, scanned: Path) -> None:
    catalogue = scanned.parent / "state" / "catalogue.db"
    catalogue.write_bytes(b"not a database, " * 500)
    for command in (("fsck", scanned), ("scan", scanned), ("mount", scanned, "mnt")):
        (scanned.parent / "mnt").mkdir(exist_ok=True)
        told = complaint(musefs(*command))
        assert "the catalogue cannot be used" in told
        assert "put a backup in the place of a damaged one, or move it away" in told


def test_a_library_in_use_is_not_checked(musefs: Run, scanned: Path) -> None:
    state = claim(scanned.parent / "state", "a test")
    try:
        assert "(a test)" in complaint(musefs("fsck", scanned))
    finally:
        state.release(clean=True)
