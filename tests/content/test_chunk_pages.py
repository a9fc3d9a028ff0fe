"""Parts of chunk files out of the page cache: bounded descriptors, and nothing stale."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_names import name_of
from musefs.content.chunk_pages import DESCRIPTORS_MAX, ChunkPages


def part(files: ChunkFiles, digest: bytes, offset: int, size: int) -> bytes | None:
    into = memoryview(bytearray(size))
    return bytes(into) if files.pages.peek(digest, offset, into) else None


async def test_a_part_of_a_chunk_comes_without_waiting(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    data = os.urandom(10_000)
    digest = await files.write(data)
    assert part(files, digest, 100, 4096) == data[100:4196]
    assert part(files, digest, 9_999, 1) == data[-1:]
    assert part(files, digest, 9_999, 2) is None
    assert part(files, bytes(32), 0, 1) is None
    files.close()


async def test_no_more_files_are_open_than_there_may_be(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digests = [await files.write(os.urandom(100)) for _ in range(DESCRIPTORS_MAX + 5)]
    before = len(os.listdir("/proc/self/fd"))
    for digest in digests:
        assert part(files, digest, 0, 100) is not None
    assert len(files.pages) == DESCRIPTORS_MAX
    assert len(os.listdir("/proc/self/fd")) == before + DESCRIPTORS_MAX
    files.close()
    assert len(os.listdir("/proc/self/fd")) == before


async def test_a_removed_chunk_is_not_read_from_a_file_that_is_still_open(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"some bytes")
    assert part(files, digest, 0, 10) == b"some bytes"
    await files.delete([digest])
    assert part(files, digest, 0, 10) is None
    assert len(files.pages) == 0
    files.close()


async def test_a_chunk_that_is_written_again_has_its_new_file(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"some bytes")
    (tmp_path / name_of(digest)).write_bytes(b"SOME WRONG")
    assert part(files, digest, 0, 10) == b"SOME WRONG"
    assert await files.write(b"some bytes") == digest
    assert part(files, digest, 0, 10) == b"some bytes"
    files.close()


async def test_chunks_are_read_ahead_and_missing_ones_are_nothing(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path)
    digest = await files.write(b"some bytes")
    files.pages.will_need([digest, bytes(32)])
    assert part(files, digest, 0, 10) == b"some bytes"
    files.close()
    files.pages.will_need([digest])  # closed: nothing is asked any more


async def test_nobody_waits_for_a_disk_that_is_told_to_read_ahead(tmp_path: Path) -> None:
    hung = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(hung.wait)
        ChunkPages(tmp_path, threads).will_need([bytes(32)])
        hung.set()
