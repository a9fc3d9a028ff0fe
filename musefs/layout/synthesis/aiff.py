"""Re-tagged AIFF and AIFF-C files: an "ID3 " chunk at the end.

The text chunks (AIFF 1.3, "Text Chunks") go, since some players prefer them.
"""

from __future__ import annotations

from musefs.layout.chunks import Chunk, aiff_chunks, aiff_texts
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Layout
from musefs.layout.synthesis.chunk_files import AIFF, NewChunk, rebuilt
from musefs.layout.synthesis.id3_tag import new_tag
from musefs.layout.wish import Wish

_ID3_NAMES = (b"ID3 ", b"id3 ")


def aiff(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged file. Raises Need, Malformed, BoundReached, Unservable."""
    chunks = aiff_chunks(file)
    old = chunks.first(*_ID3_NAMES)
    texts = {name.encode("latin-1") for name, _ in aiff_texts(file, chunks)}
    tag = new_tag(file, wish, old.start if old else None)
    added = [NewChunk(b"ID3 ", tag.segments())] if tag.length else []

    def dropped(chunk: Chunk) -> bool:
        return chunk.name in _ID3_NAMES or chunk.name in texts

    return rebuilt(file, chunks, AIFF, dropped, added)
