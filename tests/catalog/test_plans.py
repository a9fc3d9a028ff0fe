"""What SQLite does for the statements of everyday work: it looks rows up, and scans no library."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from musefs.app.parts import Parts, assembled
from musefs.app.service import App
from musefs.catalog.database import Database, Transaction
from musefs.catalog.nodes import ROOT
from musefs.config import load
from musefs.indexing.scanning import ScanOptions
from musefs.kit.beside import beside
from tests.indexing.music import flac, flac_with_art
from tests.layout.test_images import png

GROWING = (
    *("contents", "files", "tracks", "tags", "art", "chunks", "content_chunks", "nodes"),
    *("edited", "edits", "layouts"),
)
"""Tables with rows for tracks."""

_SCAN = re.compile(r"SCAN (\w+)(.*)")
_OF_FEW_ROWS = ("edited_unmade", "files_failed", "layouts_failed", "nodes_without_file")
"""Indexes of those rows alone that something is the matter with."""

_LOADING = (
    "SELECT c.digest, c.size, c.kept AND EXISTS (SELECT 1 FROM files f"
    " WHERE f.content_id = p.content_id) FROM chunks c"
    " LEFT JOIN content_chunks p ON p.digest = c.digest"
)
"""What is on the disk is learnt once, beside everything else."""


@dataclass
class Asked:
    """Statements by what was being done when they were executed."""

    doing: str = "starting"
    statements: dict[str, str] = field(default_factory=dict)

    def note(self, sql: str) -> None:
        self.statements.setdefault(sql, self.doing)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Every statement from now on."""
    found = Asked()

    def noting(method: Callable[..., Any]) -> Callable[..., Any]:
        def noted(one: object, sql: str, *rest: Any) -> Any:
            found.note(sql)
            return method(one, sql, *rest)

        return noted

    for name in ("rows", "run", "run_many"):
        monkeypatch.setattr(Transaction, name, noting(getattr(Transaction, name)))
    monkeypatch.setattr(Database, "stream", noting(Database.stream))
    return found


class Nothing(dict[str, None]):
    """A value for every name."""

    def __missing__(self, name: str) -> None:
        return None


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    """The steps of a statement, whatever its parameters are."""
    values = Nothing() if re.search(r":\w", sql) else [None] * sql.count("?")
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


def scanned(steps: Sequence[str], sql: str) -> list[str]:
    """The growing tables all of whose rows a plan goes through."""
    named = re.findall(r"\b(?:FROM|JOIN)\s+(\w+)(?:\s+(?:AS\s+)?(\w+))?", sql)
    aliases = {alias: table for table, alias in named if alias}
    found = (_SCAN.search(step) for step in steps)
    return [
        table
        for match in found
        if match is not None
        if (table := aliases.get(match[1], match[1])) in GROWING
        if not any(index in match[2] for index in _OF_FEW_ROWS)
    ]


def scans(catalogue: Path, asked: Asked) -> Iterator[str]:
    """What scans a growing table, a line each: while doing what, which, and how."""
    with closing(sqlite3.connect(catalogue)) as connection:
        for sql, doing in asked.statements.items():
            if "IN ()" in sql or sql == _LOADING:  # SQLite looks at no row for the first
                continue
            steps = plan(connection, sql)
            for table in scanned(steps, sql):
                yield f"{doing}: scans {table}: {sql}: {steps}"


async def edit(parts: Parts, asked: Asked) -> None:
    """What users do to tags and covers."""
    tagging = parts.tagging
    asked.doing = "tagging"
    await tagging.set("album", {"title": ["New"]})
    await tagging.set_art("album/New.flac", png(40, 40))
    await tagging.show("album")
    await tagging.clear("album")


async def use(parts: Parts, asked: Asked, folder: Path) -> None:
    """Everyday work, after a first scan that is not looked at."""
    song, cover = folder / "album" / "1.flac", folder / "album" / "cover.png"
    app = App(parts, "/mnt")

    async def follow(doing: str, *paths: str) -> None:
        asked.doing = f"{doing} at the origin"
        await parts.followers["nas"].rescan(ScanOptions(paths=paths))
        await parts.refresher.catch_up()
        await parts.refresher._tree.unmade()

    node = await parts.library.walk("album/title 1.flac")
    asked.doing = "listing"
    await parts.library.children(ROOT)
    await parts.library.children(node.parent)
    asked.doing = "status"
    await app.status_json()
    await app.unserved_text()
    await parts.library.totals()
    asked.doing = "reading"
    handle = await parts.reading.open_files.open(node)
    await parts.reading.open_files.read(handle, 0, 100_000)
    parts.reading.open_files.release(handle)
    await parts.reading.whereabouts.replicas(node)
    await parts.reading.whereabouts.cached_percent(node)
    song.write_bytes(flac_with_art("again", b"art", 200_000))
    await follow("a file changes", "album/1.flac")
    (folder / "other").mkdir()
    for name in ("cover.png", "cover.jpg"):
        (folder / "other" / name).write_bytes(png(31, 31))
        (folder / "other" / f"{name}.flac").write_bytes(flac(name))
    cover.write_bytes(png(30, 30))
    await follow("files come", "album/cover.png", "other")
    song.rename(folder / "album" / "moved.flac")
    await follow("a file moves", "album/1.flac", "album/moved.flac")
    cover.unlink()
    await follow("a sidecar goes", "album")
    await edit(parts, asked)
    await parts.refresher.catch_up()
    assert await parts.reading.store.keeping.settled()


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Parts]:
    """Everything over one folder whose files are cached, but for what follows that by itself."""
    origin = {"id": "nas", "kind": "local", "path": str(folder / "nas")}
    origins = [origin | {"watch": "off", "cache": True}]
    settings = {"state": str(folder / "state"), "origins": origins}
    path = folder / "musefs.yaml"
    path.write_text(yaml.safe_dump(settings | {"tree": {"template": "album/$title"}}))
    async with assembled(load(path, {}), "test") as parts:
        failures: list[BaseException] = []
        work = [parts.reading.store.run(), parts.refresher.run(), parts.warming.pins.run()]
        async with beside(work, failures.append):
            yield parts
        assert failures == []


async def test_no_statement_of_everyday_work_scans_the_library(
    tmp_path: Path, asked: Asked
) -> None:
    folder = tmp_path / "nas"
    (folder / "album").mkdir(parents=True)
    for number in range(4):
        (folder / "album" / f"{number}.flac").write_bytes(flac(f"title {number}"))
    async with running(tmp_path) as parts:
        await parts.followers["nas"].rescan(ScanOptions())
        await parts.refresher.catch_up()
    asked.statements.clear()
    async with running(tmp_path) as parts:
        await use(parts, asked, folder)
    assert len(asked.statements) > 60
    assert list(scans(tmp_path / "state" / "catalogue.db", asked)) == []


async def test_whatever_refers_to_rows_that_go_is_found_by_an_index(database: Database) -> None:
    """Before a row goes, SQLite looks for what refers to it."""
    for table in GROWING:
        indexes = await database.rows(
            "SELECT x.name FROM pragma_index_list(?) l JOIN pragma_index_info(l.name) x"
            " WHERE x.seqno = 0 UNION SELECT name FROM pragma_table_info(?) WHERE pk = 1",
            [table, table],
        )
        referring = await database.rows('SELECT "from" FROM pragma_foreign_key_list(?)', [table])
        # Contents stay for good.
        assert set(referring) - set(indexes) <= {("content_id",)}, table
