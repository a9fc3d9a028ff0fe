"""The chunk store: it remembers, it shares, and it keeps its limits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.content.chunking import chunks_of
from musefs.model import CHUNK_BYTES
from tests.content.shelves import LIMITS, chunk_paths, running, settled, until
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

SONG = content_of(1, 4 * CHUNK_BYTES + 1000, (5000, 4 * CHUNK_BYTES))
WHOLE = truth(1, SONG.size)


async def test_what_was_read_once_is_read_from_the_disk(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        assert bytes(await store.read(SONG, 6000, 100)) == WHOLE[6000:6100]
        assert source.reads == [(1, 5000, CHUNK_BYTES)]
        await settled(store)
        source.reads.clear()

        for offset in (5000, 7000, 5000 + CHUNK_BYTES - 50):
            assert bytes(await store.read(SONG, offset, 50)) == WHOLE[offset : offset + 50]
        assert source.reads == []
        assert index.queries == 1
        stats = store.stats()
        assert (stats.hits, stats.misses, stats.chunks) == (3, 1, 1)


async def test_a_chunk_is_served_before_it_is_on_the_disk(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    store = ChunkStore(source, files, index, LIMITS)
    await store.read(SONG, 0, 10)
    await store.read(SONG, 20, 10)
    assert len(source.reads) == 1
    assert await store.cached_share(SONG) == 5000 / SONG.size


async def test_missing_neighbours_are_fetched_in_one_request(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        middle = list(chunks_of(SONG, 0, SONG.size))[2]
        await store.read(SONG, middle.start, 1)
        source.reads.clear()

        assert bytes(await store.read(SONG, 100, SONG.size)) == WHOLE[100:]
        assert source.reads == [
            (1, 0, middle.start),
            (1, middle.end, SONG.size - middle.end),
        ]


async def test_one_request_is_never_larger_than_its_bound(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    large = content_of(2, 10 << 20)
    store = ChunkStore(source, files, index, LIMITS)
    assert bytes(await store.read(large, 0, large.size)) == truth(2, large.size)
    assert max(size for _, _, size in source.reads) == 4 << 20


async def test_rows_are_recorded_in_batches(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, batch_rows_max=4, batch_s=0.05)
    many = content_of(2, 10 * CHUNK_BYTES)
    async with running(ChunkStore(source, files, index, limits)) as store:
        await store.read(many, 0, many.size)
        await until(lambda: len(index.rows) == 10)
    assert index.batches == [4, 4, 2]


async def test_the_same_bytes_of_two_contents_are_stored_once(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    source.overrides[2] = b"other head" + WHOLE[5000:]
    twin = content_of(2, SONG.size - 4990, (10, SONG.audio_end - 4990))
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
        assert bytes(await store.read(twin, 0, twin.size)) == source.overrides[2]
        await settled(store)
        stats = store.stats()

    assert stats.logical_bytes == SONG.size + twin.size
    assert stats.stored_bytes == SONG.size + 10
    assert stats.saved_bytes == twin.size - 10
    assert sum(path.stat().st_size for path in chunk_paths(tmp_path)) == stats.stored_bytes


async def test_a_restart_finds_what_was_stored(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
    source.reads.clear()
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        assert await store.cached_share(SONG) == 1.0
        await until(lambda: store.stats().stored_bytes == SONG.size)
    assert source.reads == []


async def test_stopping_writes_what_is_queued(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
        assert index.rows == {}
    assert len(index.rows) == 6
    assert store.stats().queued_bytes == 0


@pytest.mark.parametrize("batch_s", [0.01, 60.0])
async def test_the_disk_limit_holds_and_the_bytes_stay_right(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    tmp_path: Path,
    batch_s: float,
) -> None:
    limits = replace(LIMITS, disk_bytes_max=5 * CHUNK_BYTES, batch_s=batch_s)
    async with running(ChunkStore(source, files, index, limits)) as store:
        for number in range(10, 16):
            content = content_of(number, 3 * CHUNK_BYTES)
            assert bytes(await store.read(content, 0, content.size)) == truth(number, content.size)
            await settled(store)
            stored = sum(path.stat().st_size for path in chunk_paths(tmp_path))
            assert stored == store.stats().stored_bytes <= limits.disk_bytes_max
        assert store.stats().evictions == 18 - store.stats().chunks
    assert {digest for digest, _ in index.rows.values()} == {
        bytes.fromhex(path.parent.name + path.name) for path in chunk_paths(tmp_path)
    }


async def test_a_chunk_beyond_the_queue_is_not_kept_and_not_missed(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, queue_bytes_max=2 * CHUNK_BYTES)
    async with running(ChunkStore(source, files, index, limits)) as store:
        large = content_of(2, 8 * CHUNK_BYTES)
        assert bytes(await store.read(large, 0, large.size)) == truth(2, large.size)
        assert store.stats().queued_bytes <= limits.queue_bytes_max
        assert store.stats().refused == 6
        await settled(store)
        assert bytes(await store.read(large, 0, large.size)) == truth(2, large.size)


async def test_clearing_empties_disk_and_index(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
        await settled(store)
        assert repr(store) == "<ChunkStore 6 chunks, 1 MB of 10240>"
        assert await store.clear() == SONG.size
        assert chunk_paths(tmp_path) == []
        assert index.rows == {}
        assert await store.cached_share(SONG) == 0
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE


async def test_a_content_that_is_not_cached_passes_through(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    content = content_of(3, 1000, cacheable=False)
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        assert bytes(await store.read(content, 10, 20)) == truth(3, 1000)[10:30]
        assert source.reads == [(3, 10, 20)]
        assert store.stats().queued_bytes == 0
    assert chunk_paths(tmp_path) == []


async def test_an_empty_content_reads_as_nothing_and_is_wholly_cached(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    store = ChunkStore(source, files, index, LIMITS)
    empty = content_of(4, 0)
    assert await store.read(empty, 0, 10) == b""
    assert await store.cached_share(empty) == 1.0


async def test_the_memory_for_digests_is_bounded(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    limits = replace(LIMITS, digests_max=4)
    async with running(ChunkStore(source, files, index, limits)) as store:
        contents = [content_of(number, 2 * CHUNK_BYTES) for number in (1, 2, 3)]
        for content in contents:
            await store.read(content, 0, content.size)
        await settled(store)
        store._maps.clear()
        index.queries = 0
        for content in (*contents, contents[2], contents[0]):
            await store.read(content, 0, content.size)
    assert index.queries == 4
