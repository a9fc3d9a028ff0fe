"""What chunk stores are built from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from musefs.content.chunk_files import ChunkFiles
from tests.content.streaming import Bench
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[ChunkFiles]:
    files = ChunkFiles(tmp_path)
    yield files
    files.close()


@pytest.fixture
def source() -> CountingSource:
    return CountingSource()


@pytest.fixture
def index() -> MemoryChunkIndex:
    return MemoryChunkIndex()


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.tasks.aclose()
    await bench.pool.aclose()
