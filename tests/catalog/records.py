"""Records as an inspection makes them, from a word that stands for a file's bytes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from musefs.catalog.database import Database, open_database
from musefs.catalog.files import Files
from musefs.catalog.records import ArtRecord, ContentRecord, FileRecord

Tags = Mapping[str, Sequence[str]]


def size_of(content: str) -> int:
    """The size in bytes of a file that holds this."""
    return 1000 + len(content)


def fingerprint_of(content: str) -> bytes:
    """What a file that holds this is recognised by."""
    return sha256(content.encode("utf-8", "surrogatepass")).digest()


def track(
    path: str, content: str, tags: Tags | None = None, *, art: Sequence[ArtRecord] = ()
) -> FileRecord:
    """An audio file."""
    found = ContentRecord(
        fingerprint_of(content), 100, size_of(content), "flac", 3.0, tags or {}, art
    )
    return FileRecord(path, size_of(content), 7, f"v-{content}", "audio", found)


def sidecar(path: str, content: str) -> FileRecord:
    """A file beside the tracks."""
    found = ContentRecord(fingerprint_of(content), 0, size_of(content))
    return FileRecord(path, size_of(content), 7, f"v-{content}", "sidecar", found)


def unreadable(path: str, *, size: int = 5, reason: str = "is denied") -> FileRecord:
    """An audio file that could not be read."""
    return FileRecord(path, size, 9, "", "audio", None, reason)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    """A catalogue, open."""
    database = await open_database(path)
    try:
        yield database
    finally:
        await database.aclose()


async def ids_of(files: Files, origin: str, below: str = "") -> list[int]:
    """The ids of an origin's files at and below a path."""
    return [file_id async for file_id in files.ids(origin, below)]


def connections() -> int:
    """How many of aiosqlite's threads run, one for each connection."""
    return sum("_connection_worker" in thread.name for thread in threading.enumerate())


async def until_connections(count: int) -> None:
    """Wait until no more connections than these are left, for two seconds at most."""
    for _ in range(400):
        if connections() <= count:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{connections()} connections are open")
