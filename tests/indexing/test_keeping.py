"""Scans that keep heads and art near: what they cost, and what is left when they are disturbed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import pytest

from musefs.catalog.chunks import Chunks
from musefs.catalog.contents import regions_from
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.content.chunk_files import ChunkFiles, DiskRefused
from musefs.content.chunk_store import ChunkStore
from musefs.indexing import scanning
from musefs.indexing.examining import Examiner
from musefs.indexing.gathering import Gatherer
from musefs.indexing.inspection import EndSizes
from musefs.indexing.keeping import Keeping
from musefs.indexing.scanning import Progress, Scanner, ScanOptions
from musefs.indexing.selecting import Selection
from musefs.model import Content
from tests.catalog.records import opened
from tests.content.shelves import LIMITS, running
from tests.fakes.origin import FakeOrigin, Rule, Troubled, no_trouble
from tests.fakes.source import CountingSource
from tests.indexing.music import DOWN, failing_at, flac_with_art

COVER = random.Random(9).randbytes(1_000_000)
AUDIO_BYTES = 600_000
ALBUM = {f"album/{n:02}.flac": flac_with_art(f"title {n}", COVER, AUDIO_BYTES) for n in range(12)}
ENDS = EndSizes(foresight=True)


@dataclass
class Shelved:
    """An origin, its scanner, and the store that keeps what it reads."""

    database: Database
    store: ChunkStore
    fake: FakeOrigin
    at_once_max: int = 8
    troubled: Troubled = field(init=False)

    def __post_init__(self) -> None:
        self.troubled = Troubled(self.fake, no_trouble)
        self.renew()

    def renew(self) -> None:
        """As after a restart."""
        keeping = Keeping(self.store.keeping, Chunks(self.database))
        self.scanner = Scanner(
            Files(self.database),
            Examiner(ENDS, self.at_once_max, Gatherer()),
            Selection(("cover.*",)),
            lambda: None,
            keeping,
        )

    async def scan(self, *, full: bool = False, rule: Rule = no_trouble) -> int:
        """Scan all; how many bytes that cost."""
        self.troubled.rule = rule
        self.fake.reads.clear()
        await self.scanner.scan(self.troubled, ScanOptions(full=full), Progress("nas"))
        return sum(size for _, _, size in self.fake.reads)

    async def contents(self) -> dict[str, Content]:
        """The content of each path."""
        rows = await self.database.rows(
            "SELECT f.path, o.id, o.size, o.audio_start, o.audio_end, o.regions FROM files f"
            " JOIN contents o ON o.id = f.content_id ORDER BY f.path"
        )
        return {
            path.decode(): Content(content_id, size, start, end, regions=regions_from(regions))
            for path, content_id, size, start, end, regions in rows
        }

    async def headless(self) -> set[str]:
        """Which tracks a reader of tags could not read now."""
        found = set()
        for path, content in (await self.contents()).items():
            start, end = content.body
            missing = [
                offset
                for offset in (0, start - 1, end, content.size - 1)
                if not await self.store.has(content, offset)
            ]
            if missing:
                found.add(path)
        return found


@pytest.fixture
async def shelved(tmp_path: Path) -> AsyncIterator[Shelved]:
    async with opened(tmp_path / "catalogue.db") as database:
        files = ChunkFiles(tmp_path / "chunks")
        below = CountingSource()
        store = ChunkStore(below, files, Chunks(database), LIMITS)
        async with running(store):
            yield Shelved(database, store, FakeOrigin("nas", ALBUM))
        files.close()


async def test_an_album_of_one_cover_costs_it_once_and_stores_it_once(shelved: Shelved) -> None:
    cost = await shelved.scan()
    head, tail, leap = 64 << 10, 8 << 10, (64 << 10) + (4 << 10)
    assert cost <= len(COVER) + 12 * (head + tail + leap)
    # Head and tail of each, what lies behind the picture of each, and the picture of one.
    assert len(shelved.fake.reads) == 3 * 12 + 1
    stats = shelved.store.stats()
    assert stats.kept_bytes == stats.stored_bytes <= len(COVER) + 12 * (64 + 8) * 1024
    assert stats.saved_bytes >= 11 * len(COVER)
    assert await shelved.headless() == set()
    for path, content in (await shelved.contents()).items():
        for start, end in ((0, content.body[0]), (content.body[1], content.size)):
            data = await shelved.store.read(content, start, end - start)
            assert bytes(data) == ALBUM[path][start:end]
    assert await shelved.scan() == 0


async def test_a_store_that_starts_again_has_it_all(shelved: Shelved, tmp_path: Path) -> None:
    await shelved.scan()
    files = ChunkFiles(tmp_path / "chunks")
    source = CountingSource()
    async with running(ChunkStore(source, files, Chunks(shelved.database), LIMITS)) as store:
        for path, content in (await shelved.contents()).items():
            data = await store.read(content, 0, content.body[0])
            assert bytes(data) == ALBUM[path][: content.body[0]]
        assert store.stats().kept_bytes == shelved.store.stats().kept_bytes
    assert source.reads == []
    files.close()


async def test_covers_beside_the_tracks_are_kept_up_to_a_size(shelved: Shelved) -> None:
    shelved.fake.put("album/cover.jpg", COVER)
    shelved.fake.put("big/cover.jpg", bytes(3 << 20))
    await shelved.scan()
    contents = await shelved.contents()
    assert await shelved.store.cached_share(contents["album/cover.jpg"]) == 1.0
    assert await shelved.store.cached_share(contents["big/cover.jpg"]) == 0.0


@pytest.mark.parametrize("after", [1, 7, 20, 36])
async def test_an_interrupted_scan_is_made_up_for(shelved: Shelved, after: int) -> None:
    reached = asyncio.Event()

    async def rule(operation: str, path: str) -> None:
        if operation == "read" and shelved.troubled.calls.count("read") >= after:
            reached.set()
            await asyncio.Event().wait()

    with mock.patch.object(scanning, "FILES_PER_BATCH", 3):
        task = asyncio.create_task(shelved.scan(rule=rule))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    shelved.renew()
    await shelved.scan()
    assert len(await shelved.contents()) == 12
    assert await shelved.headless() == set()


async def test_a_crash_between_catalogue_and_store_is_made_up_for_once(shelved: Shelved) -> None:
    with mock.patch.object(Keeping, "keep"):
        await shelved.scan()
    assert await shelved.headless() == set(ALBUM)
    assert await shelved.scan() == 0
    shelved.renew()
    assert await shelved.scan() > 0
    assert await shelved.headless() == set()
    shelved.renew()
    assert await shelved.scan() == 0


async def test_a_cleared_store_is_filled_again_by_the_next_scan(shelved: Shelved) -> None:
    await shelved.scan()
    await shelved.store.clear()
    assert await shelved.headless() == set(ALBUM)
    await shelved.scan()
    assert await shelved.headless() == set()


async def test_a_broken_disk_does_not_disturb_the_scan(shelved: Shelved) -> None:
    with mock.patch.object(ChunkFiles, "write", side_effect=DiskRefused("broken")):
        await shelved.scan()
        async with asyncio.timeout(10):
            while shelved.store.stats().queued_bytes:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.005)
    assert len(await shelved.contents()) == 12
    assert await shelved.headless() == set(ALBUM)


async def test_a_store_without_room_is_not_filled_again_and_again(
    shelved: Shelved, tmp_path: Path
) -> None:
    files = ChunkFiles(tmp_path / "small")
    limits = replace(LIMITS, disk_bytes_max=1 << 20)
    async with running(
        ChunkStore(CountingSource(), files, Chunks(shelved.database), limits)
    ) as small:
        shelved.store = small
        shelved.renew()
        await shelved.scan()
        assert await shelved.headless() != set()
        shelved.renew()
        assert await shelved.scan() == 0
    files.close()


async def test_art_that_cannot_be_fetched_costs_the_track_nothing(shelved: Shelved) -> None:
    reads = 0

    async def rule(operation: str, path: str) -> None:
        nonlocal reads
        if operation == "read" and path == "album/00.flac":
            reads += 1
            if reads > 3:
                raise DOWN

    shelved.at_once_max = 1
    shelved.renew()
    await shelved.scan(rule=rule)
    assert len(await shelved.contents()) == 12
    assert await shelved.headless() == {"album/00.flac"}
    shelved.renew()
    await shelved.scan()
    assert await shelved.headless() == set()


async def test_a_file_that_changes_meanwhile_is_looked_at_again(shelved: Shelved) -> None:
    changed = False

    async def rule(operation: str, path: str) -> None:
        nonlocal changed
        late = shelved.troubled.calls.count("read") > 8
        if operation == "read" and path == "album/03.flac" and late and not changed:
            changed = True
            shelved.fake.put(path, flac_with_art("new", COVER[::-1], AUDIO_BYTES))

    await shelved.scan(rule=rule)
    assert changed
    await shelved.scan()
    assert await shelved.headless() == set()


async def test_files_of_other_folders_do_not_hold_up_memory(shelved: Shelved) -> None:
    held: list[int] = []
    keep = Keeping.keep

    async def seen(self: Keeping, contents: object, files: list[object]) -> None:
        held.append(sum(file.held_bytes for file in files))  # type: ignore[attr-defined]
        await keep(self, contents, files)  # type: ignore[arg-type]

    for number in range(30):
        art = random.Random(number).randbytes(900_000)
        shelved.fake.put(f"{number}/a.flac", flac_with_art(f"other {number}", art, 300_000))
    with mock.patch.object(Keeping, "keep", seen):
        await shelved.scan()
    assert len(held) > 1
    assert max(held) <= scanning.HELD_BYTES_MAX + (2 << 20)
    assert await shelved.headless() == set()


async def test_a_failing_file_is_kept_as_far_as_it_can_be_read(shelved: Shelved) -> None:
    shelved.fake.put("album/noise.mp3", random.Random(4).randbytes(500_000))
    await shelved.scan(rule=failing_at(DOWN, "album/05.flac"))
    contents = await shelved.contents()
    assert set(contents) == {*ALBUM, "album/noise.mp3"} - {"album/05.flac"}
    assert await shelved.headless() == set()
