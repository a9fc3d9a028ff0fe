"""Pinned chunks: they outlive all others and a restart, within a budget of their own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_ledger import ChunkLedger
from musefs.content.chunk_store import ChunkStore
from musefs.content.chunk_warming import REQUEST_BYTES_MAX, requests
from musefs.content.chunking import Chunk, chunks_of
from musefs.errors import ContentUnavailable
from musefs.model import CHUNK_BYTES, Content, ContentId
from tests.content.shelves import LIMITS, running, settled
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

SMALL = replace(LIMITS, disk_bytes_max=4 * CHUNK_BYTES)


def song(number: int, chunks: int = 3) -> Content:
    return content_of(number, chunks * CHUNK_BYTES)


async def warm(store: ChunkStore, content: Content) -> None:
    for start, end in requests(await store.warming.missing(content)):
        await store.warming.fetch(content, start, end)
    assert await store.warming.settled()


async def press(store: ChunkStore) -> None:
    """Read more than the disk may hold."""
    for number in range(100, 106):
        await store.read(song(number), 0, 3 * CHUNK_BYTES)
        await settled(store)


async def test_pinned_chunks_outlive_pressure_and_a_restart_and_are_released(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    one, two = song(1), song(2)
    index.pinned_contents = {one.id, two.id}
    async with running(ChunkStore(source, files, index, SMALL)) as store:
        await warm(store, one)
        for content in (one, two):
            await store.warming.pin(content.id)
        await warm(store, two)
        assert store.stats().pinned_bytes == 6 * CHUNK_BYTES
        await press(store)
        assert await store.warming.missing(one) == await store.warming.missing(two) == []
        assert store.stats().stored_bytes <= 10 * CHUNK_BYTES
    source.reads.clear()
    async with running(ChunkStore(source, files, index, SMALL)) as store:
        assert store.stats().pinned_bytes == 6 * CHUNK_BYTES
        assert bytes(await store.read(one, 0, one.size)) == truth(1, one.size)
        assert source.reads == []
        store.warming.release(one.id)
        await press(store)
        assert await store.warming.missing(two) == []
        assert len(await store.warming.missing(one)) == 3
        assert store.stats().stored_bytes <= 7 * CHUNK_BYTES


async def test_what_is_cleared_is_missing_and_pinned_again_when_it_comes_back(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    one = song(1)
    async with running(ChunkStore(source, files, index, SMALL)) as store:
        await store.warming.pin(one.id)
        await warm(store, one)
        assert await store.clear() == 3 * CHUNK_BYTES
        assert store.stats().pinned_bytes == store.stats().evictions == 0
        await warm(store, one)
        assert store.stats().pinned_bytes == 3 * CHUNK_BYTES


async def test_only_missing_chunks_are_fetched_in_requests_of_bounded_size(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    one = song(1, 11)
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(one, 5 * CHUNK_BYTES, 1)
        await settled(store)
        source.reads.clear()
        beginning = await store.warming.missing(one, [(10, CHUNK_BYTES + 1)])
        assert [chunk.index for chunk in beginning] == [0, 1]
        await warm(store, one)
        assert await store.warming.missing(one) == []
    sizes = [size // CHUNK_BYTES for _, _, size in source.reads]
    assert sizes == [4, 1, 4, 1]
    assert max(sizes) * CHUNK_BYTES <= REQUEST_BYTES_MAX


async def test_nothing_is_fetched_for_a_disk_that_takes_nothing(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    index.broken = True
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        with pytest.raises(ContentUnavailable, match="see the log"):
            await store.warming.fetch(song(1), 0, CHUNK_BYTES)
    assert source.reads == []


def test_requests_join_neighbours_only() -> None:
    chunks = list(chunks_of(song(1, 6), 0, 6 * CHUNK_BYTES))
    apart: list[Chunk] = [chunks[0], chunks[1], chunks[3]]
    assert requests(apart) == [(0, 2 * CHUNK_BYTES), (3 * CHUNK_BYTES, 4 * CHUNK_BYTES)]
    assert requests([]) == []


def test_a_shared_chunk_stays_pinned_until_nobody_holds_it() -> None:
    ledger, one, two, digest = ChunkLedger(), ContentId(1), ContentId(2), b"d" * 32
    ledger.add(digest, 10, kept=True)
    ledger.pinned.pin(digest, one)
    assert ledger.pinned.bytes == 0  # nobody has claimed it
    for content_id in (one, two):
        ledger.pinned.claim(content_id)
        ledger.pinned.pin(digest, content_id)
    assert (ledger.pinned.bytes, ledger.kept_bytes, ledger.stored_bytes) == (10, 0, 10)
    ledger.pinned.release(one)
    assert ledger.evict(10) == []
    ledger.pinned.release(two)
    assert (ledger.pinned.bytes, ledger.kept_bytes, ledger.stored_bytes) == (0, 10, 10)
    assert ledger.evict(10) == [digest]
    assert ledger.logical_bytes == 0


def test_a_pinned_chunk_that_is_lost_is_counted_once() -> None:
    ledger, one, digest = ChunkLedger(), ContentId(1), b"d" * 32
    ledger.pinned.claim(one)
    ledger.add(digest, 10)
    ledger.add(digest, 10)
    ledger.pinned.pin(digest, one)
    ledger.keep(digest)
    assert ledger.is_kept(digest)
    ledger.remove(digest)
    assert (ledger.pinned.bytes, ledger.stored_bytes, ledger.logical_bytes) == (0, 0, 0)
    ledger.add(digest, 10)
    assert ledger.evict(10) == [digest]
    ledger.pinned.release(one)
    assert len(ledger) == 0
