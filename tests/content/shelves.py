"""Chunk stores for tests: running, settled, and without regard to how full this disk is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from musefs.content.chunk_files import INCOMING
from musefs.content.chunk_shelf import StoreLimits
from musefs.content.chunk_store import ChunkStore

LIMITS = StoreLimits(batch_s=0.01, evict_share=2.0, stop_share=2.0, retry_after_s=0.05)


@contextlib.asynccontextmanager
async def running(store: ChunkStore) -> AsyncIterator[ChunkStore]:
    """Run a store's writer, loaded unless its index fails, and stop it at the end."""
    task = asyncio.create_task(store.run())
    for _ in range(50):
        if store._writer.loaded:
            break
        await asyncio.sleep(0.002)
    try:
        yield store
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], bool]) -> None:
    """Wait for something, for five seconds at most."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen within 5 s")


async def settled(store: ChunkStore) -> None:
    """Wait until everything that was offered is on the disk and recorded."""
    await until(lambda: store.stats().queued_bytes == 0)
    await asyncio.sleep(0.03)


def chunk_paths(root: Path) -> list[Path]:
    """Every chunk file below a root."""
    return [path for path in root.rglob("*") if path.is_file() and path.parent.name != INCOMING]
