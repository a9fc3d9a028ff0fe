"""Chunk index and chunk files against each other: what `fsck` finds and puts right.

Works on the two alone, while no chunk store runs over them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from musefs.content.chunk_files import ChunkFiles, DiskRefused
from musefs.content.chunk_index import ChunkIndex
from musefs.model import CHUNK_BYTES

REMOVED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class ChunkReport:
    """How many chunks there are and what is wrong with them, in chunks and files."""

    chunks: int
    rows_without_files: int
    files_without_rows: int
    wrong_bytes: int
    stray_files: int

    @property
    def is_clean(self) -> bool:
        """Nothing was found."""
        return not (
            self.rows_without_files
            or self.files_without_rows
            or self.wrong_bytes
            or self.stray_files
        )


async def check_chunks(index: ChunkIndex, files: ChunkFiles, *, repair: bool) -> ChunkReport:
    """Compare both and hash every chunk; with `repair` remove what is wrong.

    Raises DiskRefused.
    """
    recorded = {digest: size async for digest, size, _ in index.all()}
    present: dict[bytes, int] = {}
    wrong = []
    async for digest, size in files.listing():
        present[digest] = size
        right_size = size <= CHUNK_BYTES and recorded.get(digest, size) == size
        if not right_size or not await _is_right(files, digest, size):
            wrong.append(digest)
    report = ChunkReport(
        chunks=len(present),
        rows_without_files=len(recorded.keys() - present.keys()),
        files_without_rows=len(present.keys() - recorded.keys()),
        wrong_bytes=len(wrong),
        stray_files=await files.sweep(remove=repair),
    )
    if repair:
        await _remove(index, files, [*wrong, *(recorded.keys() ^ present.keys())])
    return report


async def _is_right(files: ChunkFiles, digest: bytes, size: int) -> bool:
    try:
        return await files.is_right(digest, size)
    except DiskRefused:
        return False  # of one file it is a bad sector: the others are looked at all the same


async def _remove(index: ChunkIndex, files: ChunkFiles, digests: Sequence[bytes]) -> None:
    for first in range(0, len(digests), REMOVED_AT_ONCE):
        group = digests[first : first + REMOVED_AT_ONCE]
        await files.delete(group)
        await index.forget(group)
