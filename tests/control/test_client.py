"""What a client is told of a service, and of one that is not there."""

from __future__ import annotations

import asyncio
import socket as sockets
from contextlib import aclosing
from pathlib import Path
from typing import Any, cast

import pytest

from musefs.control import client as client_module
from musefs.control.client import Client
from musefs.control.server import ControlServer
from musefs.errors import MusefsError, ServiceUnreachable, StateBroken, UnknownOrigin
from musefs.indexing.scanning import Progress, ScanOptions
from origins import OriginUnavailable
from tests.control.service import STATUS, SmallService

pytestmark = pytest.mark.usefixtures("server")


async def test_a_status_arrives_as_it_was_sent(socket: Path) -> None:
    async with Client(socket) as client:
        assert await client.status() == STATUS


async def test_a_rescan_tells_its_progress_until_it_is_done(
    socket: Path, service: SmallService
) -> None:
    async with Client(socket) as client:
        options = ScanOptions(full=True, accept_removals=True)
        told = [progress async for progress in client.rescan(None, options)]
    assert told == [
        Progress("nas", expected=2, listed=1),
        Progress("nas", 2, 2, 1, failed=1, done=True, error="nas: broke off \\udcff"),
    ]
    assert service.options == options


async def test_a_rescan_ends_with_the_client_that_asked_for_it(
    socket: Path, service: SmallService
) -> None:
    async with Client(socket) as client:
        async with aclosing(cast(Any, client.rescan("endless", ScanOptions()))) as scan:
            async for progress in scan:
                if progress.origin == "endless":
                    break
        await asyncio.wait_for(service.scan_ended.wait(), 5)


@pytest.mark.parametrize(
    ("origin", "kind", "text"),
    [
        ("attic", UnknownOrigin, "attic: there is no such origin: choose one of nas, endless"),
        ("away", OriginUnavailable, "away: no route to host: check the network"),
    ],
)
async def test_an_error_of_the_service_is_raised_as_the_same_error(
    socket: Path, origin: str, kind: type[Exception], text: str
) -> None:
    async with Client(socket) as client:
        with pytest.raises(kind) as caught:
            await anext(client.rescan(origin, ScanOptions()))
    assert str(caught.value) == text


async def test_a_status_that_cannot_be_had_says_why(socket: Path, service: SmallService) -> None:
    service.broken = True
    async with Client(socket) as client:
        with pytest.raises(StateBroken, match="the disk is gone"):
            await client.status()


async def test_a_shutdown_passes_the_time_for_draining(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        await client.shutdown(2.5)
    assert service.drains_s == [2.5]


@pytest.mark.parametrize("drain_s", [-1.0, float("nan"), float("inf"), 3601.0])
async def test_a_senseless_time_for_draining_is_refused(
    socket: Path, service: SmallService, drain_s: float
) -> None:
    async with Client(socket) as client:
        with pytest.raises(MusefsError, match="0 to 3600 seconds"):
            await client.shutdown(drain_s)
    assert not service.drains_s


async def test_a_missing_socket_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnreachable, match=r"nowhere\.sock: no musefs runs here.*--socket"):
        async with Client(tmp_path / "nowhere.sock"):
            pass


async def test_a_file_that_is_no_socket_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ServiceUnreachable, match="it is no socket"):
        async with Client(tmp_path / "file"):
            pass


async def test_a_service_that_stopped_is_told_in_one_line(
    socket: Path, server: ControlServer, service: SmallService
) -> None:
    async with Client(socket) as client:
        await client.status()
        await server.stop(0)
        with pytest.raises(ServiceUnreachable, match="answers here any more") as caught:
            await client.status()
    assert "\n" not in str(caught.value)


async def test_a_socket_that_nobody_serves_is_told(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with sockets.socket(sockets.AF_UNIX) as dead:
        dead.bind(str(path))
    async with Client(path) as client:
        with pytest.raises(ServiceUnreachable, match="no musefs answers"):
            await client.status()


async def test_a_service_that_hangs_is_waited_for_no_longer_than_the_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hanging.sock"
    monkeypatch.setattr(client_module, "SILENCE_S_MAX", 0.3)
    with sockets.socket(sockets.AF_UNIX) as hanging:
        hanging.bind(str(path))
        hanging.listen()
        async with Client(path, timeout_s=0.3) as client:
            with pytest.raises(ServiceUnreachable):
                await client.status()
            with pytest.raises(ServiceUnreachable):
                await anext(client.rescan(None, ScanOptions()))
