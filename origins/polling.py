"""Watching by asking again: for origins that do not tell when something changes.

A poll says only that it is time to list. The caller compares the listing with what it knows, so
that there is one place that compares.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator

from origins.base import WHOLE_ORIGIN

JITTER = 0.1
"""Share of the interval by which a wait is longer or shorter: origins must not poll in step."""


async def poll(interval_s: float, jitter: float = JITTER) -> AsyncGenerator[frozenset[str], None]:
    """An empty batch at once, as from here on nothing is missed; then WHOLE_ORIGIN at intervals."""
    yield frozenset()
    while True:
        await asyncio.sleep(interval_s * random.uniform(1 - jitter, 1 + jitter))
        yield frozenset({WHOLE_ORIGIN})
