"""Transactions: all or nothing, one after another, and readers who are not disturbed."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import pytest

from musefs.catalog import database as database_module
from musefs.catalog.database import Database
from musefs.errors import StateBroken
from tests.catalog.records import connections, opened, until_connections

INSERT = "INSERT INTO settings (name, value) VALUES (?, ?)"


async def names(database: Database) -> list[str]:
    return [row[0] for row in await database.rows("SELECT name FROM settings ORDER BY name")]


async def write(database: Database, name: str) -> None:
    async with database.writing() as tx:
        assert await tx.run(INSERT, [name, ""]) == 1


async def test_an_exception_takes_everything_back(database: Database) -> None:
    async def fails() -> None:
        async with database.writing() as tx:
            await tx.run(INSERT, ["a", ""])
            raise KeyError

    with pytest.raises(KeyError):
        await fails()
    assert await names(database) == []
    await write(database, "b")
    assert await names(database) == ["b"]


async def test_a_statement_that_fails_takes_everything_back(database: Database) -> None:
    async def fails() -> None:
        async with database.writing() as tx:
            await tx.run_many(INSERT, [["a", ""], ["b", ""]])
            await tx.run(INSERT, ["a", ""])

    with pytest.raises(StateBroken, match="UNIQUE") as caught:
        await fails()
    assert isinstance(caught.value.__cause__, sqlite3.IntegrityError)
    assert await names(database) == []


async def test_a_cancellation_within_takes_everything_back(database: Database) -> None:
    begun = asyncio.Event()

    async def writes() -> None:
        async with database.writing() as tx:
            await tx.run(INSERT, ["a", ""])
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(writes())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await write(database, "b")
    assert await names(database) == ["b"]


@pytest.mark.parametrize("turns", range(25))
async def test_a_cancellation_at_any_moment_leaves_all_or_nothing(
    database: Database, turns: int
) -> None:
    async def writes() -> None:
        async with database.writing() as tx:
            await tx.run(INSERT, ["a", ""])
            await tx.run(INSERT, ["b", ""])

    task = asyncio.create_task(writes())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    await write(database, "c")
    assert await names(database) in (["c"], ["a", "b", "c"])


async def test_a_second_writer_waits_for_the_first(database: Database) -> None:
    order = []

    async def writes(name: str) -> None:
        async with database.writing() as tx:
            order.append(f"{name} begins")
            await tx.run(INSERT, [name, ""])
            await asyncio.sleep(0.01)
            order.append(f"{name} ends")

    await asyncio.gather(writes("a"), writes("b"))
    assert order == ["a begins", "a ends", "b begins", "b ends"]


async def test_a_writer_that_leaves_the_queue_holds_nobody_up(database: Database) -> None:
    async with database.writing():
        waiting = asyncio.create_task(write(database, "a"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
    await write(database, "b")
    assert await names(database) == ["b"]


async def test_readers_see_what_is_committed_and_the_writer_its_own(database: Database) -> None:
    async with database.writing() as tx:
        await tx.run(INSERT, ["a", ""])
        assert await tx.row("SELECT name FROM settings") == ("a",)
        assert await names(database) == []
        assert await database.row("SELECT name FROM settings") is None
    assert await names(database) == ["a"]


async def test_another_process_that_writes_is_waited_for_within_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "catalogue.db"
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT_S", 0.1)
    async with opened(path) as database:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StateBroken, match="locked"):
            await write(database, "a")
        other.execute("ROLLBACK")
        other.close()
        await write(database, "b")
        assert await names(database) == ["b"]


async def test_a_full_disk_is_told_and_harms_nothing(database: Database) -> None:
    await write(database, "a")
    async with database.writing() as tx:
        [(pages,)] = await tx.rows("PRAGMA page_count")
        await tx.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StateBroken, match="full") as caught:
        async with database.writing() as tx:
            await tx.run(INSERT, ["b", "x" * 100_000])
    assert "\n" not in str(caught.value)
    assert await names(database) == ["a"]
    async with database.writing() as tx:
        await tx.rows("PRAGMA max_page_count = 1000000")
    await write(database, "c")
    assert await names(database) == ["a", "c"]


async def test_a_query_that_makes_no_sense_is_told_in_one_line(database: Database) -> None:
    with pytest.raises(StateBroken) as caught:
        await database.rows("SELECT\n* FROM nowhere")
    assert "\n" not in str(caught.value)


async def test_a_stream_keeps_to_one_view_while_others_write(database: Database) -> None:
    async with database.writing() as tx:
        await tx.run_many(INSERT, [[f"{n:04}", ""] for n in range(1200)])
    seen: list[str] = []
    async for (name,) in database.stream("SELECT name FROM settings ORDER BY name"):
        if not seen:
            await write(database, "9999")
        seen.append(name)
    assert seen == [f"{n:04}" for n in range(1200)]
    assert len(await names(database)) == 1201


async def test_a_stream_that_is_left_holds_nothing_open(database: Database) -> None:
    before = connections()
    async with contextlib.aclosing(database.stream("SELECT inode FROM nodes")) as rows:
        async for (inode,) in rows:
            assert inode == 1
            break
    await until_connections(before)


async def test_a_stream_that_cannot_be_is_told_like_any_query(database: Database) -> None:
    with pytest.raises(StateBroken, match="nowhere"):
        await anext(database.stream("SELECT * FROM nowhere"))
