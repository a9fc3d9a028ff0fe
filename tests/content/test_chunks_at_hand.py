"""The chunk store's synchronous door: right bytes or none, checked as often as at the other one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from musefs.content.block_pool import BlockPool
from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.content.verification import SAMPLED_EVERY, Verification
from musefs.model import CHUNK_BYTES, Buffer
from tests.content.shelves import LIMITS, chunk_paths, running, settled
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth

SONG = content_of(1, 2 << 20, (9000, (2 << 20) - 128))
WHOLE = truth(SONG.id, SONG.size)
PART = 128 << 10


class Shelf:
    """A store that has all of SONG, and the source below it."""

    def __init__(self, store: ChunkStore, source: CountingSource, root: Path) -> None:
        self.store = store
        self.source = source
        self.root = root

    def peek(self, offset: int, size: int, *, is_keepable: bool = False) -> Buffer | None:
        return self.store.at_hand.peek(SONG, offset, size, is_keepable=is_keepable)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    files, source = ChunkFiles(tmp_path), CountingSource()
    async with running(ChunkStore(source, files, MemoryChunkIndex(), LIMITS)) as store:
        await store.read(SONG, 0, SONG.size)
        await settled(store)
        source.reads.clear()
        yield Shelf(store, source, tmp_path)
    files.close()


async def test_every_part_is_right_within_a_chunk_and_over_several(shelf: Shelf) -> None:
    given = asked = 0
    for offset in range(0, SONG.size, 50_000):
        for size in (1, 4096, PART, CHUNK_BYTES + PART):
            data = shelf.peek(offset, size)
            asked += 1
            if data is None:  # it has to be verified, which the other door does
                assert (
                    bytes(await shelf.store.read(SONG, offset, size))
                    == WHOLE[offset : offset + size]
                )
            else:
                assert bytes(data) == WHOLE[offset : offset + size]
                given += 1
    assert given >= asked * (1 - 2 / SAMPLED_EVERY)
    assert shelf.source.reads == []
    assert shelf.peek(SONG.size, 10) == b""


async def test_what_is_not_stored_or_not_known_is_none(shelf: Shelf) -> None:
    other = content_of(2, 1 << 20)
    assert shelf.store.at_hand.peek(other, 0, 10, is_keepable=False) is None
    await shelf.store.digests(other.id)
    assert shelf.store.at_hand.peek(other, 0, 10, is_keepable=False) is None
    for path in chunk_paths(shelf.root):
        path.unlink()
    assert shelf.peek(0, 10) is None


async def test_a_chunk_in_so_many_is_left_to_be_verified(shelf: Shelf) -> None:
    offset = 9000 + CHUNK_BYTES  # where a chunk begins
    answers = [shelf.peek(offset, 10) for _ in range(SAMPLED_EVERY)]
    due = answers.index(None)
    # It stays left to the other door until that has verified it.
    assert answers[due:] == [None] * (SAMPLED_EVERY - due)
    assert shelf.peek(offset, 10) is None
    assert bytes(await shelf.store.read(SONG, offset, 10)) == WHOLE[offset : offset + 10]
    assert shelf.peek(offset, 10) is not None


async def test_wrong_bytes_are_found_by_then_and_fetched_again(shelf: Shelf) -> None:
    offset = 9000 + CHUNK_BYTES
    for path in chunk_paths(shelf.root):
        path.write_bytes(os.urandom(path.stat().st_size))
    for _ in range(3 * SAMPLED_EVERY):
        if shelf.peek(offset, 10) is None:
            break
    assert bytes(await shelf.store.read(SONG, offset, 10)) == WHOLE[offset : offset + 10]
    assert shelf.source.reads


def test_after_an_unclean_start_nothing_is_waived_until_it_has_passed() -> None:
    verification = Verification(unclean=True)
    assert not any(verification.waives(b"digest", is_first=True) for _ in range(5))
    verification.passed(b"digest")
    assert verification.waives(b"digest", is_first=False)


def test_only_first_parts_count_as_reads() -> None:
    verification = Verification(unclean=False)
    assert all(verification.waives(b"digest", is_first=False) for _ in range(100))
    assert [verification.waives(b"digest", is_first=True) for _ in range(SAMPLED_EVERY)] == [
        *[True] * (SAMPLED_EVERY - 1),
        False,
    ]
    assert verification.due(b"digest")
    assert verification.waives(b"digest", is_first=True)


async def test_what_is_read_often_goes_into_the_memory_while_that_has_room(shelf: Shelf) -> None:
    small = BlockPool(shelf.store, SONG.size // 2, at_hand=shelf.store.at_hand)
    large = BlockPool(shelf.store, 4 * SONG.size, at_hand=shelf.store.at_hand)
    for pool, kept in ((small, False), (large, True)):
        for _ in range(4):
            for offset in range(0, SONG.size, PART):
                data = pool.peek(SONG, offset, PART)
                if data is None:
                    data = await pool.read(SONG, offset, PART)
                assert bytes(data) == WHOLE[offset : offset + PART]
        assert (pool.stats().bytes > SONG.size - CHUNK_BYTES) is kept
        await pool.aclose()
    assert shelf.source.reads == []


async def test_the_disk_is_told_to_read_ahead_only_when_it_was_waited_for(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def will_need(digests: list[bytes]) -> None:
        told.append(len(digests))

    pages = shelf.store.at_hand._pages
    monkeypatch.setattr(pages, "will_need", will_need)
    span = (9000, 9000 + 4 * CHUNK_BYTES)
    await shelf.store.at_hand.will_need(SONG, span)
    await shelf.store.at_hand.will_need(SONG, span)
    assert told == [4]
    monkeypatch.setattr(pages, "peek", lambda *_: False)
    assert shelf.peek(100_000, 10) is None
    await shelf.store.at_hand.will_need(SONG, span)
    assert told == [4, 4]
