"""A served control socket, under asyncio's event loop and under the one that the service uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from musefs.control.server import ControlServer
from tests.control.service import SmallService


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every test here runs under both."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


@pytest.fixture
def service() -> SmallService:
    return SmallService()


@pytest.fixture
async def server(service: SmallService, socket: Path) -> AsyncIterator[ControlServer]:
    server = ControlServer(service, socket)
    await server.start()
    yield server
    await server.stop(0)
