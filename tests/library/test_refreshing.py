"""The task that has the tree follow, and whom it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from unittest import mock

import pytest

from musefs.catalog.changelog import setting
from musefs.errors import StateBroken
from musefs.kit.beside import beside
from musefs.library import refreshing
from musefs.library.refreshing import Refresher
from musefs.library.tree_change import TreeChange
from tests.library.trees import Grove, song


async def until(true: Callable[[], bool]) -> None:
    """Wait for something, for five seconds at most."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen within 5 s")


class Told:
    """Listens and remembers."""

    def __init__(self) -> None:
        self.changes: list[TreeChange] = []
        self.failures: list[BaseException] = []

    async def __call__(self, change: TreeChange) -> None:
        self.changes.append(change)


async def test_everything_is_followed_at_the_start_and_whenever_woken(grove: Grove) -> None:
    refresher, told = Refresher(grove.tree), Told()
    refresher.listeners.append(told)
    await grove.record("nas", song("1.flac", "A", "t"))
    async with beside([refresher.run()], told.failures.append):
        await until(lambda: len(told.changes) == 1)
        assert await setting(grove.database, "tree_rules") == grove.adopted.text
        assert await grove.paths() == ["A/t.flac"]
        await grove.record("nas", song("2.flac", "A", "u"))
        await asyncio.sleep(0.03)
        assert len(told.changes) == 1
        refresher.wake()
        await until(lambda: len(told.changes) == 2)
        assert await grove.paths() == ["A/t.flac", "A/u.flac"]
    assert told.failures == []


async def test_a_wake_during_a_refresh_is_not_lost(grove: Grove) -> None:
    refresher, told = Refresher(grove.tree), Told()
    late = [song("2.flac", "A", "u")]

    async def records_more(change: TreeChange) -> None:
        if late:
            await grove.record("nas", late.pop())
            refresher.wake()

    refresher.listeners += [told, records_more]
    await grove.record("nas", song("1.flac", "A", "t"))
    async with beside([refresher.run()], told.failures.append):
        await until(lambda: len(told.changes) == 2)
    assert await grove.paths() == ["A/t.flac", "A/u.flac"]
    assert told.failures == []


async def test_a_catalogue_that_cannot_be_written_is_tried_again(
    grove: Grove, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(refreshing, "RETRY_S", 0.02)
    refresher, told = Refresher(grove.tree), Told()
    refresher.listeners.append(told)
    await grove.record("nas", song("1.flac", "A", "t"))
    full = mock.patch.object(grove.tree, "refresh", side_effect=StateBroken("the disk is full"))
    async with beside([refresher.run()], told.failures.append):
        with full:
            await until(lambda: len(caplog.records) >= 2)
        await until(lambda: len(told.changes) == 1)
    assert told.failures == []
    assert "will be tried again: the disk is full" in caplog.text


async def test_a_listener_that_fails_is_not_hidden(grove: Grove) -> None:
    refresher, told = Refresher(grove.tree), Told()

    async def fails(change: TreeChange) -> None:
        raise ZeroDivisionError

    refresher.listeners.append(fails)
    await grove.record("nas", song("1.flac", "A", "t"))
    async with beside([refresher.run()], told.failures.append):
        await until(lambda: bool(told.failures))
    assert isinstance(told.failures[0], ZeroDivisionError)


async def test_catching_up_needs_no_task(grove: Grove) -> None:
    await grove.record("nas", song("1.flac", "A", "t"))
    await Refresher(grove.tree).catch_up()
    assert await grove.paths() == ["A/t.flac"]


async def test_it_is_behind_until_the_last_listener_knows(grove: Grove) -> None:
    refresher, told = Refresher(grove.tree), Told()
    heard, go_on = asyncio.Event(), asyncio.Event()

    async def slow(change: TreeChange) -> None:
        heard.set()
        await go_on.wait()

    refresher.listeners.append(slow)
    before = refresher.is_behind
    await grove.record("nas", song("1.flac", "A", "t"))
    refresher.wake()
    woken = refresher.is_behind
    async with beside([refresher.run()], told.failures.append):
        await heard.wait()
        told_some = refresher.is_behind
        go_on.set()
        await until(lambda: not refresher.is_behind)
    assert (before, woken, told_some) == (False, True, True)
    assert await grove.paths() == ["A/t.flac"]
