"""The chunk store when things break: kills, a rotting disk, a broken index. It is never wrong."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path

import pytest

from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.errors import ContentUnavailable
from musefs.model import CHUNK_BYTES
from tests.content.shelves import LIMITS, chunk_paths, running, settled, until
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

SONG = content_of(1, 4 * CHUNK_BYTES + 1000, (5000, 4 * CHUNK_BYTES))
WHOLE = truth(1, SONG.size)


async def test_a_killed_store_leaves_nothing_wrong_behind(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    slow = replace(LIMITS, batch_s=60.0)
    async with running(ChunkStore(source, files, index, slow)) as store:
        await store.read(SONG, 0, SONG.size)
        await until(lambda: len(chunk_paths(tmp_path)) == 6)
        assert index.rows == {}
        index.broken = True  # the rows that wait are lost, as by a kill
    index.broken = False
    assert index.rows == {}

    async with running(ChunkStore(source, files, index, LIMITS, unclean=True)) as store:
        await until(lambda: chunk_paths(tmp_path) == [])
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        await settled(store)
        assert store.stats().stored_bytes == SONG.size


@pytest.mark.parametrize("damage", ["flipped", "truncated", "emptied", "removed"])
async def test_after_an_unclean_start_no_broken_chunk_is_served(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    tmp_path: Path,
    damage: str,
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
    for path in chunk_paths(tmp_path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        if damage == "removed":
            path.unlink()
        else:
            kept = {"flipped": len(data), "truncated": len(data) - 1, "emptied": 0}[damage]
            path.write_bytes(data[:kept])

    async with running(ChunkStore(source, files, index, LIMITS, unclean=True)) as store:
        source.reads.clear()
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        assert source.reads == [(1, 0, SONG.size)]
        assert store.stats().corrupt == (0 if damage == "removed" else 6)
        await settled(store)
        source.reads.clear()
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        assert source.reads == []
        assert store.stats().stored_bytes == SONG.size
    assert len(index.rows) == 6


async def test_a_disk_that_rots_is_found_by_sampling(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, 10)
        await settled(store)
        (path,) = chunk_paths(tmp_path)
        path.write_bytes(b"!" * 5000)
        for _ in range(16):
            await store.read(SONG, 0, 10)
        assert store.stats().corrupt == 1
        assert bytes(await store.read(SONG, 0, 10)) == WHOLE[:10]


async def test_broken_chunks_are_told_once_not_one_by_one(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
    for path in chunk_paths(tmp_path):
        path.write_bytes(b"")
    async with running(ChunkStore(source, files, index, LIMITS, unclean=True)) as store:
        with caplog.at_level(logging.WARNING):
            await store.read(SONG, 0, SONG.size)
            await settled(store)
    assert len(caplog.records) == 1


async def test_a_broken_index_is_only_a_slower_store(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    caplog: pytest.LogCaptureFixture,
) -> None:
    index.broken = True
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        for _ in range(5):
            assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warnings) == 2

        index.broken = False
        await until(lambda: store._writer.loaded)
        await asyncio.sleep(0.1)
        await store.read(SONG, 0, SONG.size)
        await until(lambda: len(index.rows) == 6)


async def test_errors_from_below_pass_and_are_not_remembered(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        source.failures.append(ContentUnavailable("down"))
        with pytest.raises(ContentUnavailable, match="down"):
            await store.read(SONG, 0, 10)
        assert bytes(await store.read(SONG, 0, 10)) == WHOLE[:10]


async def test_too_few_bytes_from_below_are_neither_served_nor_stored(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    source.overrides[1] = WHOLE[:100]
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        with pytest.raises(ContentUnavailable, match="100 bytes instead of 5000"):
            await store.read(SONG, 0, 10)
        assert store.stats().queued_bytes == 0


async def test_stopping_does_not_wait_for_an_index_that_hangs(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, flush_s=0.05)
    index.hangs = True
    async with running(ChunkStore(source, files, index, limits)) as store:
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        stopped_at = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - stopped_at < 1
    assert index.rows == {}


async def test_an_index_that_cannot_forget_costs_nothing_but_space_in_it(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
        await settled(store)
        index.broken = True
        await store.clear()
        assert chunk_paths(tmp_path) == []
        index.broken = False
        assert len(index.rows) == 6
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE


async def test_a_chunk_that_the_disk_does_not_give_is_fetched(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, 10)
        await settled(store)
        (path,) = chunk_paths(tmp_path)
        path.unlink()
        path.mkdir()
        for _ in range(3):
            assert bytes(await store.read(SONG, 0, 10)) == WHOLE[:10]
        await settled(store)
    assert len([line for line in caplog.messages if "cannot be read" in line]) == 1
