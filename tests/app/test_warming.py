"""Prefetching and pins through all parts but the mount, over a folder that is cached."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from musefs.app.parts import Parts, assembled
from musefs.config import Config, load
from musefs.errors import InvalidQuery, NoSuchEntry, UnknownPin
from musefs.indexing.scanning import ScanOptions
from musefs.kit.beside import beside
from musefs.library import pins
from musefs.library.pins import PinStatus
from tests.content.shelves import until
from tests.indexing.music import flac_with_art

AUDIO_BYTES = 600_000


def put(folder: Path, title: str) -> None:
    (folder / f"{title}.flac").write_bytes(flac_with_art(title, b"", AUDIO_BYTES))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    folder.mkdir()
    for title in ("blue 1", "blue 2", "red 1"):
        put(folder, title)
    return folder


@pytest.fixture
def config(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setattr(pins, "RESOLVE_PAUSE_S", 0.01)
    path = folder.parent / "musefs.yaml"
    origin = {"id": "nas", "kind": "local", "path": str(folder), "watch": "off", "cache": "on"}
    path.write_text(
        yaml.safe_dump(
            {
                "state": str(folder.parent / "state"),
                "origins": [origin],
                "tree": {"template": "$title"},
                "cache": {"pins": "1500 KB", "disk": "20 MiB"},
            }
        )
    )
    return load(path, {})


@asynccontextmanager
async def running(config: Config) -> AsyncIterator[Parts]:
    failures: list[BaseException] = []
    async with assembled(config, "test") as parts:
        work = [parts.reading.store.run(), parts.warming.pins.run()]
        async with beside(work, failures.append):
            await index(parts)
            yield parts
    assert failures == []


async def index(parts: Parts) -> None:
    await parts.refresher._tree.adopt_rules()
    for follower in parts.followers.values():
        await follower.rescan(ScanOptions())
    await parts.refresher.catch_up()


async def share(parts: Parts, name: str) -> int:
    """How much of a track is cached, in percent."""
    return await parts.reading.whereabouts.cached_percent(await parts.library.walk(name))


async def until_cached(parts: Parts, name: str) -> None:
    for _ in range(1000):
        if await share(parts, name) == 100:
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"{name} was not fetched within 5 s")


async def told(parts: Parts, reached: Callable[[PinStatus], bool]) -> PinStatus:
    """The only pin, once it is so."""
    for _ in range(1000):
        [status] = await parts.warming.pins.statuses()
        if reached(status):
            return status
        await asyncio.sleep(0.005)
    raise AssertionError(f"it did not come to that within 5 s: {status}")


async def test_a_prefetch_tells_how_far_it_is(config: Config) -> None:
    async with running(config) as parts:
        told = [progress async for progress in parts.warming.prefetch("blue")]
        last = told[-1]
        assert (last.tracks, last.tracks_done, last.failed_tracks, last.done) == (2, 2, 0, True)
        assert told[0].bytes == last.bytes == last.bytes_done > 2 * AUDIO_BYTES
        assert 0 < last.bytes_fetched < last.bytes  # the heads were there
        assert [await share(parts, f"blue {n}.flac") for n in (1, 2)] == [100, 100]
        assert await share(parts, "red 1.flac") < 100
        [*_, again] = [progress async for progress in parts.warming.prefetch("/blue 1.flac")]
        assert (again.tracks_done, again.bytes_fetched) == (1, 0)


async def test_a_track_that_fails_is_told_and_the_others_come(config: Config, folder: Path) -> None:
    async with running(config) as parts:
        (folder / "blue 1.flac").write_bytes(b"other")
        [*_, last] = [progress async for progress in parts.warming.prefetch("/")]
        assert (last.tracks_done, last.failed_tracks) == (2, 1)
        assert last.error is not None
        assert last.error.startswith("blue 1.flac: ")
        assert last.bytes_done < last.bytes


async def test_leaving_a_prefetch_stops_it(config: Config) -> None:
    async with running(config) as parts:
        async with aclosing(parts.warming.prefetch("/")) as told:
            async for progress in told:
                assert not progress.done
                break
        assert not [t for t in asyncio.all_tasks() if "Prefetch" in repr(t.get_coro())]


async def test_a_prefetch_of_nothing_is_refused(config: Config) -> None:
    async with running(config) as parts:
        for query, error in (("green", NoSuchEntry), ("/green", NoSuchEntry), ("a:", InvalidQuery)):
            with pytest.raises(error):
                await anext(parts.warming.prefetch(query))


async def test_what_matches_a_pin_later_is_fetched_too_also_after_a_restart(
    config: Config, folder: Path
) -> None:
    async with running(config) as parts:
        status = await parts.warming.pins.pin("title:green")
        assert (status.query, status.tracks, status.over_budget) == ("title:green", 0, False)
        put(folder, "green 1")
        await index(parts)
        await until_cached(parts, "green 1.flac")
    put(folder, "green 2")
    async with running(config) as parts:
        await until_cached(parts, "green 2.flac")
        status = await told(parts, lambda one: one.bytes_present == one.bytes)
        assert status.tracks == 2
        assert parts.reading.store.stats().pinned_bytes == status.bytes
        await parts.warming.pins.unpin("title:green")
        assert parts.reading.store.stats().pinned_bytes == 0
        assert await parts.warming.pins.statuses() == []
        with pytest.raises(UnknownPin, match="see `musefs pins`"):
            await parts.warming.pins.unpin("title:green")


async def test_the_budget_is_kept_and_told(config: Config) -> None:
    async with running(config) as parts:
        red = await parts.warming.pins.pin("red")
        blue = await parts.warming.pins.pin("blue")
        assert (red.over_budget, blue.over_budget, blue.tracks) == (False, True, 2)
        await until_cached(parts, "red 1.flac")
        await until_cached(parts, "blue 1.flac")
        assert await share(parts, "blue 2.flac") < 100
        assert (await parts.warming.pins.pin("blue")).over_budget
        await parts.warming.pins.unpin("red")
        await until_cached(parts, "blue 2.flac")
        [blue] = await parts.warming.pins.statuses()
        assert not blue.over_budget


async def test_what_was_cleared_is_fetched_again(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "FETCH_EVERY_S", 0.05)
    async with running(config) as parts:
        await parts.warming.pins.pin("/red 1.flac")
        await until_cached(parts, "red 1.flac")
        await until(lambda: parts.reading.store.stats().queued_bytes == 0)
        await parts.reading.store.clear()
        assert await share(parts, "red 1.flac") < 100
        await until_cached(parts, "red 1.flac")


async def test_why_a_pinned_track_is_not_here_is_told(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "FETCH_EVERY_S", 0.05)
    async with running(config) as parts:
        (folder / "red 1.flac").write_bytes(b"other")
        await parts.warming.pins.pin("red")
        status = await told(parts, lambda one: one.error is not None)
        assert status.bytes_present < status.bytes
