"""The catalogue's file: connections, transactions and migrations. The only door to aiosqlite.

One connection writes, one reads: WAL lets a listing go on while a batch is committed. Every write
is a transaction of its own, taken in turn.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import urllib.parse
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import aiosqlite

from musefs.errors import BackupFailed, StateBroken

Row = tuple[Any, ...]
Parameters = Sequence[object] | Mapping[str, object]

MIGRATIONS: tuple[str, ...] = (
    "schema.sql",
    "schema_2.sql",
    "schema_3.sql",
    "schema_4.sql",
    "schema_5.sql",
)
"""Scripts in order; the catalogue's `user_version` counts how many of them it has seen."""

BUSY_TIMEOUT_S = 10.0
ROWS_PER_FETCH = 500
CACHE_KIB_MAX = 16 << 10
STREAM_CACHE_KIB_MAX = 1 << 10
"""What is gone through once is not kept."""


class Queries(Protocol):
    """What can be asked within a transaction and outside of one."""

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query."""
        ...

    async def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query, or None."""
        ...


@dataclass(slots=True)
class _Executed:
    """Statements since the catalogue was opened; of one that runs for many rows, all runs as 1."""

    count: int = 0


class Transaction:
    """Statements that become visible together. Each raises StateBroken when the disk refuses."""

    def __init__(self, connection: aiosqlite.Connection, path: Path, executed: _Executed) -> None:
        self._connection = connection
        self._path = path
        self._executed = executed

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query, those of a RETURNING clause too."""
        self._executed.count += 1
        with _translating(self._path):
            return [tuple(row) for row in await self._connection.execute_fetchall(sql, parameters)]

    async def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query, or None."""
        rows = await self.rows(sql, parameters)
        return rows[0] if rows else None

    async def run(self, sql: str, parameters: Parameters = ()) -> int:
        """Execute a statement; the number of rows it changed."""
        self._executed.count += 1
        with _translating(self._path):
            cursor = await self._connection.execute(sql, parameters)
            count = cursor.rowcount
            await cursor.close()
            return count

    async def run_many(self, sql: str, parameters: Iterable[Parameters]) -> None:
        """Execute a statement once for each of the parameters."""
        self._executed.count += 1
        with _translating(self._path):
            cursor = await self._connection.executemany(sql, parameters)
            await cursor.close()


class Database:
    """An open catalogue. Make one with `open_database`, end it with `aclose`."""

    def __init__(
        self, path: Path, writer: aiosqlite.Connection | None, reader: aiosqlite.Connection
    ) -> None:
        self.path = path
        self._writer = writer
        self._executed = _Executed()
        self._reader = Transaction(reader, path, self._executed)
        # The writer is closed last: then SQLite removes the log's files.
        self._connections = [c for c in (reader, writer) if c is not None]
        self._turn = asyncio.Lock()

    @property
    def statements(self) -> int:
        """How many have been executed; a transaction's begin and end are two of them."""
        return self._executed.count

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A write transaction: committed at the end, rolled back when an exception leaves it."""
        if self._writer is None:
            raise StateBroken(f"{self.path}: the catalogue was opened for reading only")
        async with self._turn:
            # Cancelled while it waits, BEGIN may take place in SQLite's thread all the same.
            try:
                self._executed.count += 2
                with _translating(self.path):
                    await self._writer.execute("BEGIN IMMEDIATE")
                yield Transaction(self._writer, self.path, self._executed)
                with _translating(self.path):
                    await self._writer.commit()
            except BaseException:
                await self._writer.rollback()
                raise

    async def rows(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """All rows of a query over what has been committed."""
        return await self._reader.rows(sql, parameters)

    async def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of a query over what has been committed, or None."""
        return await self._reader.row(sql, parameters)

    async def stream(self, sql: str, parameters: Parameters = ()) -> AsyncGenerator[Row, None]:
        """The rows of a query, some hundreds at a time, in one consistent view.

        On a connection of its own: an unfinished query pins what all queries of its connection see.
        """
        self._executed.count += 1
        with _translating(self.path):
            connection = await _connect(f"file:{_quoted(self.path)}?mode=ro", STREAM_CACHE_KIB_MAX)
            try:
                async with connection.execute(sql, parameters) as cursor:
                    while rows := await cursor.fetchmany(ROWS_PER_FETCH):
                        for row in rows:
                            yield tuple(row)
            finally:
                await connection.close()

    async def aclose(self) -> None:
        """Close the catalogue; its log is written back into its file. May be called twice."""
        async with self._turn:
            for connection in self._connections:
                await connection.close()
            self._connections = []


async def open_database(path: Path) -> Database:
    """Open a catalogue for reading and writing, making or migrating it as needed.

    Raises StateBroken when the file is no catalogue, is damaged, was written by a newer musefs or
    cannot be opened.
    """
    writer = reader = None
    try:
        writer = await _connect(f"file:{_quoted(path)}?mode=rwc")
        await writer.execute("PRAGMA journal_mode = WAL")
        await _migrate(writer, path)
        reader = await _connect(f"file:{_quoted(path)}?mode=ro")
    except BaseException as error:
        for connection in (writer, reader):
            if connection is not None:
                await connection.close()
        if isinstance(error, sqlite3.Error):
            raise _broken(path, error) from error
        raise
    return Database(path, writer, reader)


async def open_readonly(path: Path) -> Database:
    """Open a catalogue that a service may be using, for reading alone. Raises StateBroken."""
    if not await asyncio.to_thread(path.exists):
        raise StateBroken(f"{path}: there is no catalogue yet: run `musefs scan` or mount first")
    reader = None
    try:
        reader = await _connect(f"file:{_quoted(path)}?mode=ro")
        await reader.execute_fetchall("SELECT 1 FROM settings")
    except BaseException as error:
        if reader is not None:
            await reader.close()
        if isinstance(error, sqlite3.Error):
            raise _broken(path, error) from error
        raise
    return Database(path, None, reader)


async def copy_database(path: Path, target: Path) -> None:
    """Write a compact copy of a catalogue, as of one moment, into an empty file.

    On a connection of its own: readers and the writer go on. Raises BackupFailed.
    """
    connection = None
    try:
        connection = await _connect(f"file:{_quoted(path)}?mode=ro")
        await connection.execute("VACUUM INTO ?", [f"file:{_quoted(target)}"])
    except sqlite3.Error as error:
        raise BackupFailed(
            f"{target}: the catalogue cannot be copied there ({error}): check both disks"
        ) from error
    finally:
        if connection is not None:
            await connection.interrupt()  # nobody waits for a copy that was cancelled
            await connection.close()


async def _connect(uri: str, cache_kib_max: int = CACHE_KIB_MAX) -> aiosqlite.Connection:
    refused: list[sqlite3.Error] = []

    def connected() -> sqlite3.Connection:
        # isolation_level None: transactions begin and end where this module says so.
        try:
            return sqlite3.connect(
                uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S, cached_statements=256
            )
        except sqlite3.Error as error:
            # Told below: aiosqlite does not wait for its thread when this fails.
            refused.append(error)
            return sqlite3.connect(":memory:")

    connection = await aiosqlite.Connection(connected, ROWS_PER_FETCH)
    if refused:
        await connection.close()
        raise refused[0]
    try:
        for pragma in (
            "foreign_keys = ON",
            # What is acknowledged to a user must survive a power cut; FULL syncs the log at commit.
            "synchronous = FULL",
            f"cache_size = -{cache_kib_max}",
            "temp_store = MEMORY",
        ):
            await connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        await connection.close()
        raise
    return connection


async def _migrate(connection: aiosqlite.Connection, path: Path) -> None:
    [row] = await connection.execute_fetchall("PRAGMA user_version")
    version = int(row[0])
    if version > len(MIGRATIONS):
        raise StateBroken(
            f"{path}: the catalogue has version {version}, this musefs knows {len(MIGRATIONS)}: "
            "use a newer musefs or another state folder"
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        sql = resources.files("musefs.catalog").joinpath(script).read_text("utf-8")
        await connection.executescript(
            f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;"
        )


@contextmanager
def _translating(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _broken(path, error) from error


def _quoted(path: Path) -> str:
    """A path in a URI: its bytes, which need not be UTF-8."""
    return urllib.parse.quote(os.fsencode(path))


def _broken(path: Path, error: sqlite3.Error) -> StateBroken:
    return StateBroken(
        f"{path}: the catalogue cannot be used ({error}): check the folder's permissions and disk; "
        "put a backup in the place of a damaged one, or move it away, the next scan makes a new one"
    )
