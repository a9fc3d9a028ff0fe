"""Whether fetched bytes are those that were stored before, where their digests are known. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from musefs.content.chunk_files import digest_of
from musefs.content.chunking import Chunk
from musefs.content.digest_maps import DigestMap
from musefs.model import Buffer


class DigestCheck:
    """For one fetch of neighbouring chunks."""

    def __init__(self, chunks: Sequence[Chunk], digests: DigestMap) -> None:
        self._start = chunks[0].start
        self._known = [
            (chunk, digest) for chunk in chunks if (digest := digests.get(chunk.index)) is not None
        ]

    @property
    def is_possible(self) -> bool:
        """Whether the digest of any of the chunks is known."""
        return bool(self._known)

    def accepts(self, data: Buffer) -> bool:
        """Whether each chunk whose digest is known has it; `data` begins with the first chunk."""
        view = memoryview(data)
        for chunk, digest in self._known:
            part = view[chunk.start - self._start : chunk.end - self._start]
            if digest_of(part) != digest:
                return False
        return True
