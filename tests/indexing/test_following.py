"""Following an origin: scan, watch, scan what has changed, and wait for one that is away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from musefs.indexing import following
from musefs.indexing.following import CHANGED_PATHS_MAX, Follower
from musefs.indexing.scanning import ScanOptions
from musefs.kit.beside import beside
from origins import WHOLE_ORIGIN, OriginUnavailable
from tests.fakes.origin import FakeOrigin, delaying, failing, no_trouble
from tests.indexing.music import DOWN, Indexed, flac


async def until(true: Callable[[], bool]) -> None:
    """Wait for something, for five seconds at most."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen within 5 s")


@asynccontextmanager
async def running(indexed: Indexed) -> AsyncIterator[Follower]:
    """A follower at work, that must not fail."""
    failures: list[BaseException] = []
    follower = Follower(indexed.origin, indexed.scanner, indexed.verifier)
    async with beside([follower.run()], failures.append):
        yield follower
    assert failures == []


@asynccontextmanager
async def settled(indexed: Indexed) -> AsyncIterator[Follower]:
    """A follower at work that has done its first scan."""
    async with running(indexed) as follower:
        await until(lambda: follower.progress.done)
        indexed.take_reads()
        indexed.troubled.calls.clear()
        yield follower


def listings(indexed: Indexed) -> int:
    return indexed.troubled.calls.count("list")


async def test_a_new_origin_is_scanned_and_then_left_in_peace(indexed: Indexed) -> None:
    async with running(indexed) as follower:
        await until(lambda: follower.progress.done)
        await asyncio.sleep(0.05)
    assert len(await indexed.titles()) == 10
    assert follower.progress.inspected == 10
    assert listings(indexed) == 1


async def test_watching_begins_before_the_first_listing(indexed: Indexed) -> None:
    async def rule(operation: str, path: str) -> None:
        if operation == "watch":
            await asyncio.sleep(0.05)
        if operation == "list":
            assert indexed.fake._told, "nobody is watching"

    indexed.troubled.rule = rule
    async with running(indexed) as follower:
        await until(lambda: follower.progress.done)
        assert follower.progress.error is None
        assert listings(indexed) == 1


async def test_a_watcher_that_begins_late_is_not_waited_for_and_nothing_is_missed(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "WATCH_BEGIN_S", 0.01)
    indexed.troubled.rule = delaying(1.0, "watch")
    async with running(indexed) as follower:
        await until(lambda: follower.progress.done)
        indexed.fake.put("unwatched.flac", flac("unwatched"))
        await until(lambda: listings(indexed) == 2 and follower.progress.done)
        assert "unwatched.flac" in await indexed.paths()


async def test_changed_paths_are_looked_at_and_no_others(indexed: Indexed) -> None:
    async with settled(indexed) as follower:
        indexed.fake.put("album/0003.flac", flac("another"))
        indexed.fake.put("new/one.flac", flac("new"))
        indexed.fake.delete("album/0004.flac")
        await until(lambda: follower.progress.removed == 1)
        titles = await indexed.titles()
    assert titles["album/0003.flac"] == "another"
    assert titles["new/one.flac"] == "new"
    assert "album/0004.flac" not in titles
    assert sorted(indexed.take_reads()) == ["album/0003.flac", "new/one.flac"]
    assert listings(indexed) == 1  # of the path that is gone, as it may have been a folder


async def test_a_changed_folder_is_listed_once_for_all_that_lies_in_it(indexed: Indexed) -> None:
    for n in range(3):
        indexed.fake.put(f"a/b/{n}.flac", flac(f"b{n}"))
    indexed.fake.put("a b/x.flac", flac("x"))
    async with settled(indexed) as follower:
        follower._note({"a/b/0.flac", "a", "a/b", "a b", "a/c"})
        await until(lambda: follower.progress.done and follower.progress.listed == 4)
        assert listings(indexed) == 2


async def test_nothing_is_scanned_twice_for_changes_that_come_during_a_scan(
    indexed: Indexed,
) -> None:
    indexed.troubled.rule = delaying(0.02, "read")
    async with running(indexed) as follower:
        await until(lambda: bool(indexed.fake.reads))
        for n in range(20):
            indexed.fake.put("album/0001.flac", flac(f"take {n}"))
        await until(lambda: follower.progress.done and follower.progress.listed == 1)
        await asyncio.sleep(0.05)
        assert (await indexed.titles())["album/0001.flac"] == "take 19"
    assert indexed.take_reads().count("album/0001.flac") <= 3
    assert listings(indexed) == 1


async def test_a_burst_of_changes_is_one_listing_of_the_whole_origin(indexed: Indexed) -> None:
    async with settled(indexed) as follower:
        for n in range(10_000):
            follower.look_at(f"nowhere/{n}.flac")
        await until(lambda: listings(indexed) > 0 and follower.progress.done)
        await asyncio.sleep(0.05)
        assert follower.progress.listed == 10
    assert (listings(indexed), indexed.troubled.calls.count("stat")) == (1, 0)


async def test_as_many_changes_as_are_kept_are_looked_at_one_by_one(indexed: Indexed) -> None:
    async with settled(indexed) as follower:
        follower._note({f"nowhere/{n}.flac" for n in range(CHANGED_PATHS_MAX)})
        await until(lambda: indexed.troubled.calls.count("stat") == CHANGED_PATHS_MAX)


async def test_when_everything_may_have_changed_the_origin_is_listed(indexed: Indexed) -> None:
    async with settled(indexed) as follower:
        follower._note({"album/0001.flac", WHOLE_ORIGIN})
        await until(lambda: listings(indexed) == 1 and follower.progress.done)
        assert indexed.troubled.calls.count("stat") == 0
        assert indexed.take_reads() == []


async def test_a_file_that_is_found_to_be_another_is_looked_at(indexed: Indexed) -> None:
    async with settled(indexed) as follower:
        follower.look_at("album/0001.flac")
        await until(lambda: indexed.troubled.calls.count("stat") == 1)
        assert listings(indexed) == 0


async def test_an_origin_that_is_down_at_the_start_is_tried_again_with_one_line(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(following, "RETRY_S", (0.01, 0.02))
    indexed.troubled.rule = failing(DOWN, "list")
    async with running(indexed) as follower:
        await until(lambda: listings(indexed) >= 5)
        assert follower.progress.error == str(DOWN)
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert f"nas: cannot be scanned, will be tried again: {DOWN}" in caplog.text
        indexed.troubled.rule = no_trouble
        await until(lambda: follower.progress.listed == 10 and follower.progress.done)
        assert not follower.progress.error
        await until(lambda: len(caplog.records) == 2)
    assert caplog.records[1].levelname == "INFO"
    assert "scanned again after" in caplog.records[1].getMessage()
    assert len(await indexed.titles()) == 10


async def test_paths_that_could_not_be_looked_at_are_looked_at_later(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RETRY_S", (0.01,))
    async with settled(indexed):
        indexed.troubled.rule = failing(DOWN, "stat")
        indexed.fake.put("album/0001.flac", flac("another"))
        await until(lambda: indexed.troubled.calls.count("stat") >= 3)
        indexed.troubled.rule = no_trouble
        await until(lambda: bool(indexed.fake.reads))
    assert indexed.take_reads() == ["album/0001.flac"]


async def test_a_wished_scan_waits_for_the_one_that_runs(indexed: Indexed) -> None:
    indexed.troubled.rule = delaying(0.01, "read")
    async with running(indexed) as follower:
        await until(lambda: bool(indexed.fake.reads))
        progress = await follower.rescan(ScanOptions())
        assert (progress.expected, progress.listed, progress.inspected) == (10, 10, 0)
        assert progress.done
        assert follower.progress is progress


async def test_a_wished_scan_that_fails_raises_and_tells(indexed: Indexed) -> None:
    follower = Follower(indexed.origin, indexed.scanner, indexed.verifier)
    indexed.troubled.rule = failing(DOWN, "list")
    with pytest.raises(OriginUnavailable):
        await follower.rescan(ScanOptions())
    assert (follower.progress.done, follower.progress.error) == (True, str(DOWN))


async def test_a_follower_that_is_cancelled_leaves_nothing_running(indexed: Indexed) -> None:
    indexed.troubled.rule = delaying(10, "read")
    async with running(indexed) as follower:
        await until(lambda: "read" in indexed.troubled.calls)
        tasks = len(asyncio.all_tasks())
    assert follower.progress.done
    assert tasks > len(asyncio.all_tasks()) == 1
    assert indexed.fake._told == set()


async def test_an_origin_that_cannot_be_watched_any_more_is_still_there(indexed: Indexed) -> None:
    class Unwatched(FakeOrigin):
        """Ends its watch after the beginning."""

        async def watch(self) -> AsyncGenerator[frozenset[str], None]:
            """See Origin.watch."""
            yield frozenset()

    indexed.troubled._origin = Unwatched("nas", {"a.flac": flac("a")})
    async with settled(indexed) as follower:
        assert (await follower.rescan(ScanOptions())).listed == 1
