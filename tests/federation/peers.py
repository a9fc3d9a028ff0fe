"""An origin in memory that does as it is told, and a lookup for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Any

from musefs.federation.federation import Federation, ReplicaNews
from musefs.federation.member import Member
from musefs.federation.patience import Patience
from musefs.federation.replicas import Replica, Replicas
from musefs.model import ContentId
from origins.base import FileInfo, Version
from origins.errors import FileChanged, FileMissing, OriginUnavailable
from tests.fakes.source import content_of, truth

SONG = content_of(1, 10_000)
V1 = Version("1")


class ToldOrigin:
    """Holds SONG as `song` in version 1; `outcomes` come first, one for each call.

    An outcome is an error to raise, a number of seconds to take, or None to answer.
    """

    def __init__(self, name: str) -> None:
        self.id = name
        self.outcomes: deque[Exception | float | None] = deque()
        self.down = False
        self.version: Version | None = V1
        self.bytes = truth(SONG.id, SONG.size)
        self.read_bytes_max = 1 << 30
        self.calls: list[tuple[str, float]] = []
        self.callers: list[asyncio.Task[Any] | None] = []
        self.running = 0

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """Some of the bytes."""
        await self._happen("read")
        if self.version is None:
            raise FileMissing(f"{self.id}: {path} is gone")
        if version != self.version:
            raise FileChanged(f"{self.id}: {path} was replaced")
        return self.bytes[offset : offset + min(size, self.read_bytes_max)]

    async def check(self) -> None:
        """As well as a read."""
        await self._happen("check")

    async def list(self, below: str = "") -> AsyncIterator[FileInfo]:
        """The one file."""
        yield FileInfo("song", SONG.size, 0, V1)

    async def stat(self, path: str) -> FileInfo:
        """The one file."""
        return FileInfo(path, SONG.size, 0, V1)

    async def watch(self) -> AsyncIterator[frozenset[str]]:
        """No news."""
        yield frozenset()

    async def aclose(self) -> None:
        """Nothing to release."""

    async def _happen(self, what: str) -> None:
        self.calls.append((what, asyncio.get_running_loop().time()))
        self.callers.append(asyncio.current_task())
        self.running += 1
        try:
            outcome = self.outcomes.popleft() if self.outcomes else None
            if isinstance(outcome, Exception):
                raise outcome
            if outcome is not None:
                await asyncio.sleep(outcome)
            if self.down:
                raise OriginUnavailable(f"{self.id}: refused the connection; is it on?")
        finally:
            self.running -= 1


class Places:
    """Where SONG is."""

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self.found = list(replicas)
        self.queries = 0
        self.seconds = 0.0

    async def replicas(self, content_id: ContentId) -> Sequence[Replica]:
        """The same for every content."""
        self.queries += 1
        await asyncio.sleep(self.seconds)
        return list(self.found)


class Club:
    """A federation of told origins, by priority in the order of their names."""

    def __init__(
        self,
        *names: str,
        remote: bool = True,
        patience: Patience | None = None,
        kind: type[ToldOrigin] = ToldOrigin,
    ) -> None:
        self.origins = {name: kind(name) for name in names}
        self.places = Places([Replica(name, "song", V1) for name in names])
        self.replicas = Replicas(self.places)
        self.stale: list[tuple[str, str]] = []
        self.wrong: list[tuple[str, str]] = []
        members = {
            name: Member(origin, priority, remote)
            for priority, (name, origin) in enumerate(self.origins.items())
        }
        self.federation = Federation(
            members,
            self.replicas,
            patience or Patience(),
            ReplicaNews(
                lambda origin_id, path: self.stale.append((origin_id, path)),
                lambda origin_id, path: self.wrong.append((origin_id, path)),
            ),
        )

    def reads(self, name: str) -> list[float]:
        """When an origin was read."""
        return [time for what, time in self.origins[name].calls if what == "read"]

    async def read(self, offset: int = 0, size: int = SONG.size) -> bytes:
        """A read, compared with the truth."""
        data = bytes(await self.federation.read(SONG, offset, size))
        assert data == truth(SONG.id, SONG.size)[offset : offset + size]
        return data
