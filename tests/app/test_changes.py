"""Files of a cached folder that change under a whole musefs, read through all its layers."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from musefs.app.parts import Parts, assembled
from musefs.catalog.nodes import Node
from musefs.config import load
from musefs.errors import ContentChanged
from musefs.indexing.scanning import ScanOptions
from musefs.kit.beside import beside
from tests.indexing.listening import noise, overwritten
from tests.indexing.music import flac_of

AUDIO = noise(1, 3_000_000)
SONG = flac_of("one", b"", AUDIO)
READ_BYTES = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nas").mkdir()
    (tmp_path / "nas" / "song.flac").write_bytes(SONG)
    return tmp_path


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[Parts]:
    """Everything over one folder, whose files are cached."""
    origin = {"id": "nas", "kind": "local", "path": str(folder / "nas")}
    settings = folder / "musefs.yaml"
    origins = [origin | {"watch": "off", "cache": True}]
    settings.write_text(yaml.safe_dump({"state": str(folder / "state"), "origins": origins}))
    async with assembled(load(settings, {}), "test") as parts:
        failures: list[BaseException] = []
        async with beside([parts.reading.store.run()], failures.append):
            yield parts
        assert failures == []


async def scanned(parts: Parts) -> Node:
    """The one track, once the origin was scanned and the tree has followed."""
    await parts.followers["nas"].rescan(ScanOptions())
    await parts.refresher.catch_up()
    rows = await parts.database.rows("SELECT inode FROM nodes WHERE kind = 'track'")
    assert len(rows) == 1
    return await parts.library.entry(rows[0][0])


async def played(parts: Parts, node: Node) -> bytes:
    handle = await parts.reading.open_files.open(node)
    data = b""
    while part := await parts.reading.open_files.read(handle, len(data), READ_BYTES):
        data += bytes(part)
    parts.reading.open_files.release(handle)
    assert await parts.reading.store.keeping.settled()
    return data


async def test_a_re_tagged_file_keeps_its_inode_and_its_cached_audio(folder: Path) -> None:
    async with following(folder) as parts:
        before = await scanned(parts)
        assert await played(parts, before) == SONG
        retagged = flac_of("another", b"", AUDIO)
        (folder / "nas" / "song.flac").write_bytes(retagged)
        after = await scanned(parts)
        assert after.inode == before.inode
        assert await parts.reading.whereabouts.cached_percent(after) >= 99
        (folder / "nas" / "song.flac").rename(folder / "away")
        content = await parts.reading.whereabouts.content(after)
        start, size = content.audio_start, content.audio_end - content.audio_start
        data = await parts.reading.store.read(content, start, size)
        assert bytes(data) == retagged[start : start + size]


async def test_other_audio_of_the_same_size_is_served_and_old_readers_have_the_old(
    folder: Path,
) -> None:
    other = overwritten(SONG, 100_000, noise(2, len(SONG) - 200_000))
    middle = len(SONG) // 2
    async with following(folder) as parts:
        before = await scanned(parts)
        assert await played(parts, before) == SONG
        handle = await parts.reading.open_files.open(before)
        (folder / "nas" / "song.flac").write_bytes(other)
        after = await scanned(parts)
        assert after.inode == before.inode
        assert await played(parts, after) == other
        data = await parts.reading.open_files.read(handle, middle, 1000)
        assert bytes(data) == SONG[middle : middle + 1000]
        parts.reading.open_files.release(handle)


async def test_bytes_that_changed_in_place_become_another_content_once_that_is_noticed(
    folder: Path,
) -> None:
    song = folder / "nas" / "song.flac"
    other = overwritten(SONG, 100_000, noise(2, len(SONG) - 200_000))
    async with following(folder) as parts:
        before = await scanned(parts)
        assert await played(parts, before) == SONG
        stat = song.stat()
        song.write_bytes(other)
        os.utime(song, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        for path in (folder / "state" / "chunks").rglob("*"):
            if path.is_file():
                path.unlink()
        parts.reading.keepers.pool.clear()
        handle = await parts.reading.open_files.open(before)
        follower = parts.followers["nas"]
        async with beside([follower.run(), parts.refresher.run()], raising):
            for _ in range(2):
                with pytest.raises(ContentChanged):
                    await parts.reading.open_files.read(handle, len(SONG) // 2, 1000)
            async with asyncio.timeout(10):
                while (await parts.library.entry(before.inode)).content_id == before.content_id:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.01)
        after = await parts.library.entry(before.inode)
        assert await played(parts, after) == other
        with pytest.raises(ContentChanged):
            await parts.reading.open_files.read(handle, len(SONG) // 2, 1000)
        parts.reading.open_files.release(handle)


def raising(error: BaseException) -> None:
    """What runs beside must not fail."""
    raise error
