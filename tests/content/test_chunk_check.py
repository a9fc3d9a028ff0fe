"""fsck of the chunks: it finds all there is to find, and repairs without losing what is right."""

from __future__ import annotations

from pathlib import Path

from musefs.content.chunk_check import ChunkReport, check_chunks
from musefs.content.chunk_files import INCOMING, ChunkFiles
from musefs.content.chunk_index import ChunkRow
from musefs.model import ContentId
from tests.content.shelves import chunk_paths
from tests.fakes.chunk_index import MemoryChunkIndex


async def test_everything_wrong_is_found_and_repaired(tmp_path: Path) -> None:
    files, index = ChunkFiles(tmp_path), MemoryChunkIndex()
    digests = [await files.write(bytes([number]) * 5000) for number in range(6)]
    rows = [ChunkRow(ContentId(1), number, digest, 5000) for number, digest in enumerate(digests)]
    await index.record(rows[:5])
    await files.delete([digests[0]])
    (tmp_path / digests[1].hex()[:2] / digests[1].hex()[2:]).write_bytes(b"!" * 5000)
    (tmp_path / digests[2].hex()[:2] / digests[2].hex()[2:]).write_bytes(b"")
    (tmp_path / INCOMING / "half").write_bytes(b"hal")

    expected = ChunkReport(
        chunks=5, rows_without_files=1, files_without_rows=1, wrong_bytes=2, stray_files=1
    )
    assert await check_chunks(index, files, repair=False) == expected
    assert await check_chunks(index, files, repair=True) == expected
    after = await check_chunks(index, files, repair=False)

    assert after.is_clean
    assert not expected.is_clean
    assert after.chunks == 2
    assert {row[0] for row in index.rows.values()} == {digests[3], digests[4]}
    assert len(chunk_paths(tmp_path)) == 2
    files.close()


async def test_an_empty_store_is_clean(tmp_path: Path) -> None:
    files = ChunkFiles(tmp_path / "not there yet")
    report = await check_chunks(MemoryChunkIndex(), files, repair=True)
    assert report.is_clean
    assert report.chunks == 0
    files.close()
