"""A disk that is full or read-only: the bytes pass through, and one line says so."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_shelf import StoreLimits
from musefs.content.chunk_store import ChunkStore
from musefs.model import CHUNK_BYTES
from tests.content.shelves import LIMITS, chunk_paths, running, settled, until
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")

ALBUM = [content_of(number, 2 * CHUNK_BYTES) for number in range(20, 26)]


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


async def play(store: ChunkStore) -> None:
    for content in ALBUM:
        assert bytes(await store.read(content, 0, content.size)) == truth(content.id, content.size)
        await settled(store)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_full_disk_passes_through_with_one_warning(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = ChunkFiles(small_disk)
    limits = replace(LIMITS, retry_after_s=30)
    async with running(ChunkStore(CountingSource(), files, MemoryChunkIndex(), limits)) as store:
        await play(store)
        await play(store)
        assert store.stats().refused > 5
        assert store.stats().stored_bytes <= 1 << 20
    files.close()
    assert len(warnings(caplog)) == 1
    assert "No space left on device" in warnings(caplog)[0]


async def test_a_disk_with_room_again_is_used_again(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    foreign = small_disk / "foreign"
    foreign.write_bytes(bytes(1000 << 10))
    files = ChunkFiles(small_disk / "chunks")
    async with running(ChunkStore(CountingSource(), files, MemoryChunkIndex(), LIMITS)) as store:
        await store.read(ALBUM[0], 0, CHUNK_BYTES)
        await until(lambda: len(warnings(caplog)) == 1)
        foreign.unlink()

        for _ in range(100):
            await store.read(ALBUM[0], 0, CHUNK_BYTES)
            await settled(store)
            if store.stats().chunks:
                break
        assert store.stats().chunks == 1
    files.close()


async def test_the_disk_is_kept_below_its_mark_by_evicting(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = ChunkFiles(small_disk)
    limits = StoreLimits(batch_s=0.01, batch_rows_max=1)
    async with running(ChunkStore(CountingSource(), files, MemoryChunkIndex(), limits)) as store:
        await play(store)
        assert store.stats().evictions > 0
        assert store.stats().chunks >= 2
        assert (await files.space()).used_share < 0.9
    files.close()
    assert warnings(caplog) == []


async def test_nothing_is_written_to_a_disk_that_others_have_filled(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (small_disk / "foreign").write_bytes(bytes((1 << 20) - 4096))
    files = ChunkFiles(small_disk / "chunks")
    async with running(
        ChunkStore(CountingSource(), files, MemoryChunkIndex(), StoreLimits())
    ) as store:
        await until(lambda: len(warnings(caplog)) == 1)
        await play(store)
        assert store.stats().chunks == 0
    files.close()
    assert chunk_paths(small_disk / "chunks") == []
    assert len(warnings(caplog)) == 1


async def test_a_read_only_disk_is_read_and_nothing_else(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = ChunkFiles(small_disk)
    index, source = MemoryChunkIndex(), CountingSource()
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(ALBUM[0], 0, ALBUM[0].size)
    await asyncio.to_thread(mount, "-o", "remount,ro", str(small_disk))
    source.reads.clear()
    limits = replace(LIMITS, retry_after_s=30)
    async with running(ChunkStore(source, files, index, limits)) as store:
        await play(store)
        await play(store)
    files.close()
    assert {read[0] for read in source.reads} == {content.id for content in ALBUM[1:]}
    assert len(warnings(caplog)) == 1
    assert "Read-only file system" in warnings(caplog)[0]


async def test_a_broken_chunk_that_cannot_be_removed_is_never_served(
    small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = ChunkFiles(small_disk)
    index, source = MemoryChunkIndex(), CountingSource()
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(ALBUM[0], 0, ALBUM[0].size)
    for path in chunk_paths(small_disk):
        path.write_bytes(b"!" * CHUNK_BYTES)
    await asyncio.to_thread(mount, "-o", "remount,ro", str(small_disk))
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        for _ in range(16):  # one read in sixteen is verified
            await store.read(ALBUM[0], 0, 1)
        assert store.stats().corrupt == 1
        for _ in range(20):
            assert bytes(await store.read(ALBUM[0], 0, 1)) == truth(20, ALBUM[0].size)[:1]
            await settled(store)
    files.close()
    assert len(warnings(caplog)) == 2
