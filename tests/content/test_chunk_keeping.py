"""Kept chunks: they wait for the disk, outlive all others, and a restart."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from musefs.content import chunk_keeping
from musefs.content.chunk_files import ChunkFiles, DiskRefused
from musefs.content.chunk_store import ChunkStore
from musefs.content.fragments import Fragments
from musefs.model import CHUNK_BYTES, Content
from tests.content.shelves import LIMITS, chunk_paths, running, settled
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

HEAD = 40_000


def song(number: int, size: int = 3 * CHUNK_BYTES) -> Content:
    content = content_of(number, size, (1000, size))
    return replace(content, regions=(0, 1000, HEAD, size - 8000, size))


def known_of(content: Content) -> Fragments:
    known = Fragments()
    known.add(0, truth(content.id, content.size)[: HEAD + 500])
    known.add(content.size - 9000, truth(content.id, content.size)[-9000:])
    return known


def spans_of(content: Content) -> list[tuple[int, int]]:
    return [(0, HEAD), (content.size - 8000, content.size)]


async def keep(store: ChunkStore, content: Content) -> bool:
    return await store.keeping.keep(content, known_of(content), spans_of(content))


async def test_what_is_kept_is_read_without_the_source_before_and_after_a_restart(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    one = song(1)
    for _ in range(2):
        async with running(ChunkStore(source, files, index, LIMITS)) as store:
            if not index.rows:
                assert await keep(store, one)
                assert await store.keeping.settled()
            for start, end in spans_of(one):
                data = await store.read(one, start, end - start)
                assert bytes(data) == truth(1, one.size)[start:end]
            assert await store.has(one, 0)
            assert not await store.has(one, HEAD)
            assert store.stats().kept_bytes == HEAD + 8000
    assert source.reads == []
    assert len(index.kept) == 3


async def test_only_chunks_that_are_known_as_a_whole_are_kept(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    # The regions of an older catalogue: none but the first is known to its end.
    old = content_of(1, 3 * CHUNK_BYTES, (1000, 3 * CHUNK_BYTES))
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        assert await store.keeping.keep(old, known_of(old), spans_of(old))
        assert await store.keeping.settled()
        assert list(index.rows) == [(1, 0)]


async def test_reading_evicts_other_chunks_and_not_these(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, disk_bytes_max=4 * CHUNK_BYTES)
    one, large = song(1), content_of(2, 20 * CHUNK_BYTES)
    async with running(ChunkStore(source, files, index, limits)) as store:
        await keep(store, one)
        for offset in range(0, large.size, CHUNK_BYTES):
            await store.read(large, offset, 10)
            await settled(store)
        assert store.stats().evictions > 10
        assert store.stats().stored_bytes <= limits.disk_bytes_max
        source.reads.clear()
        for start, end in spans_of(one):
            await store.read(one, start, end - start)
    assert source.reads == []


async def test_more_than_their_share_is_stored_like_any_other(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    caplog: pytest.LogCaptureFixture,
) -> None:
    limits = replace(LIMITS, disk_bytes_max=200_000, kept_share_max=0.5)
    async with running(ChunkStore(source, files, index, limits)) as store:
        for number in range(1, 6):
            assert await keep(store, song(number))
        assert await store.keeping.settled()
        assert 0 < store.stats().kept_bytes <= 100_000
        assert not await store.keeping.has_room()
    assert len([r for r in caplog.records if "raise cache.disk" in r.message]) == 1


async def test_chunks_wait_for_room_in_the_queue_and_leave_some_to_readers(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, queue_bytes_max=4 * HEAD)
    highest = 0
    async with running(ChunkStore(source, files, index, limits)) as store:
        for number in range(1, 30):
            assert await keep(store, song(number))
            highest = max(highest, store.stats().queued_bytes)
        assert await store.keeping.settled()
        assert store.stats().refused == 0
    assert highest <= 2 * HEAD
    assert len(index.rows) == 3 * 29


async def hanging(*_: object) -> None:
    await asyncio.Event().wait()


async def test_a_disk_that_hangs_is_waited_for_once_and_then_left_alone(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, queue_bytes_max=HEAD, retry_after_s=60, flush_s=0.01)
    with (
        mock.patch.object(chunk_keeping, "KEEP_WAIT_S", 0.05),
        mock.patch.object(ChunkFiles, "write", hanging),
    ):
        async with running(ChunkStore(source, files, index, limits)) as store:
            begin = asyncio.get_running_loop().time()
            kept = [await keep(store, song(number)) for number in range(1, 20)]
            assert asyncio.get_running_loop().time() - begin < 1
            assert not any(kept)
            assert not await store.keeping.settled()


async def test_a_disk_that_refuses_is_no_error(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, retry_after_s=60)
    with mock.patch.object(ChunkFiles, "write", side_effect=DiskRefused("broken")):
        async with running(ChunkStore(source, files, index, limits)) as store:
            await keep(store, song(1))
            await store.keeping.settled()
            assert not await keep(store, song(2))
    assert index.rows == {}


async def test_a_chunk_that_waits_as_a_readers_is_kept_all_the_same(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    one = song(1)
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(one, 0, 10)
        assert await keep(store, one)
        assert await store.keeping.settled()
        assert store.stats().kept_bytes == HEAD + 8000
        assert store.stats().queued_bytes == 0


async def test_clearing_removes_them_too_and_is_counted(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await keep(store, song(1))
        await store.keeping.settled()
        assert await store.clear() == HEAD + 8000
        assert store.keeping.clearings == 1
        assert store.stats().kept_bytes == 0
    assert chunk_paths(tmp_path) == []
    assert (index.rows, index.kept) == ({}, set())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")
async def test_a_full_disk_keeps_nothing_and_says_so_once(
    source: CountingSource, small_disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = ChunkFiles(small_disk)
    limits = replace(LIMITS, retry_after_s=60, kept_spare_bytes_min=0)
    async with running(ChunkStore(source, files, MemoryChunkIndex(), limits)) as store:
        for number in range(1, 20):
            await keep(store, song(number))
            await store.keeping.settled()
        assert 0 < store.stats().stored_bytes <= 256 << 10
    files.close()
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a tmpfs needs root")
async def test_a_disk_with_little_room_is_left_to_the_catalogue(
    source: CountingSource, small_disk: Path
) -> None:
    files = ChunkFiles(small_disk)
    async with running(ChunkStore(source, files, MemoryChunkIndex(), LIMITS)) as store:
        assert not await keep(store, song(1))
        assert not await store.keeping.has_room()
        await store.read(song(2), 0, 10)
        await settled(store)
        assert (store.stats().chunks, store.stats().kept_bytes) == (1, 0)
    files.close()
