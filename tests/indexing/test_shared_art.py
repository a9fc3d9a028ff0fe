"""Art of an album: fetched once however many ask, and only for those whose bytes agree."""

from __future__ import annotations

import asyncio
import random

import pytest

from musefs.content.fragments import Fragments
from musefs.indexing.gathering import Gatherer
from musefs.indexing.heads import Heads
from musefs.indexing.shared_art import REMEMBERED_BYTES_MAX, ArtKey, SharedArt
from musefs.layout.fetching import Read
from musefs.layout.pictures import Picture
from origins import OriginUnavailable

ART = random.Random(1).randbytes(500_000)


class File:
    """A file that is a picture behind so many bytes, and what was read of it."""

    def __init__(self, art: bytes, before: int = 100) -> None:
        self.whole = bytes(before) + art
        self.heads = Heads((), ((0, before),), (Picture(3, "image/jpeg", before, len(art)),))
        self.known = Fragments()
        self.read_bytes = 0
        self.error: Exception | None = None

    @property
    def read(self) -> Read:
        async def read(offset: int, size: int) -> bytes:
            await asyncio.sleep(0.001)
            if self.error is not None and size > 100_000:
                raise self.error
            self.read_bytes += size
            return self.whole[offset : offset + size]

        return read

    async def gather(self, gatherer: Gatherer, path: str = "album/x.flac") -> None:
        await gatherer.gather(self.read, path, self.heads, self.known)

    @property
    def is_right(self) -> bool:
        data = self.known.between(0, len(self.whole))
        return data is not None and bytes(data) == self.whole


async def test_tracks_side_by_side_fetch_their_picture_once() -> None:
    gatherer, files = Gatherer(), [File(ART, 100 + number) for number in range(12)]
    await asyncio.gather(*(file.gather(gatherer) for file in files))
    assert all(file.is_right for file in files)
    costs = sorted(file.read_bytes for file in files)
    assert len(ART) <= costs[-1] <= len(ART) + 200
    assert max(costs[:-1]) <= (16 << 10) + (4 << 10) + 200
    late = File(ART)
    await late.gather(gatherer)
    assert late.is_right
    assert late.read_bytes <= (16 << 10) + (4 << 10) + 200
    assert late.known.owned_bytes == late.read_bytes


async def test_another_folder_or_other_bytes_are_fetched() -> None:
    gatherer = Gatherer()
    await File(ART).gather(gatherer)
    elsewhere = File(ART)
    await elsewhere.gather(gatherer, "other/x.flac")
    assert elsewhere.read_bytes >= len(ART)
    differs = File(ART[:-1] + b"x")
    await differs.gather(gatherer)
    assert differs.is_right


async def test_a_difference_that_is_seen_by_chance_is_believed() -> None:
    gatherer = Gatherer()
    await File(ART).gather(gatherer)
    middle = File(ART[:100_000] + b"other" + ART[100_005:])
    middle.known.add(0, middle.whole[:150_000])
    await middle.gather(gatherer)
    assert middle.is_right


async def test_who_waits_for_another_that_fails_fetches_alone() -> None:
    gatherer, files = Gatherer(), [File(ART) for _ in range(3)]
    files[0].error = OriginUnavailable("nas: away")
    outcomes = await asyncio.gather(
        *(file.gather(gatherer) for file in files), return_exceptions=True
    )
    assert isinstance(outcomes[0], OriginUnavailable)
    assert outcomes[1:] == [None, None]
    assert [file.is_right for file in files] == [False, True, True]


async def test_a_scan_that_is_interrupted_leaves_nothing_behind() -> None:
    gatherer, files = Gatherer(), [File(ART) for _ in range(3)]
    tasks = [asyncio.create_task(file.gather(gatherer)) for file in files]
    await asyncio.sleep(0.002)
    for task in tasks:
        task.cancel()
    assert all(
        isinstance(o, asyncio.CancelledError)
        for o in await asyncio.gather(*tasks, return_exceptions=True)
    )
    await gatherer.aclose()
    again = File(ART)
    await again.gather(gatherer)
    assert again.is_right


async def test_what_is_remembered_is_bounded() -> None:
    art = SharedArt()
    keys = [ArtKey("album", "image/png", number, b"") for number in range(20)]

    async def fetch() -> bytes:
        return bytes(REMEMBERED_BYTES_MAX // 8)

    for key in keys:
        assert (await art.get(key, fetch))[1]
    mine = [(await art.get(key, fetch))[1] for key in reversed(keys)]
    assert mine == [False] * 8 + [True] * 12

    async def huge() -> bytes:
        return bytes(REMEMBERED_BYTES_MAX + 1)

    key = ArtKey("album", "image/png", 99, b"")
    assert [(await art.get(key, huge))[1] for _ in range(2)] == [True, True]


async def test_a_file_that_is_shorter_than_listed_is_told() -> None:
    file = File(ART)
    file.whole = file.whole[:-10]
    with pytest.raises(Exception, match="were asked for"):
        await file.gather(Gatherer())
