"""Looking through the disk cache: what is wrong is mended or dropped, and never served."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from musefs.content import scrubbing
from musefs.content.chunk_files import ChunkFiles, DiskRefused
from musefs.content.chunk_store import ChunkStore
from musefs.content.scrubbing import Scrubber
from musefs.errors import ContentUnavailable, NoSuchEntry
from musefs.model import CHUNK_BYTES, Content, ContentId
from musefs.status import VerifyProgress
from tests.content.shelves import LIMITS, chunk_paths, running, settled, until
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

SONG = content_of(1, 4 * CHUNK_BYTES + 1000, (5000, 4 * CHUNK_BYTES))
TWIN = replace(SONG, id=ContentId(2))
WHOLE = truth(1, SONG.size)
CHUNKS = 6


async def known(content_id: ContentId) -> Content:
    return {1: SONG, 2: TWIN}[content_id]


@pytest.fixture
async def filled(source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex) -> None:
    """Two contents with equal bytes, stored."""
    source.overrides[2] = WHOLE
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        for content in (SONG, TWIN):
            await store.read(content, 0, content.size)
    assert len(index.rows) == 2 * CHUNKS
    source.reads.clear()


async def verified(
    store: ChunkStore, content_of: Callable[[ContentId], Awaitable[Content]] = known
) -> VerifyProgress:
    progress = VerifyProgress()
    await Scrubber(store.repair, content_of, 0).verify(progress)
    return progress


def damage(path: Path, kind: str) -> None:
    data = path.read_bytes()
    if kind == "removed":
        path.unlink()
    elif kind == "a folder":
        path.unlink()
        path.mkdir()
    else:
        wrong = {"flipped": b"!" + data[1:], "cut": data[:-1], "longer": data + b"!"}[kind]
        path.write_bytes(wrong)


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("kind", ["flipped", "cut", "longer", "removed"])
async def test_wrong_chunks_are_fetched_again_and_stay_everybodys(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path, kind: str
) -> None:
    rows = dict(index.rows)
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        for path in chunk_paths(tmp_path)[:2]:
            damage(path, kind)
        assert await verified(store) == VerifyProgress(CHUNKS, CHUNKS, 2, 2, 0, done=True)
        assert store.stats().repaired == 2
        assert len(source.reads) == 2
        source.reads.clear()
        for content in (SONG, TWIN):
            assert bytes(await store.read(content, 0, SONG.size)) == WHOLE
        assert source.reads == []
        assert await verified(store) == VerifyProgress(CHUNKS, CHUNKS, done=True)
    assert index.rows == rows


@pytest.mark.usefixtures("filled")
async def test_what_no_origin_gives_is_dropped_and_fetched_when_it_is_read(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        wrong = chunk_paths(tmp_path)[0]
        damage(wrong, "flipped")
        source.failures.extend([ContentUnavailable("down")] * 2)
        assert await verified(store) == VerifyProgress(CHUNKS, CHUNKS, 1, 0, 1, done=True)
        assert not wrong.exists()
        assert len(index.rows) == 2 * (CHUNKS - 1)
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE
        await settled(store)
        assert wrong.exists()
        assert store.stats().repaired == 1


@pytest.mark.usefixtures("filled")
async def test_other_bytes_than_those_that_were_stored_are_not_put_in_their_place(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    source.overrides = {1: bytes(SONG.size), 2: bytes(SONG.size)}
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        damage(chunk_paths(tmp_path)[0], "flipped")
        assert (await verified(store)).lost == 1
        assert len(chunk_paths(tmp_path)) == CHUNKS - 1


@pytest.mark.usefixtures("filled")
async def test_the_next_content_is_asked_when_one_is_gone(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async def twin_alone(content_id: ContentId) -> Content:
        if content_id == SONG.id:
            raise NoSuchEntry("it is gone")
        return await known(content_id)

    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        damage(chunk_paths(tmp_path)[0], "flipped")
        assert (await verified(store, twin_alone)).repaired == 1
    assert [read[0] for read in source.reads] == [TWIN.id]


@pytest.mark.usefixtures("filled")
async def test_a_wrong_chunk_is_not_served_while_it_is_being_fetched(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        for path in chunk_paths(tmp_path):
            damage(path, "flipped")
        source.gate = asyncio.Event()
        verifying = asyncio.create_task(verified(store))
        await until(lambda: source.running == 1)
        [(_, offset, size)] = source.reads
        reading = asyncio.create_task(store.read(SONG, offset, size))
        await until(lambda: source.running == 2)
        source.gate.set()
        assert bytes(await reading) == WHOLE[offset : offset + size]
        assert (await verifying).repaired == CHUNKS
        assert await verified(store) == VerifyProgress(CHUNKS, CHUNKS, done=True)


@pytest.mark.usefixtures("filled")
async def test_a_repair_that_is_broken_off_leaves_no_wrong_chunk(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        wrong = chunk_paths(tmp_path)[0]
        damage(wrong, "flipped")
        source.gate = asyncio.Event()
        verifying = asyncio.create_task(verified(store))
        await until(lambda: source.running == 1)
        verifying.cancel()
        await asyncio.wait([verifying])
        await until(lambda: not wrong.exists())
        source.gate.set()
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE


@pytest.mark.usefixtures("filled")
async def test_a_disk_that_takes_nothing_ends_the_round(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        for path in chunk_paths(tmp_path):
            damage(path, "a folder")
        with pytest.raises(DiskRefused):
            await verified(store)
        assert len(source.reads) == 1
        assert bytes(await store.read(SONG, 0, SONG.size)) == WHOLE


@pytest.mark.usefixtures("filled")
async def test_chunks_that_were_looked_at_need_no_second_look_after_an_unclean_end(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS, unclean=True)) as store:
        await verified(store)
        assert all(
            store._verification.vouches_for(digest) for digest, _ in set(index.rows.values())
        )


@pytest.mark.usefixtures("filled")
async def test_a_chunk_that_is_cleared_meanwhile_is_not_wrong(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        stored = list(dict(index.rows.values()).items())
        before = store.stats()
        assert await store.clear() == before.stored_bytes
        assert store.stats().evictions == before.evictions
        for digest, size in stored:
            assert not await store.repair.is_wrong(digest, size)
    assert source.reads == []


@pytest.mark.usefixtures("filled")
async def test_the_scrub_keeps_to_its_rate_and_comes_back(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scrubbing, "FIRST_ROUND_AFTER_S", 0.01)
    monkeypatch.setattr(scrubbing, "ROUND_EVERY_S", 0.5)
    loop = asyncio.get_running_loop()
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        damage(chunk_paths(tmp_path)[0], "flipped")
        # A bucket begins with a second's worth: of some 1 MiB the first 0.9 pass at once.
        scrubber = Scrubber(store.repair, known, int(0.9 * SONG.size))
        begun = loop.time()
        task = asyncio.create_task(scrubber.run())
        with caplog.at_level(logging.WARNING):
            await until(lambda: scrubber.checked == CHUNKS)
            await until(lambda: store.stats().repaired == 1)
            await until(lambda: scrubber.checked == 2 * CHUNKS)
        assert loop.time() - begun >= 0.5
        task.cancel()
        await asyncio.wait([task])
    assert [line for line in caplog.messages if "1 wrong chunks of 6: 1 were fetched" in line]


@pytest.mark.usefixtures("filled")
async def test_a_round_that_fails_is_told_and_ends_nothing(
    source: CountingSource,
    files: ChunkFiles,
    index: MemoryChunkIndex,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(scrubbing, "FIRST_ROUND_AFTER_S", 0.0)
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        index.broken = True
        scrubber = Scrubber(store.repair, known, 1 << 20)
        task = asyncio.create_task(scrubber.run())
        await until(lambda: "not looked through to the end" in caplog.text)
        assert not task.done()
        task.cancel()
        await asyncio.wait([task])
        index.broken = False


async def test_without_a_rate_there_is_no_scrub(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex
) -> None:
    store = ChunkStore(source, files, index, LIMITS)
    await Scrubber(store.repair, known, 0).run()
