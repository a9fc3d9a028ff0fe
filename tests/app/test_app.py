"""What an operator asks a running musefs."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from contextlib import aclosing
from pathlib import Path
from unittest import mock

import pytest

from musefs.app.parts import Parts
from musefs.app.service import App
from musefs.errors import StateBroken, UnknownOrigin
from musefs.indexing.scanning import Progress, ScanOptions
from tests.indexing.music import flac


@pytest.fixture
def app(parts: Parts) -> App:
    return App(parts, "/mnt/music")


async def rescan(
    app: App, origin: str | None = None, *, accept_removals: bool = False
) -> dict[str, Progress]:
    """Scan and have the tree follow; the last progress of each origin."""
    last = {}
    async for progress in app.rescan(origin, ScanOptions(accept_removals=accept_removals)):
        last[progress.origin] = progress
    await app._parts.refresher.catch_up()
    return last


async def test_status_before_and_after_a_scan(app: App) -> None:
    before = await app.status()
    assert (before.pid, before.mountpoint, before.mode) == (os.getpid(), "/mnt/music", "synthesis")
    assert (before.tracks, before.folders, before.pending, before.unserved) == (0, 1, 0, 0)
    assert [(origin.id, origin.health, origin.scan_done) for origin in before.origins] == [
        ("nas", "unknown", False),
        ("box", "unknown", False),
    ]
    await rescan(app)
    after = await app.status()
    assert (after.tracks, after.pending, after.open_files) == (3, 0, 0)
    assert after.library_bytes == sum(len(flac(title)) for title in ("both", "one", "two"))
    assert [(origin.id, origin.files, origin.inspected) for origin in after.origins] == [
        ("nas", 3, 3),
        ("box", 1, 1),
    ]
    assert after.uptime_s >= before.uptime_s > 0
    assert (after.cache.memory_bytes, after.cache.disk_bytes) == (0, 0)


async def test_an_origin_that_answers_again_shows_no_error(
    app: App, folders: dict[str, Path]
) -> None:
    async def errors() -> dict[str, str]:
        return {origin.id: origin.error for origin in (await app.status()).origins}

    monitor = app._parts.reading.federation._monitor
    folders["nas"].rename(folders["nas"].with_name("away"))
    await monitor.check()
    assert "nas" in (await errors())["nas"]
    folders["nas"].with_name("away").rename(folders["nas"])
    await monitor.check()
    assert await errors() == {"nas": "", "box": ""}


async def test_status_as_a_file_is_json_with_all_fields(app: App) -> None:
    text = await app.status_json()
    assert text.endswith(b"}\n")
    told = json.loads(text)
    assert set(told) == {*type(await app.status()).__dataclass_fields__, "work"}
    assert told["origins"][0]["id"] == "nas"


async def test_one_origin_can_be_scanned_alone(app: App) -> None:
    assert set(await rescan(app, "box")) == {"box"}
    assert (await app.status()).tracks == 1
    with pytest.raises(
        UnknownOrigin, match="tape: there is no such origin: choose one of nas, box"
    ):
        await rescan(app, "tape")


async def test_every_scan_ends_with_its_final_progress(app: App) -> None:
    last = await rescan(app)
    assert {name: (found.done, found.listed) for name, found in last.items()} == {
        "nas": (True, 3),
        "box": (True, 1),
    }


async def test_a_scan_that_fails_tells_why_and_the_others_go_on(
    app: App, folders: dict[str, Path]
) -> None:
    await asyncio.to_thread(shutil.rmtree, folders["nas"])
    last = await rescan(app)
    assert last["nas"].error
    assert (last["box"].error, last["box"].listed) == (None, 1)
    status = await app.status()
    assert status.origins[0].error == last["nas"].error
    assert status.tracks == 1


async def test_a_catalogue_that_cannot_be_written_is_told_in_the_progress(app: App) -> None:
    full = mock.patch.object(app._parts.files, "record", side_effect=StateBroken("disk is full"))
    with full:
        assert (await rescan(app, "nas"))["nas"].error == "disk is full"


async def test_a_scan_that_breaks_for_no_known_reason_is_not_passed_over(app: App) -> None:
    broken = mock.patch.object(app._parts.files, "known", side_effect=ZeroDivisionError)
    with broken, pytest.raises(ZeroDivisionError):
        await rescan(app, "nas")


async def test_who_stops_listening_stops_the_scan(app: App) -> None:
    async def hangs(*request: object) -> None:
        await asyncio.Event().wait()

    with mock.patch.object(app._parts.files, "known", side_effect=hangs):
        async with aclosing(app.rescan(None, ScanOptions())) as progress:
            assert not (await anext(progress)).done
    assert all(follower.progress.done for follower in app._parts.followers.values())
    assert len(asyncio.all_tasks()) == 1


async def test_removals_that_are_held_back_are_counted(app: App, folders: dict[str, Path]) -> None:
    await rescan(app)
    for path in list(await asyncio.to_thread(lambda: list(folders["nas"].iterdir()))):
        path.unlink()
    assert (await rescan(app, "nas"))["nas"].held_back == 3
    status = await app.status()
    assert (status.tracks, status.origins[0].held_back) == (3, 3)
    assert (await rescan(app, "nas", accept_removals=True))["nas"].removed == 3
    assert (await app.status()).tracks == 1


async def test_files_that_are_not_served_are_listed_one_a_line(
    app: App, folders: dict[str, Path]
) -> None:
    for name in (b"broken.flac", b"new\nline.flac", b"caf\xe9.flac", "é.flac".encode()):
        path = folders["box"] / os.fsdecode(name)
        await asyncio.to_thread(path.write_bytes, b"fLaC" + name)
    await rescan(app)
    lines = (await app.unserved_text()).decode("utf-8").splitlines()
    assert [line.split("\t")[:2] for line in lines] == [
        ["box", "broken.flac"],
        ["box", "caf\\udce9.flac"],
        ["box", "new\\nline.flac"],
        ["box", "é.flac"],
    ]
    assert all(line.split("\t")[2] for line in lines)
    assert (await app.status()).unserved == 4


async def test_a_wish_to_stop_and_a_failure_end_the_service(app: App) -> None:
    assert not app.stopping.is_set()
    app.request_shutdown(2.5)
    assert (app.stopping.is_set(), app.drain_s, app.failure) == (True, 2.5, None)
    error = ZeroDivisionError()
    app.fail(error)
    assert app.failure is error
