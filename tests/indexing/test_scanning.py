"""Scans: what they read, what they commit, and what they refuse to take for a deletion."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator

import pytest

from origins import (
    FileInfo,
    ListingIncomplete,
    OriginError,
    OriginUnavailable,
)
from tests.fakes.origin import FakeOrigin, failing, no_trouble
from tests.indexing.music import DENIED, DOWN, Indexed, album, failing_after, failing_at, flac


class Incomplete(FakeOrigin):
    """Its listing has to leave a folder out."""

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """See Origin.list."""
        async for info in super().list(below):
            yield info
        raise ListingIncomplete("could not be read: 'x': give access")


async def test_a_first_scan_reads_every_file_once(indexed: Indexed) -> None:
    indexed.fake.put("album/cover.jpg", b"picture")
    indexed.fake.put("album/readme.txt", b"not of the library")
    progress = await indexed.scan()
    assert sorted(indexed.take_reads()) == sorted([*album(10), "album/cover.jpg"])
    assert await indexed.titles() == {f"album/{n:04}.flac": f"title {n}" for n in range(10)}
    assert await indexed.paths() == {*album(10), "album/cover.jpg"}
    assert (progress.expected, progress.listed, progress.inspected) == (0, 11, 11)
    assert (progress.failed, progress.removed, progress.held_back) == (0, 0, 0)
    assert indexed.commits == 3


async def test_a_second_scan_has_nothing_to_do(indexed: Indexed) -> None:
    await indexed.scan()
    indexed.take_reads()
    progress = await indexed.scan()
    assert indexed.take_reads() == []
    assert (progress.expected, progress.listed, progress.inspected) == (10, 10, 0)
    assert indexed.commits == 3


async def test_a_full_scan_reads_everything_again(indexed: Indexed) -> None:
    await indexed.scan()
    indexed.take_reads()
    progress = await indexed.scan(full=True)
    assert len(indexed.take_reads()) == progress.inspected == 10


async def test_an_interrupted_scan_goes_on_where_it_was(indexed: Indexed) -> None:
    indexed.troubled.rule = failing_after(DOWN, 9, "list item")
    with pytest.raises(OriginUnavailable):
        await indexed.scan()
    assert len(await indexed.titles()) == 8
    indexed.take_reads()
    indexed.troubled.rule = no_trouble
    await indexed.scan()
    assert sorted(indexed.take_reads()) == ["album/0008.flac", "album/0009.flac"]
    assert len(await indexed.titles()) == 10


async def test_a_cancelled_scan_goes_on_where_it_was(indexed: Indexed) -> None:
    hung = asyncio.Event()

    async def rule(operation: str, path: str) -> None:
        if operation == "read" and path == "album/0005.flac":
            hung.set()
            await asyncio.Event().wait()

    indexed.troubled.rule = rule
    task = asyncio.create_task(indexed.scan())
    await hung.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(await indexed.titles()) == 4
    indexed.take_reads()
    indexed.troubled.rule = no_trouble
    await indexed.scan()
    assert len(indexed.take_reads()) == 6


async def test_changed_new_and_missing_files_are_followed(indexed: Indexed) -> None:
    await indexed.scan()
    indexed.take_reads()
    indexed.fake.put("album/0003.flac", flac("another"))
    indexed.fake.put("new.flac", flac("new"))
    indexed.fake.delete("album/0004.flac")
    progress = await indexed.scan()
    assert sorted(indexed.take_reads()) == ["album/0003.flac", "new.flac"]
    titles = await indexed.titles()
    assert (titles["album/0003.flac"], titles["new.flac"]) == ("another", "new")
    assert "album/0004.flac" not in titles
    assert (progress.inspected, progress.removed, progress.held_back) == (2, 1, 0)


async def test_a_file_that_no_longer_belongs_to_the_library_leaves_it(indexed: Indexed) -> None:
    indexed.fake.put("album/cover.jpg", b"picture")
    await indexed.scan()
    another = Indexed(indexed.database, indexed.fake)
    another.scanner._selection._patterns.clear()
    assert (await another.scan()).removed == 1
    assert "album/cover.jpg" not in await indexed.paths()


async def test_an_incomplete_listing_adds_and_removes_nothing(
    indexed: Indexed, caplog: pytest.LogCaptureFixture
) -> None:
    await indexed.scan()
    indexed.fake.delete("album/0000.flac")
    indexed.fake.put("new.flac", flac("new"))

    indexed.troubled._origin = Incomplete("nas", {"new.flac": flac("new")})
    progress = await indexed.scan()
    assert (progress.inspected, progress.removed, progress.held_back) == (1, 0, 0)
    assert await indexed.paths() == {*album(10), "new.flac"}
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "nas: nothing is removed" in record.getMessage()
    assert "could not be read" in record.getMessage()


async def test_an_empty_listing_removes_nothing_unless_that_is_meant(
    indexed: Indexed, caplog: pytest.LogCaptureFixture
) -> None:
    await indexed.scan()
    for path in album(10):
        indexed.fake.delete(path)
    progress = await indexed.scan()
    assert (progress.removed, progress.held_back) == (0, 10)
    assert len(await indexed.paths()) == 10
    [record] = caplog.records
    assert "10 of 10 files are no longer listed" in record.getMessage()
    assert "musefs rescan nas --accept-removals" in record.getMessage()
    progress = await indexed.scan(accept_removals=True)
    assert (progress.removed, progress.held_back) == (10, 0)
    assert await indexed.paths() == set()


@pytest.mark.parametrize(("gone", "removed"), [(5, 5), (6, 0)])
async def test_more_than_half_is_held_back(indexed: Indexed, gone: int, removed: int) -> None:
    await indexed.scan()
    for path in list(album(10))[:gone]:
        indexed.fake.delete(path)
    progress = await indexed.scan()
    assert (progress.removed, progress.held_back) == (removed, gone - removed)
    assert len(await indexed.paths()) == 10 - removed


async def test_the_only_file_is_held_back_in_a_listing_and_removed_when_it_is_named(
    indexed: Indexed, database_of_one: Indexed
) -> None:
    database_of_one.fake.delete("a.flac")
    assert (await database_of_one.scan()).held_back == 1
    assert (await database_of_one.scan("a.flac")).removed == 1
    assert await database_of_one.paths() == set()


@pytest.fixture
async def database_of_one(indexed: Indexed) -> Indexed:
    """An origin with one file that has been scanned."""
    one = Indexed(indexed.database, FakeOrigin("one", {"a.flac": flac("a")}))
    await one.scan()
    return one


async def test_another_origin_is_left_alone(indexed: Indexed, database_of_one: Indexed) -> None:
    await indexed.scan()
    await indexed.scan(accept_removals=True)
    assert await database_of_one.paths() == {*album(10), "a.flac"}


async def test_names_that_are_not_utf8_are_files_like_others(indexed: Indexed) -> None:
    path = os.fsdecode(b"caf\xe9/\xff.flac")
    indexed.fake.put(path, flac("café"))
    await indexed.scan()
    assert (await indexed.titles())[path] == "café"
    indexed.fake.delete(path)
    assert (await indexed.scan(os.fsdecode(b"caf\xe9"))).removed == 1


async def test_named_paths_are_looked_at_and_nothing_else(indexed: Indexed) -> None:
    indexed.fake.put("other/x/1.flac", flac("1"))
    indexed.fake.put("other/x/2.flac", flac("2"))
    indexed.fake.put("otherwise/3.flac", flac("3"))
    await indexed.scan()
    indexed.take_reads()
    indexed.troubled.calls.clear()
    indexed.fake.put("other/x/1.flac", flac("1 again"))
    indexed.fake.put("otherwise/3.flac", flac("3 again"))
    indexed.fake.put("album/0000.flac", flac("0 again"))
    indexed.fake.delete("other/x/2.flac")
    indexed.fake.delete("album/0009.flac")
    progress = await indexed.scan("album/0000.flac", "nowhere", "other")
    assert sorted(indexed.take_reads()) == ["album/0000.flac", "other/x/1.flac"]
    assert progress.removed == 1
    titles = await indexed.titles()
    assert titles["album/0000.flac"] == "0 again"
    assert titles["otherwise/3.flac"] == "3"
    assert "album/0009.flac" in titles
    assert "other/x/2.flac" not in titles


async def test_a_folder_that_is_gone_takes_its_files_along(indexed: Indexed) -> None:
    for n in range(3):
        indexed.fake.put(f"other/{n}.flac", flac(f"other {n}"))
    await indexed.scan()
    for n in range(3):
        indexed.fake.delete(f"other/{n}.flac")
    assert (await indexed.scan("other")).removed == 3
    assert await indexed.paths() == set(album(10))


@pytest.mark.parametrize("operation", ["stat", "list"])
async def test_a_path_that_is_denied_does_not_hide_the_others(
    indexed: Indexed, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    await indexed.scan()
    indexed.take_reads()
    indexed.fake.put("z/new.flac", flac("new"))
    indexed.fake.delete("album/0001.flac")
    indexed.troubled.rule = failing_at(DENIED, "a", "b", operation=operation)
    progress = await indexed.scan("a", "album/0001.flac", "b", "z")
    assert indexed.take_reads() == ["z/new.flac"]
    assert progress.removed == 0
    [record] = caplog.records
    assert f"{DENIED}, and 1 more like it" in record.getMessage()


@pytest.mark.parametrize("error", [DENIED, DOWN])
async def test_an_origin_that_cannot_be_listed_is_told_and_nothing_changes(
    indexed: Indexed, error: OriginError
) -> None:
    await indexed.scan()
    indexed.troubled.rule = failing(error, "list")
    with pytest.raises(type(error)):
        await indexed.scan()
    assert len(await indexed.paths()) == 10


async def test_paths_that_cannot_be_reached_are_no_deletion(indexed: Indexed) -> None:
    await indexed.scan()
    indexed.troubled.rule = failing(DOWN, "stat")
    with pytest.raises(OriginUnavailable):
        await indexed.scan("album/0000.flac")
    assert len(await indexed.paths()) == 10
