"""The commands that ask a running musefs, against a served control socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from musefs.control.server import ControlServer
from musefs.state import StateFolder, claim
from tests.cli.conftest import Ask
from tests.control.service import STATUS, SmallService


class EndingService(SmallService):
    """Ends when it is asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    def request_shutdown(self, drain_s: float) -> None:
        """Remembers it, and begins to end."""
        super().request_shutdown(drain_s)
        self.asked.set()


@pytest.fixture
def state(config: Path) -> StateFolder:
    return claim(config.parent / "state", "a test")


@pytest.fixture
async def service(state: StateFolder) -> AsyncIterator[EndingService]:
    service = EndingService()
    server = ControlServer(service, state.path / "control.sock")
    await server.start()

    async def end() -> None:
        await service.asked.wait()
        await server.stop(0.1)
        state.release(clean=True)

    ending = asyncio.create_task(end())
    yield service
    service.asked.set()
    await ending


async def test_a_status_is_found_by_the_configuration(
    ask: Ask, service: EndingService, config: Path
) -> None:
    done = await ask("status", config)
    assert (done.code, done.errors) == (0, "")
    for text in ("1.2.3, process 4711, up 00:00:12", "/srv/müsik", "3 tracks", "1.0 TiB"):
        assert text in done.out
    assert "nas     local  10        healthy  5      done, 1 failed\n" in done.out
    assert done.out.endswith("box: box: no route\n")


async def test_a_status_in_json_has_every_field(ask: Ask, service: EndingService) -> None:
    done = await ask("status", "--socket", "state/control.sock", "--json")
    assert json.loads(done.out) == json.loads(json.dumps(asdict(STATUS)))


async def test_a_status_is_found_by_the_socket_in_the_environment(
    ask: Ask, service: EndingService, config: Path, state: StateFolder
) -> None:
    done = await ask("status", config, MUSEFS_CONTROL__SOCKET=str(state.path / "control.sock"))
    assert done.code == 0


async def test_a_rescan_passes_its_options_and_sums_up(
    ask: Ask, service: EndingService, config: Path
) -> None:
    done = await ask("rescan", "nas", "--config", config, "--full", "--accept-removals")
    assert done.out == "nas: 2 files, 1 inspected, 1 failed, 0 removed\n"
    assert (done.code, done.errors) == (1, "musefs: nas: nas: broke off \\udcff\n")
    assert service.options is not None
    assert (service.options.full, service.options.accept_removals) == (True, True)


async def test_a_rescan_in_json_has_the_last_progress_of_each_origin(
    ask: Ask, service: EndingService, config: Path
) -> None:
    done = await ask("rescan", "--config", config, "--json")
    [progress] = json.loads(done.out)["origins"]
    assert (progress["origin"], progress["done"], progress["failed"]) == ("nas", True, 1)


async def test_a_rescan_of_an_unknown_origin_is_one_line(
    ask: Ask, service: EndingService, config: Path
) -> None:
    done = await ask("rescan", "cellar", "--config", config)
    assert (done.code, done.out) == (1, "")
    assert done.errors == ("musefs: cellar: there is no such origin: choose one of nas, endless\n")


async def test_a_scan_beside_a_service_points_to_rescan(
    ask: Ask, service: EndingService, config: Path
) -> None:
    done = await ask("scan", config)
    assert done.code == 1
    assert "have it scan (musefs rescan --socket" in done.errors


async def test_a_shutdown_returns_when_the_lock_is_free(
    ask: Ask, service: EndingService, config: Path, state: StateFolder
) -> None:
    done = await ask("shutdown", config, "--drain", "1.5")
    assert (done.code, done.errors) == (0, "")
    assert service.drains_s == [1.5]
    assert not (state.path / "control.sock").exists()
    claim(state.path, "the next one").release(clean=True)


async def test_a_service_that_cannot_tell_its_status_can_be_ended(
    ask: Ask, service: EndingService, config: Path
) -> None:
    service.broken = True
    assert (await ask("status", config)).code == 1
    assert (await ask("shutdown", config)).code == 0
    assert service.drains_s == [0.0]
