"""The caches as an operator sees them: true numbers, and emptying that takes them away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from musefs.app.caching import Caching
from musefs.app.parts import Parts, assembled
from musefs.catalog.database import Database
from musefs.config import Config, load
from musefs.errors import BackupFailed, UnknownTier
from musefs.indexing.scanning import ScanOptions
from musefs.kit.beside import beside
from musefs.model import Content, ContentId
from musefs.status import Cleared, VerifyProgress
from tests.catalog.records import opened
from tests.content.shelves import chunk_paths
from tests.indexing.music import flac


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Two tracks in a folder that is cached as if it were far away."""
    (tmp_path / "nas").mkdir()
    for title in ("one", "two"):
        (tmp_path / "nas" / f"{title}.flac").write_bytes(flac(title))
    origin = {"id": "nas", "kind": "local", "path": str(tmp_path / "nas"), "cache": "on"}
    path = tmp_path / "musefs.yaml"
    path.write_text(yaml.safe_dump({"state": str(tmp_path / "state"), "origins": [origin]}))
    return load(path, {})


@pytest.fixture
async def parts(config: Config) -> AsyncIterator[Parts]:
    """Everything, indexed, with both tracks in both caches."""

    def failed(error: BaseException) -> None:
        raise error

    async with (
        assembled(config, "test") as parts,
        beside([parts.refresher.run(), parts.reading.store.run()], failed),
    ):
        await parts.followers["nas"].rescan(ScanOptions())
        for content in await contents(parts):
            await parts.reading.keepers.pool.read(content, 0, content.size)
        await parts.reading.store.keeping.settled()
        yield parts


async def contents(parts: Parts) -> list[Content]:
    ids = [ContentId(row[0]) for row in await parts.database.rows("SELECT id FROM contents")]
    return [await parts.reading.whereabouts.content_of(one) for one in ids]


@pytest.fixture
def caching(parts: Parts) -> Caching:
    return Caching(parts)


async def test_the_numbers_are_those_of_the_disk_and_the_memory(
    caching: Caching, parts: Parts
) -> None:
    stats = caching.stats()
    files = chunk_paths(parts.state.chunks)
    sizes = [content.size for content in await contents(parts)]
    assert (stats.chunks, stats.totals.disk_bytes) == (
        len(files),
        sum(path.stat().st_size for path in files),
    )
    assert stats.logical_bytes == sum(sizes)
    assert stats.totals.disk_saved_bytes == stats.logical_bytes - stats.totals.disk_bytes
    assert stats.totals.memory_bytes == sum(sizes)
    assert stats.memory_blocks == parts.reading.keepers.pool.stats().blocks > 0
    assert 0 < stats.kept_bytes <= stats.totals.disk_bytes
    assert (stats.pinned_bytes, stats.queued_bytes, stats.refused_chunks) == (0, 0, 0)
    assert (stats.scrubbed_chunks, stats.repaired_chunks, stats.chunk_evictions) == (0, 0, 0)


@pytest.mark.parametrize("tier", ["memory", "chunks", "all"])
async def test_a_dry_run_tells_what_clearing_frees_and_frees_nothing(
    caching: Caching, parts: Parts, tier: str
) -> None:
    before = caching.stats()
    told = await caching.clear(tier, dry_run=True)
    assert caching.stats() == before
    assert await caching.clear(tier, dry_run=False) == told
    memory = before.totals.memory_bytes if tier != "chunks" else 0
    disk = before.totals.disk_bytes if tier != "memory" else 0
    assert told == Cleared(memory, disk)
    after = caching.stats()
    assert after.totals.memory_bytes == before.totals.memory_bytes - memory
    assert after.totals.disk_bytes == before.totals.disk_bytes - disk
    assert after.chunk_evictions == 0
    assert bool(chunk_paths(parts.state.chunks)) == (tier == "memory")
    for content in await contents(parts):
        data = await parts.reading.keepers.pool.read(content, 0, content.size)
        assert len(data) == content.size


async def test_a_tier_that_is_none_is_told(caching: Caching) -> None:
    with pytest.raises(UnknownTier, match=r"disk: .*choose one of memory, chunks, all"):
        await caching.clear("disk", dry_run=True)


async def test_verifying_repairs_from_the_origin_and_counts(
    caching: Caching, parts: Parts, tmp_path: Path
) -> None:
    wrong, *others = chunk_paths(parts.state.chunks)
    right = wrong.read_bytes()
    wrong.write_bytes(b"!" + right[1:])
    count = len(others) + 1
    progresses = [replace(progress) async for progress in caching.verify(originals=False)]
    assert progresses[-1] == VerifyProgress(count, count, 1, 1, 0, done=True)
    assert [progress.done for progress in progresses[:-1]] == [False] * (len(progresses) - 1)
    assert wrong.read_bytes() == right
    stats = caching.stats()
    assert (stats.scrubbed_chunks, stats.repaired_chunks) == (count, 1)


async def test_who_stops_listening_stops_verifying(
    caching: Caching, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def endless(progress: VerifyProgress) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr(parts.scrubber, "verify", endless)
    async with aclosing(caching.verify(originals=False)) as progresses:
        async for progress in progresses:
            assert not progress.done
            break
    assert ended.is_set()


async def test_a_backup_is_in_the_state_folder_or_where_it_is_wanted(
    caching: Caching, parts: Parts, tmp_path: Path
) -> None:
    done = await caching.back_up(None)
    assert Path(done.path).parent == parts.state.path / "backups"
    assert os.stat(done.path).st_size == done.size
    wanted = tmp_path / "mine.db"
    assert (await caching.back_up(str(wanted))).path == str(wanted)
    async with opened(wanted) as copy:
        assert await tracks(copy) == await tracks(parts.database)
    with pytest.raises(BackupFailed, match="not absolute"):
        await caching.back_up("mine.db")
    with pytest.raises(BackupFailed, match="something already"):
        await caching.back_up(str(wanted))


async def tracks(database: Database) -> list[tuple[object, ...]]:
    return await database.rows("SELECT * FROM tracks ORDER BY id")


async def test_a_backup_folder_that_cannot_be_made_is_told(caching: Caching, parts: Parts) -> None:
    (parts.state.path / "backups").write_bytes(b"in the way")
    with pytest.raises(BackupFailed):
        await caching.back_up(None)
