"""What every test needs."""

from __future__ import annotations

import asyncio


def pytest_configure() -> None:
    """Have no loop lie about: looptime asks for one early, and would leave it unclosed."""
    asyncio.set_event_loop(None)
