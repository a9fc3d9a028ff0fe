"""Chunk files: whole or not there, named by their bytes."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from blake3 import blake3

from musefs.content.chunk_files import INCOMING, ChunkFiles, DiskRefused
from tests.content.shelves import chunk_paths


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_what_is_written_is_read_back_under_its_digest(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path / "chunks")
    data = os.urandom(100_000)
    digest = await files.write(data)

    assert digest == blake3(data).digest()
    assert bytes(await files.read(digest, len(data)) or b"") == data
    assert [path.stat().st_size for path in chunk_paths(tmp_path)] == [100_000]
    assert [entry async for entry in files.listing()] == [(digest, 100_000)]
    files.close()


async def test_a_chunk_that_is_not_there_is_none(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    assert await files.read(bytes(32), 10) is None
    await files.delete([bytes(32)])
    assert [entry async for entry in files.listing()] == []
    files.close()


async def test_a_file_that_is_too_short_is_given_as_it_is(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"x" * 1000)
    assert bytes(await files.read(digest, 2000) or b"") == b"x" * 1000
    files.close()


async def test_a_digest_that_is_known_is_not_written_again(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"x" * 1000)
    await files.delete([digest])
    assert await files.write(b"x" * 1000, lambda known: known == digest) == digest
    assert chunk_paths(tmp_path) == []
    files.close()


async def test_many_writers_of_the_same_bytes_do_not_meet(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digests = await asyncio.gather(*(files.write(b"same" * 5000) for _ in range(30)))
    assert len(set(digests)) == 1
    assert len(chunk_paths(tmp_path)) == 1
    assert list((tmp_path / INCOMING).iterdir()) == []
    files.close()


async def test_half_written_files_are_swept(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"whole")
    (tmp_path / INCOMING / "left over").write_bytes(b"hal")

    assert await files.sweep(remove=False) == 1
    assert await files.sweep() == 1
    assert await files.sweep() == 0
    assert bytes(await files.read(digest, 5) or b"") == b"whole"
    files.close()


async def test_what_is_not_a_chunk_is_not_listed(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"whole")
    folder = tmp_path / digest.hex()[:2]
    (folder / "README").write_text("hello")
    (folder / digest.hex()[2:].upper()).write_text("shouting")
    assert [entry async for entry in files.listing()] == [(digest, 5)]
    files.close()


async def test_a_root_that_cannot_be_made_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    files = ChunkFiles(tmp_path / "file" / "chunks")
    for attempt in (files.write(b"x"), files.space(), files.read(bytes(32), 1)):
        with pytest.raises(DiskRefused) as refused:
            await attempt
        assert "\n" not in str(refused.value)
        assert isinstance(refused.value.__cause__, OSError)
    files.close()


async def test_a_closed_store_refuses(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    files.close()
    with pytest.raises(DiskRefused):
        await files.write(b"x")


async def test_the_space_is_that_of_the_disk(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    space = await files.space()
    assert space.total_bytes > 0
    assert 0 <= space.free_bytes <= space.total_bytes
    assert 0 <= space.used_share <= 1
    files.close()


async def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"x" * 1000)
    await files.read(digest, 2000)
    before = open_descriptors()
    for _ in range(50):
        await files.read(digest, 1000)
        await files.read(digest, 2000)
    assert open_descriptors() == before
    files.close()
