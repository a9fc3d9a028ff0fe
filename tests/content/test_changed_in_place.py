"""Origins whose files have other bytes than were stored, though they look the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from musefs.content.chunk_files import ChunkFiles, digest_of
from musefs.content.chunk_store import ChunkStore
from musefs.content.chunking import chunks_of
from musefs.content.digest_check import DigestCheck
from musefs.errors import ContentChanged
from musefs.model import CHUNK_BYTES
from tests.content.shelves import LIMITS, chunk_paths, running, settled
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth
from tests.federation.peers import SONG, Club

RIGHT = truth(SONG.id, SONG.size)
OTHER = bytes(SONG.size)
LONG = content_of(2, 3 * CHUNK_BYTES)


async def stored(store: ChunkStore) -> None:
    """Have the song on the disk."""
    assert bytes(await store.read(SONG, 0, SONG.size)) == RIGHT
    await settled(store)


def lose(root: Path, numbers: Sequence[int] | None = None) -> None:
    for number, path in enumerate(sorted(chunk_paths(root))):
        if numbers is None or number in numbers:
            path.unlink()


async def test_bytes_whose_digest_is_known_come_from_the_origin_that_has_them(
    files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    club = Club("nas", "box")
    async with running(ChunkStore(club.federation, files, index, LIMITS)) as store:
        await stored(store)
        lose(tmp_path)
        club.origins["nas"].bytes = OTHER
        assert bytes(await store.read(SONG, 100, 50)) == RIGHT[100:150]
        assert club.wrong == [("nas", "song")]
        assert club.stale == []
        await settled(store)
        assert bytes(await store.read(SONG, 0, SONG.size)) == RIGHT
        assert len(club.reads("box")) == 1


async def test_a_content_that_nobody_has_any_more_is_never_read_from_what_they_have(
    files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    club = Club("nas", "box")
    async with running(ChunkStore(club.federation, files, index, LIMITS)) as store:
        await stored(store)
        lose(tmp_path)
        for origin in club.origins.values():
            origin.bytes = OTHER
        for _ in range(3):  # the first answer may be one that no reader sees
            with pytest.raises(ContentChanged):
                await store.read(SONG, 0, 10)
            await settled(store)
        assert sorted(club.wrong) == [("box", "song"), ("nas", "song")]
        assert await store.digests(SONG.id) == {0: digest_of(RIGHT)}
        club.origins["box"].bytes = RIGHT
        assert bytes(await store.read(SONG, 0, SONG.size)) == RIGHT


async def test_old_and_new_bytes_are_not_mixed(
    source: CountingSource, files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    async with running(ChunkStore(source, files, index, LIMITS)) as store:
        await store.read(LONG, 0, LONG.size)
        await settled(store)
        lose(tmp_path, [1])
        source.overrides[LONG.id] = bytes(LONG.size)
        for _ in range(2):
            with pytest.raises(ContentChanged):
                await store.read(LONG, 0, LONG.size)
        first = await store.read(LONG, 0, CHUNK_BYTES)
        assert bytes(first) == truth(LONG.id, LONG.size)[:CHUNK_BYTES]


async def test_a_content_that_is_gone_keeps_its_digests(
    files: ChunkFiles, index: MemoryChunkIndex, tmp_path: Path
) -> None:
    club = Club("nas")
    async with running(ChunkStore(club.federation, files, index, LIMITS)) as store:
        await stored(store)
        lose(tmp_path)
        club.places.found = []  # gone for good, and no wrong bytes were seen
        club.replicas.forget_all()
        with pytest.raises(ContentChanged):
            await store.read(SONG, 0, 10)
        await settled(store)
        club.places.found = Club("nas").places.found
        club.origins["nas"].bytes = OTHER
        with pytest.raises(ContentChanged):  # what its digest was is still known
            await store.read(SONG, 0, 10)


def test_only_chunks_whose_digest_is_known_are_compared() -> None:
    chunks = list(chunks_of(LONG, 0, LONG.size))
    data = truth(2, LONG.size)
    assert not DigestCheck(chunks, {}).is_possible
    assert not DigestCheck(chunks[1:], {0: digest_of(data[:CHUNK_BYTES])}).is_possible
    middle = {1: digest_of(data[CHUNK_BYTES : 2 * CHUNK_BYTES])}
    check = DigestCheck(chunks[1:], middle)
    assert check.accepts(data[CHUNK_BYTES:])
    assert check.accepts(data[CHUNK_BYTES : 2 * CHUNK_BYTES] + bytes(CHUNK_BYTES))
    assert not check.accepts(data[CHUNK_BYTES : 2 * CHUNK_BYTES - 1])
    assert not check.accepts(bytes(2 * CHUNK_BYTES))
