"""Re-tagged WAV files: an "id3 " chunk at the end, and a LIST/INFO chunk where there was one.

Files of more than 4 GiB (RF64 and BW64, EBU Tech 3306) keep sizes elsewhere and are not made.
"""

from __future__ import annotations

from musefs.layout.chunks import Chunk, info_texts, wave_chunks
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Layout, Synthesised
from musefs.layout.synthesis.chunk_files import WAVE, NewChunk, rebuilt
from musefs.layout.synthesis.id3_tag import new_tag
from musefs.layout.synthesis.info_chunks import info_body
from musefs.layout.wish import Unservable, Wish

_ID3_NAMES = (b"id3 ", b"ID3 ")


def wave(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged file. Raises Need, Malformed, BoundReached, Unservable."""
    if file.at(0, 4) != b"RIFF":
        raise Unservable("is an RF64 or BW64 file, whose tags musefs does not change")
    chunks = wave_chunks(file)
    old = chunks.first(*_ID3_NAMES)
    infos = {
        chunk
        for chunk in chunks.chunks
        if chunk.name == b"LIST" and file.at(chunk.start, 4) == b"INFO"
    }
    tag = new_tag(file, wish, old.start if old else None)
    added: list[NewChunk] = []
    body = info_body(info_texts(file, chunks), wish.tags, alone=old is None) if infos else b""
    if body:
        added.append(NewChunk(b"LIST", [Synthesised(body)]))
    if tag.length:
        added.append(NewChunk(b"id3 ", tag.segments()))

    def dropped(chunk: Chunk) -> bool:
        return chunk.name in _ID3_NAMES or chunk in infos

    return rebuilt(file, chunks, WAVE, dropped, added)
