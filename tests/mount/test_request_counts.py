"""Every request of the kernel is counted by its kind, every failure by its number."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pyfuse3
import pytest

from musefs.app.service import App
from musefs.catalog.nodes import ROOT
from musefs.mount.answering import answering
from musefs.mount.request_counts import RequestCounts
from tests.catalog.records import opened
from tests.indexing.music import flac
from tests.mount.operated import WHO, Operated, operated

NAME = "album/one.flac"
CHANGES = ("mkdir", "unlink", "rename", "write", "setxattr", "setattr")


class Asked:
    """A handler that fails as it is told."""

    def __init__(self) -> None:
        self.requests = RequestCounts()

    @answering
    async def lookup(self, error: BaseException | None = None) -> str:
        """Look up."""
        if error is not None:
            raise error
        return "found"

    @answering
    async def wait(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[Operated]:
    async with operated(tmp_path, {NAME: flac("one")}) as library:
        library.operations.requests.by_kind.clear()
        yield library


async def test_answers_and_failures_are_counted() -> None:
    asked = Asked()
    assert await asked.lookup() == "found"
    for error in (pyfuse3.FUSEError(errno.ENOSYS), ValueError("x"), KeyboardInterrupt()):
        with pytest.raises(pyfuse3.FUSEError):
            await asked.lookup(error)
    task = asyncio.ensure_future(asked.wait())
    await asyncio.sleep(0)
    assert asked.requests.by_kind == {"lookup": 4, "wait": 1}  # also while it waits
    task.cancel()
    with pytest.raises(pyfuse3.FUSEError):
        await task
    assert asked.requests.failed == {errno.ENOSYS: 1, errno.EIO: 3}
    asked.requests.failed[-7] += 1
    assert asked.requests.failed_by_name() == {"ENOSYS": 1, "EIO": 3, "-7": 1}


async def test_each_kind_of_request_is_counted_by_its_name(library: Operated) -> None:
    operations = library.operations
    folder = await operations.lookup(ROOT, b"album", WHO)
    file = await operations.lookup(folder.st_ino, b"one.flac", WHO)
    await operations.getattr(file.st_ino, WHO)
    await operations.statfs(WHO)
    await operations.listxattr(file.st_ino, WHO)
    await operations.getxattr(file.st_ino, b"user.musefs.origin", WHO)
    await operations.releasedir(await operations.opendir(ROOT, WHO))
    opened = await operations.open(file.st_ino, os.O_RDONLY, WHO)
    await operations.read(opened.fh, 0, 4)
    await operations.flush(opened.fh)
    await operations.release(opened.fh)
    await operations.forget([(file.st_ino, 1)])
    once = "getattr statfs listxattr getxattr opendir releasedir open read flush release forget"
    assert operations.requests.by_kind == {"lookup": 2, **dict.fromkeys(once.split(), 1)}
    assert operations.requests.failed == {}


async def test_refused_changes_and_failures_are_counted_by_errno(library: Operated) -> None:
    operations = library.operations
    for change in CHANGES:
        with pytest.raises(pyfuse3.FUSEError):
            await getattr(operations, change)(ROOT, b"x", WHO)
    with pytest.raises(pyfuse3.FUSEError):
        await operations.lookup(ROOT, b"nothing", WHO)
    with pytest.raises(pyfuse3.FUSEError):
        await operations.open(await library.inode("album"), os.O_RDONLY, WHO)
    assert operations.requests.by_kind == {"refuse": len(CHANGES), "lookup": 1, "open": 1}
    assert operations.requests.failed_by_name() == {"EROFS": len(CHANGES), "ENOENT": 1, "EISDIR": 1}


async def test_the_status_file_shows_what_was_counted(library: Operated) -> None:
    app = App(library.parts, "/mnt")
    app.requests = library.operations.requests
    with pytest.raises(pyfuse3.FUSEError):
        await library.operations.lookup(ROOT, b"nothing", WHO)
    work = json.loads(await app.status_json())["work"]
    assert (work["requests"], work["failed"]) == ({"lookup": 1}, {"ENOENT": 1})
    assert work["statements"] == library.parts.database.statements > 0


async def test_the_statements_of_both_connections_are_counted(tmp_path: Path) -> None:
    async with opened(tmp_path / "catalogue.db") as database:
        assert database.statements == 0
        await database.rows("SELECT 1")
        await database.row("SELECT 1")
        assert database.statements == 2
        async with database.writing() as tx:
            await tx.run("DELETE FROM nodes WHERE inode = 7")
            await tx.run_many("DELETE FROM nodes WHERE inode = ?", [[8], [9]])
            assert await tx.rows("SELECT 1") == [(1,)]
        assert database.statements == 2 + 3 + 2
        assert [row async for row in database.stream("SELECT 1")] == [(1,)]
        assert database.statements == 8
