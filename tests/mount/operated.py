"""The real handlers over real parts and one folder, without a kernel, and what they cost."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyfuse3
import pytest

from musefs.app.parts import Parts, assembled
from musefs.app.service import App
from musefs.app.serving import _operations
from musefs.config import load
from musefs.indexing.scanning import ScanOptions
from musefs.kit.beside import beside
from musefs.model import Content
from musefs.mount.operations import Operations
from tests.content.shelves import settled, until
from tests.lab.mounting import write_config

R = TypeVar("R")

WHO: Any = None
"""Who asks, and where a listing goes: the kernel's own, which no handler looks into."""


@dataclass(frozen=True)
class Operated:
    """A library that is indexed and at rest, and the handlers that the kernel would call."""

    parts: Parts
    operations: Operations

    async def inode(self, path: str) -> int:
        """The inode of a path in the tree."""
        return (await self.parts.library.walk(path)).inode

    async def content(self, path: str) -> Content:
        """The content of a file in the tree."""
        return await self.parts.reading.whereabouts.content(await self.parts.library.walk(path))

    async def open(self, path: str) -> int:
        """Open a file; its handle."""
        info = await self.operations.open(await self.inode(path), os.O_RDONLY, WHO)
        return int(info.fh)

    async def read_whole(self, handle: int, size: int, step: int = 128 << 10) -> bytes:
        """All of an open file, in sequence, in requests as large as the kernel's."""
        parts = [await self.operations.read(handle, at, step) for at in range(0, size, step)]
        return b"".join(parts)

    async def settled(self) -> None:
        """Return once what was read is on the disk."""
        await settled(self.parts.reading.store)


@asynccontextmanager
async def operated(
    folder: Path, files: Mapping[str, bytes], cache: str = "on"
) -> AsyncIterator[Operated]:
    """Index these files, shown at their own paths. `cache` as in a configuration."""
    for name, data in files.items():
        path = folder / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    origin = {"id": "nas", "kind": "local", "path": str(folder / "music"), "watch": "off"}
    document = {
        "state": str(folder / "state"),
        "origins": [{**origin, "cache": cache}],
        "tree": {"template": "$path/$filename"},
    }
    config = load(write_config(folder / "musefs.yaml", document), {})
    failures: list[BaseException] = []
    async with assembled(config, "test") as parts:
        operations = _operations(parts, App(parts, "/mnt"))
        async with beside([parts.reading.store.run()], failures.append):
            await until(lambda: parts.reading.store._writer.loaded)
            await parts.followers["nas"].rescan(ScanOptions())
            await parts.refresher.catch_up()
            yield Operated(parts, operations)
    assert failures == []


def at_once(handler: Awaitable[R]) -> R:
    """What a handler answers; fails when it waits for anything."""
    steps: Generator[Any, None, R] = handler.__await__()
    try:
        waits_for = next(steps)
    except StopIteration as answered:
        answer: R = answered.value
        return answer
    with contextlib.suppress(pyfuse3.FUSEError):
        steps.throw(asyncio.CancelledError())
    raise AssertionError(f"it waits for {waits_for!r}")


@dataclass
class Spent:
    """What was started: tasks, calls of threads, statements of the catalogue."""

    tasks: int = 0
    thread_calls: int = 0
    statements: int = 0


@contextmanager
def spending(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Spent]:
    """Count within the context; the counts are right after it."""
    spent = Spent()
    loop = asyncio.get_running_loop()
    submit = ThreadPoolExecutor.submit
    statements = parts.database.statements

    def started(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        spent.tasks += 1
        return asyncio.Task(work, loop=loop, **options)

    def submitted(threads: ThreadPoolExecutor, /, *work: Any, **named: Any) -> Any:
        spent.thread_calls += 1
        return submit(threads, *work, **named)

    with monkeypatch.context() as patched:
        patched.setattr(ThreadPoolExecutor, "submit", submitted)
        loop.set_task_factory(started)
        try:
            yield spent
        finally:
            loop.set_task_factory(None)
            spent.statements = parts.database.statements - statements
