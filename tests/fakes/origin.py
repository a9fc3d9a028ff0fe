"""An origin in memory, and one that makes trouble by a rule; both pass for real ones in tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from origins.base import WHOLE_ORIGIN, FileInfo, Origin, Version
from origins.errors import FileChanged, FileMissing, OriginUnavailable


class FakeFiles:
    """Files in a dict, to put and to delete; whoever watches is told."""

    def __init__(self, files: dict[str, bytes] | None = None) -> None:
        self._files: dict[str, tuple[bytes, FileInfo]] = {}
        self._writes = 0
        self._told: set[asyncio.Queue[frozenset[str]]] = set()
        for path, data in (files or {}).items():
            self.put(path, data)

    def put(self, path: str, data: bytes) -> FileInfo:
        """Create or replace a file; what was there is another version."""
        self._writes += 1
        version = Version(f"{len(data)}-{self._writes}")
        info = FileInfo(path, len(data), time.time_ns(), version)
        self._files[path] = (data, info)
        self._tell(path)
        return info

    def delete(self, path: str) -> None:
        """Delete a file."""
        del self._files[path]
        self._tell(path)

    def tell_everything(self) -> None:
        """Tell watchers that anything may have changed."""
        self._tell(WHOLE_ORIGIN)

    def _tell(self, path: str) -> None:
        for queue in self._told:
            queue.put_nowait(frozenset({path}))


class FakeOrigin(FakeFiles):
    """An origin in memory."""

    def __init__(self, name: str = "fake", files: dict[str, bytes] | None = None) -> None:
        super().__init__(files)
        self._name = name
        self.reads: list[tuple[str, int, int]] = []
        """Path, offset and size of every read."""
        self.closed = False

    def __repr__(self) -> str:
        return f"<FakeOrigin {self._name} {len(self._files)} files>"

    @property
    def id(self) -> str:
        """Its name."""
        return self._name

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """See Origin.list."""
        await self._answering()
        prefix = below + "/" if below else ""
        found = [info for path, (_, info) in self._files.items() if path.startswith(prefix)]
        if below and not found:
            raise FileMissing(f"{self._name}: {below!r}: there is no such folder")
        for info in found:
            await asyncio.sleep(0)
            yield info

    async def stat(self, path: str) -> FileInfo:
        """See Origin.stat."""
        await self._answering()
        if path not in self._files:
            raise FileMissing(f"{self._name}: {path!r}: there is no such file")
        return self._files[path][1]

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """See Origin.read."""
        self.reads.append((path, offset, size))
        info = await self.stat(path)
        if info.version != version:
            raise FileChanged(f"{self._name}: {path!r}: has changed")
        return self._files[path][0][offset : offset + size]

    async def watch(self) -> AsyncGenerator[frozenset[str], None]:
        """See Origin.watch."""
        queue: asyncio.Queue[frozenset[str]] = asyncio.Queue()
        self._told.add(queue)
        try:
            yield frozenset()
            while True:
                yield await queue.get()
        finally:
            self._told.discard(queue)

    async def check(self) -> None:
        """See Origin.check."""
        await self._answering()

    async def aclose(self) -> None:
        """See Origin.aclose."""
        self.closed = True

    async def _answering(self) -> None:
        await asyncio.sleep(0)
        if self.closed:
            raise OriginUnavailable(f"{self._name}: is closed")


Rule = Callable[[str, str], Awaitable[None]]
"""Called with the operation's name and its path before it: raise, sleep, or return."""


class Troubled:
    """An origin with trouble before its operations: whatever the rule does."""

    def __init__(self, origin: Origin, rule: Rule) -> None:
        self._origin = origin
        self.rule = rule
        self.calls: list[str] = []

    @property
    def id(self) -> str:
        """The name of the origin within."""
        return self._origin.id

    async def list(self, below: str = "") -> AsyncGenerator[FileInfo, None]:
        """See Origin.list; the rule comes before the first file and before each, with its path."""
        await self._trouble("list", below)
        async for info in self._origin.list(below):
            await self._trouble("list item", info.path)
            yield info

    async def stat(self, path: str) -> FileInfo:
        """See Origin.stat."""
        await self._trouble("stat", path)
        return await self._origin.stat(path)

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """See Origin.read."""
        await self._trouble("read", path)
        return await self._origin.read(path, version, offset, size)

    async def watch(self) -> AsyncGenerator[frozenset[str], None]:
        """See Origin.watch."""
        await self._trouble("watch", "")
        async for batch in self._origin.watch():
            yield batch

    async def check(self) -> None:
        """See Origin.check."""
        await self._trouble("check", "")
        await self._origin.check()

    async def aclose(self) -> None:
        """See Origin.aclose."""
        await self._origin.aclose()

    async def _trouble(self, operation: str, path: str) -> None:
        self.calls.append(operation)
        await self.rule(operation, path)


def failing(error: Exception, *operations: str) -> Rule:
    """A rule that raises in the named operations, in all when none is named."""

    async def rule(operation: str, path: str) -> None:
        if not operations or operation in operations:
            raise error

    return rule


def delaying(delay_s: float, *operations: str) -> Rule:
    """A rule that sleeps before the named operations, before all when none is named."""

    async def rule(operation: str, path: str) -> None:
        if not operations or operation in operations:
            await asyncio.sleep(delay_s)

    return rule


def hanging(*operations: str) -> Rule:
    """A rule that never lets the named operations start, nor any when none is named."""

    async def rule(operation: str, path: str) -> None:
        if not operations or operation in operations:
            await asyncio.Event().wait()

    return rule


async def no_trouble(operation: str, path: str) -> None:
    """The rule that changes nothing."""
