"""What every test needs."""

from __future__ import annotations

import asyncio

from hypothesis import settings


def pytest_configure() -> None:
    """Have no loop lie about: looptime asks for one early, and would leave it unclosed."""
    asyncio.set_event_loop(None)
    # How long an example takes says more about the machine's other work than about the code.
    settings.register_profile("musefs", deadline=None)
    settings.load_profile("musefs")
