"""RIFF and AIFF files with chunks left out and others added behind all that stay.

What is left out in front of the audio is made up for by a filler chunk, so that the audio keeps its
offset modulo ALIGNMENT_BYTES. Sizes that a streaming writer left open are filled in, as a chunk
behind the audio would be taken for audio otherwise; bytes behind the last chunk go.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from musefs.layout.chunks import CHUNKS_MAX, Chunk, Chunks
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Backing, Layout, Segment, Synthesised
from musefs.layout.synthesis.joining import joined
from musefs.layout.synthesis.parts import Parts
from musefs.layout.wish import ALIGNMENT_BYTES, Unservable

FORM_BYTES_MAX = (1 << 32) - 1
_HEADER_BYTES = 8


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a kind of file writes chunks: the struct of a header, names of audio and filler."""

    header: str
    audio: bytes
    filler: bytes


WAVE = Dialect("<4sI", b"data", b"JUNK")
AIFF = Dialect(">4sI", b"SSND", b"FLLR")


@dataclass(frozen=True, slots=True)
class NewChunk:
    """A chunk to be written behind those that stay."""

    name: bytes
    body: Sequence[Segment]


def rebuilt(
    file: RangedFile,
    chunks: Chunks,
    dialect: Dialect,
    dropped: Callable[[Chunk], bool],
    added: Sequence[NewChunk],
) -> Layout:
    """The file without the chunks that are dropped, and with those that are added.

    Raises Need, BoundReached and Unservable.
    """
    kept = _Writer(file, dialect)
    for chunk in _of_the_form(chunks, dialect):
        if dropped(chunk):
            kept.leave_out(chunk)
        else:
            kept.keep(chunk)
    for new in added:
        kept.append(new)
    return kept.layout()


def _of_the_form(chunks: Chunks, dialect: Dialect) -> list[Chunk]:
    """The chunks, without what other programs left behind them."""
    found = list(chunks.chunks)
    names = [chunk.name for chunk in found]
    audio = next((chunk for chunk in found if chunk.name == dialect.audio), None)
    if audio is None or audio.start >= audio.end:
        raise Unservable("has no audio chunk that can be found")
    if len(found) >= CHUNKS_MAX:
        raise Unservable(f"has {CHUNKS_MAX} chunks or more")
    last = names.index(dialect.audio) + 1
    while last < len(found) and all(0x20 <= letter < 0x7F for letter in names[last]):
        last += 1
    return found[:last]


class _Writer:
    def __init__(self, file: RangedFile, dialect: Dialect) -> None:
        self._file = file
        self._dialect = dialect
        self._parts = Parts(file)
        self._missing_bytes: int | None = 0  # in front of the audio; None behind it

    def leave_out(self, chunk: Chunk) -> None:
        if self._missing_bytes is not None:
            length = chunk.end - chunk.start
            self._missing_bytes += _HEADER_BYTES + length + (length & 1)

    def keep(self, chunk: Chunk) -> None:
        audio = chunk.name == self._dialect.audio
        if audio and self._missing_bytes is not None:
            self._fill(self._missing_bytes)
            self._missing_bytes = None
        length = chunk.end - chunk.start
        self._parts.add(self._header(chunk.name, length))
        if audio:
            self._parts.put(Backing(chunk.start, length))
        else:
            self._parts.keep(chunk.start, chunk.end)
        self._parts.add(bytes(length & 1))

    def append(self, chunk: NewChunk) -> None:
        length = sum(segment.length for segment in chunk.body)
        self._parts.add(self._header(chunk.name, length))
        for segment in chunk.body:
            self._parts.put(segment)
        self._parts.add(bytes(length & 1))

    def layout(self) -> Layout:
        form = self._file.exactly(8, 4)
        name = self._file.exactly(0, 4)
        head = self._header(name, len(form) + self._parts.length) + form
        return joined([Synthesised(head), *self._parts.segments()])

    def _header(self, name: bytes, length: int) -> bytes:
        if length > FORM_BYTES_MAX:
            raise Unservable("would be larger than 4 GiB, which its format cannot say")
        return struct.pack(self._dialect.header, name, length)

    def _fill(self, missing_bytes: int) -> None:
        length = missing_bytes % ALIGNMENT_BYTES
        if 0 < length < _HEADER_BYTES:
            length += ALIGNMENT_BYTES
        if length:
            filling = bytes(length - _HEADER_BYTES)
            self._parts.add(self._header(self._dialect.filler, len(filling)) + filling)
