"""A request that needs no waiting waits for nothing: no task, no thread, no statement, no copy."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyfuse3
import pytest

from musefs.catalog.nodes import ROOT
from musefs.content import block_pool
from musefs.content.chunking import chunks_of, locate
from tests.indexing.music import flac_with_art
from tests.mount.operated import WHO, Operated, Spent, at_once, operated, spending

NAME = "album/long.flac"
SMALL = {f"album/{n}.flac": flac_with_art(f"small {n}", b"\xff\xd8", 100) for n in range(5)}
LONG = flac_with_art("long", b"\xff\xd8", 3 << 20)
KERNEL_BYTES = 128 << 10


@pytest.fixture
async def warm(tmp_path: Path) -> AsyncIterator[Operated]:
    """A library in whose memory is all of one file."""
    async with operated(tmp_path, {NAME: LONG, **SMALL}) as library:
        handle = await library.open(NAME)
        assert await library.read_whole(handle, len(LONG)) == LONG
        await library.operations.release(handle)
        await library.settled()
        # What a reader has passed leaves the memory, and may be read from the disk: so it is asked
        # for where nobody passes.
        await library.parts.reading.keepers.pool.read(await library.content(NAME), 0, len(LONG))
        yield library


@pytest.fixture
async def direct(tmp_path: Path) -> AsyncIterator[Operated]:
    """A library that is read straight through, and the page cache has its files."""
    async with operated(tmp_path, {NAME: LONG}, cache="off") as library:
        with (tmp_path / "music" / NAME).open("rb") as file:
            try:
                os.preadv(file.fileno(), [bytearray(1)], 0, os.RWF_NOWAIT)
            except OSError as error:
                pytest.skip(f"this file system cannot be read without waiting: {error}")
        yield library


async def a_block(library: Operated) -> tuple[int, int]:
    """Start and end of a whole chunk in the file."""
    content = await library.content(NAME)
    _, start, end = locate(content, 2 << 20)
    assert end - start == 256 << 10
    return start, end


async def test_a_warm_file_is_read_without_waiting(
    warm: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await warm.open(NAME)
    await warm.read_whole(handle, len(LONG))  # tells of half of it, which is worth a task
    with spending(warm.parts, monkeypatch) as spent:
        for offset in range(0, len(LONG), KERNEL_BYTES):
            answer = at_once(warm.operations.read(handle, offset, KERNEL_BYTES))
            assert answer == LONG[offset : offset + KERNEL_BYTES]
        assert at_once(warm.operations.read(handle, len(LONG), KERNEL_BYTES)) == b""
    assert spent == Spent()


async def test_an_answer_out_of_one_block_is_no_copy(warm: Operated) -> None:
    handle = await warm.open(NAME)
    start, end = await a_block(warm)
    content = await warm.content(NAME)
    key = (content.id, locate(content, start)[0])
    block = warm.parts.reading.keepers.pool._blocks.hit(key)
    assert block is not None
    for offset, size in ((start, end - start), (start + 1000, KERNEL_BYTES), (end - 1, 1)):
        answer = at_once(warm.operations.read(handle, offset, size))
        assert isinstance(answer, memoryview)
        assert answer.obj is block.view.obj
        assert answer == LONG[offset : offset + size]


async def test_an_answer_out_of_two_blocks_is_joined_once(
    warm: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    joins: list[int] = []
    join = block_pool._join

    def counted(chunks: Any, blocks: Any, *rest: int) -> Any:
        joins.append(len(blocks))
        return join(chunks, blocks, *rest)

    monkeypatch.setattr(block_pool, "_join", counted)
    handle = await warm.open(NAME)
    _, end = await a_block(warm)
    with spending(warm.parts, monkeypatch) as spent:
        answer = at_once(warm.operations.read(handle, end - 1000, KERNEL_BYTES))
    assert answer == LONG[end - 1000 : end - 1000 + KERNEL_BYTES]
    assert (type(answer), joins) == (bytes, [2])
    assert spent == Spent()


async def test_a_file_that_was_open_is_opened_without_waiting(
    warm: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    inode = await warm.inode(NAME)
    with spending(warm.parts, monkeypatch) as spent:
        opened = at_once(warm.operations.open(inode, os.O_RDONLY, WHO))
        assert opened.keep_cache
        assert at_once(warm.operations.read(opened.fh, 0, 4096)) == LONG[:4096]
        at_once(warm.operations.flush(opened.fh))
    assert spent == Spent()
    await warm.operations.release(opened.fh)


async def test_a_folder_that_was_listed_is_listed_without_waiting(
    warm: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[bytes, int]] = []
    room = 3

    def reply(token: None, name: bytes, attributes: Any, next_id: int) -> bool:
        if len(told) % (room + 1) == room:
            told.append((b"", 0))  # the buffer is full
            return False
        told.append((name, next_id))
        return True

    monkeypatch.setattr(pyfuse3, "readdir_reply", reply)
    folder = await warm.inode("album")
    first = await warm.operations.opendir(folder, WHO)
    await warm.operations.releasedir(first)
    with spending(warm.parts, monkeypatch) as spent:
        handle = at_once(warm.operations.opendir(folder, WHO))
        at_once(warm.operations.readdir(handle, 0, WHO))
        at_once(warm.operations.readdir(handle, told[-2][1], WHO))
        at_once(warm.operations.readdir(handle, told[-1][1], WHO))
        at_once(warm.operations.releasedir(handle))
    assert sorted(name for name, _ in told if name) == sorted(
        Path(name).name.encode() for name in (NAME, *SMALL)
    )
    assert spent == Spent()


async def test_the_root_is_listed_without_waiting(
    warm: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bytes] = []

    def reply(token: None, name: bytes, attributes: Any, next_id: int) -> bool:
        told.append(name)
        return True

    monkeypatch.setattr(pyfuse3, "readdir_reply", reply)
    await warm.operations.releasedir(await warm.operations.opendir(ROOT, WHO))
    with spending(warm.parts, monkeypatch) as spent:
        at_once(warm.operations.readdir(at_once(warm.operations.opendir(ROOT, WHO)), 0, WHO))
    assert sorted(told) == [b".musefs", b"album"]
    assert spent == Spent()


async def test_a_file_in_the_page_cache_is_read_through_without_waiting(
    direct: Operated, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await direct.open(NAME)
    assert await direct.read_whole(handle, len(LONG)) == LONG
    with spending(direct.parts, monkeypatch) as spent:
        for offset in range(0, len(LONG), KERNEL_BYTES):
            answer = at_once(direct.operations.read(handle, offset, KERNEL_BYTES))
            assert answer == LONG[offset : offset + KERNEL_BYTES]
    assert spent == Spent()


async def test_a_cold_file_is_waited_for(tmp_path: Path) -> None:
    async with operated(tmp_path, {NAME: LONG}) as library:
        handle = await library.open(NAME)
        content = await library.content(NAME)
        far = [chunk for chunk in chunks_of(content, 0, content.size) if chunk.size == 256 << 10]
        with pytest.raises(AssertionError, match="it waits for"):
            at_once(library.operations.read(handle, far[3].start, 4096))
