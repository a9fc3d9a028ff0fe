"""Warming behind readers: how much at once, how long it gives way, what it does once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.errors import ContentUnavailable
from musefs.library import prefetching
from musefs.library.choosing import ChosenTrack
from musefs.library.prefetching import REQUESTS_MAX, Prefetch, Warmer
from musefs.model import CHUNK_BYTES, Content, ContentId
from tests.content.shelves import LIMITS, running, until
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of

TRACK_BYTES = 6 * CHUNK_BYTES


@dataclass
class Bench:
    """A chunk store over a source, and readers that wait or do not."""

    source: CountingSource
    store: ChunkStore
    waiting: int = 0

    def warmer(self) -> Warmer:
        """Over all contents there may be."""
        return Warmer(self.store.warming, self._content, lambda: self.waiting)

    async def _content(self, content_id: ContentId) -> Content:
        return content_of(content_id, TRACK_BYTES)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    source, files = CountingSource(), ChunkFiles(tmp_path)
    async with running(ChunkStore(source, files, MemoryChunkIndex(), LIMITS)) as store:
        yield Bench(source, store)
    files.close()


def tracks(count: int, *, is_cached: bool = True) -> list[ChosenTrack]:
    return [ChosenTrack(f"{n}", ContentId(n + 1), TRACK_BYTES, is_cached) for n in range(count)]


async def test_few_requests_are_in_flight_for_all_that_is_warmed(bench: Bench) -> None:
    warmer = bench.warmer()
    both = [Prefetch(warmer, tracks(8)[:5]), Prefetch(warmer, tracks(8)[5:])]
    bench.source.gate = asyncio.Event()
    all_of_them = asyncio.gather(*(prefetch.run() for prefetch in both))
    await until(lambda: bench.source.running == REQUESTS_MAX)
    bench.source.gate.set()
    await all_of_them
    assert bench.source.running_max == REQUESTS_MAX
    assert [prefetch.progress.tracks_done for prefetch in both] == [5, 3]
    assert len(bench.source.reads) == len(set(bench.source.reads)) == 16


async def test_warming_waits_for_readers_and_is_not_starved(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefetch = Prefetch(bench.warmer(), tracks(1))
    bench.waiting = 1
    running_task = asyncio.create_task(prefetch.run())
    await asyncio.sleep(5 * prefetching.GIVE_WAY_STEP_S)
    assert bench.source.reads == []
    bench.waiting = 0
    await running_task
    assert prefetch.progress.tracks_done == 1
    monkeypatch.setattr(prefetching, "GIVE_WAY_S_MAX", 0.01)
    bench.waiting = 1
    other = Prefetch(bench.warmer(), tracks(2)[1:])
    await other.run()
    assert other.progress.tracks_done == 1


async def test_contents_count_once_and_those_at_hand_cost_nothing(bench: Bench) -> None:
    one = tracks(1)
    prefetch = Prefetch(bench.warmer(), [*one, *one, *tracks(3, is_cached=False)[1:]])
    told = prefetch.progress
    assert (told.tracks, told.tracks_done, told.bytes_done) == (3, 2, 2 * TRACK_BYTES)
    await prefetch.run()
    told = prefetch.progress
    assert (told.tracks_done, told.bytes_fetched, told.done) == (3, TRACK_BYTES, True)


async def test_a_failed_track_is_given_up_and_the_next_comes(bench: Bench) -> None:
    bench.source.failures.append(ContentUnavailable("box: no route to host"))
    prefetch = Prefetch(bench.warmer(), tracks(3))
    await prefetch.run()
    told = prefetch.progress
    assert (told.tracks_done, told.failed_tracks) == (2, 1)
    assert told.error == "0: box: no route to host"
    assert prefetch.failures == {ContentId(1): "box: no route to host"}


async def test_what_is_no_longer_wanted_is_not_fetched(bench: Bench) -> None:
    prefetch = Prefetch(bench.warmer(), tracks(3), lambda content_id: content_id == 2)
    await prefetch.run()
    assert {content_id for content_id, _, _ in bench.source.reads} == {2}
