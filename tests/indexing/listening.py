"""Origins that are scanned, and read through a real store and federation, as by a player."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from musefs.catalog.chunks import Chunks
from musefs.catalog.contents import Contents, StoredContent
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.federation.federation import Federation, ReplicaNews
from musefs.federation.member import Member
from musefs.federation.patience import Patience
from musefs.federation.replicas import Replicas
from musefs.indexing.deltas import Deltas
from musefs.indexing.examining import Examiner
from musefs.indexing.gathering import Gatherer
from musefs.indexing.inspection import EndSizes
from musefs.indexing.keeping import Keeping
from musefs.indexing.scanning import Progress, Scanner, ScanOptions
from musefs.indexing.selecting import Selection
from tests.catalog.records import opened
from tests.content.shelves import LIMITS, running, settled
from tests.fakes.origin import FakeOrigin

READ_BYTES = 4 << 20


class Listening:
    """Some origins, one catalogue, one chunk store."""

    def __init__(self, database: Database, chunk_files: ChunkFiles, origins: Sequence[str]) -> None:
        self.database = database
        self.files = Files(database)
        self.failed = 0
        self.origins = {name: FakeOrigin(name) for name in origins}
        self.replicas = Replicas(Contents(database))
        members = {name: Member(origin, 0, True) for name, origin in self.origins.items()}
        news = ReplicaNews(stale=lambda *_: None, wrong=lambda *_: None)
        below = Federation(members, self.replicas, Patience(retries_s=()), news)
        self.store = ChunkStore(below, chunk_files, Chunks(database), LIMITS)

    def examiner(self) -> Examiner:
        """One that compares with the store."""
        return Examiner(EndSizes(foresight=True), 8, Gatherer(), Deltas(self.store))

    async def scan(self, name: str = "nas", *, full: bool = False) -> int:
        """Scan an origin; how many bytes that cost. `failed`: how many files could not be read."""
        origin = self.origins[name]
        origin.reads.clear()
        scanner = Scanner(
            self.files,
            self.examiner(),
            Selection(("cover.*",)),
            self.replicas.forget_all,
            Keeping(self.store.keeping, Chunks(self.database)),
        )
        progress = Progress(name)
        await scanner.scan(origin, ScanOptions(full=full), progress)
        self.failed = progress.failed
        return sum(size for _, _, size in origin.reads)

    async def content(self, path: str, name: str = "nas") -> StoredContent:
        """What a file is in the catalogue."""
        held = await self.files.contents.held(name, [path])
        return held[path].content

    async def play(self, path: str, name: str = "nas") -> bytes:
        """Read the whole content of a file through the store."""
        content = (await self.content(path, name)).content()
        parts = []
        for offset in range(0, content.size, READ_BYTES):
            parts.append(bytes(await self.store.read(content, offset, READ_BYTES)))
            await settled(self.store)
        return b"".join(parts)


@asynccontextmanager
async def listening(folder: Path, *origins: str) -> AsyncIterator[Listening]:
    """Origins of these names, without files yet."""
    async with opened(folder / "catalogue.db") as database:
        chunk_files = ChunkFiles(folder / "chunks")
        found = Listening(database, chunk_files, origins)
        async with running(found.store):
            yield found
        await found.replicas.aclose()
        chunk_files.close()


def noise(seed: int, size: int) -> bytes:
    """Bytes that cannot be guessed, always the same."""
    return random.Random(seed).randbytes(size)


def overwritten(data: bytes, offset: int, new: bytes) -> bytes:
    """Bytes of the same length with others at an offset."""
    return data[:offset] + new + data[offset + len(new) :]
