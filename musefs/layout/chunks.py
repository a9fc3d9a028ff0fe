"""The chunks of RIFF/WAVE, AIFF and DSDIFF files: a four-letter name, a size, a body.

RIFF (and RF64, EBU Tech 3306) counts little-endian, AIFF big-endian, DSDIFF big-endian in 64 bits.
Bodies are hopped over.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from musefs.layout.ranged import Malformed, RangedFile

CHUNKS_MAX = 1024
_UNKNOWN_SIZE = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Chunk:
    """The body of a chunk, [start, end) in the file."""

    name: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunks:
    """All chunks of a file in order."""

    chunks: tuple[Chunk, ...]

    def first(self, *names: bytes) -> Chunk | None:
        """The first chunk with one of these names."""
        return next((chunk for chunk in self.chunks if chunk.name in names), None)


def wave_chunks(file: RangedFile) -> Chunks:
    """The chunks of a RIFF, RF64 or BW64 file of form WAVE. Raises Malformed."""
    head = file.at(0, 12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:] != b"WAVE":
        raise Malformed("is not a WAV file")
    return _walk(file, 12, "<4sI", endless=b"data")


def aiff_chunks(file: RangedFile) -> Chunks:
    """The chunks of an AIFF or AIFF-C file. Raises Malformed."""
    head = file.at(0, 12)
    if head[:4] != b"FORM" or head[8:] not in (b"AIFF", b"AIFC"):
        raise Malformed("is not an AIFF file")
    return _walk(file, 12, ">4sI", endless=b"SSND")


def dsdiff_chunks(file: RangedFile) -> Chunks:
    """The chunks of a DSDIFF file. Raises Malformed."""
    head = file.at(0, 16)
    if head[:4] != b"FRM8" or head[12:] != b"DSD ":
        raise Malformed("is not a DSDIFF file")
    return _walk(file, 16, ">4sQ", endless=b"DSD ")


def _walk(file: RangedFile, position: int, layout: str, endless: bytes) -> Chunks:
    """`endless` is the audio chunk, whose size streaming writers leave at 0 or at the maximum."""
    header = struct.calcsize(layout)
    audio_bytes: int | None = None
    chunks: list[Chunk] = []
    while position + header <= file.size and len(chunks) < CHUNKS_MAX:
        name, size = struct.unpack(layout, file.exactly(position, header))
        start = position + header
        if name == b"ds64" and size >= 16:  # RF64: 64-bit sizes of the file and of the audio
            (audio_bytes,) = struct.unpack("<8xQ", file.exactly(start, 16))
        if name == endless and size in (0, _UNKNOWN_SIZE):
            size = audio_bytes or file.size - start
        chunks.append(Chunk(name, start, min(start + size, file.size)))
        position = start + size + (size & 1)
    return Chunks(tuple(chunks))


def info_texts(file: RangedFile, chunks: Chunks) -> list[tuple[str, str]]:
    """(id, text) of LIST/INFO chunks (Multimedia Programming Interface 1.0, "INFO List Chunk")."""
    texts: list[tuple[str, str]] = []
    for chunk in chunks.chunks:
        if chunk.name != b"LIST" or file.at(chunk.start, 4) != b"INFO":
            continue
        body = file.exactly(chunk.start + 4, chunk.end - chunk.start - 4)
        position = 0
        while position + 8 <= len(body) and len(texts) < CHUNKS_MAX:
            name, size = struct.unpack_from("<4sI", body, position)
            text = _text(body[position + 8 : position + 8 + size])
            texts.append((name.decode("latin-1"), text))
            position += 8 + size + (size & 1)
    return texts


def aiff_texts(file: RangedFile, chunks: Chunks) -> list[tuple[str, str]]:
    """(name, text) of the text chunks of AIFF 1.3, section "Text Chunks"."""
    return [
        (chunk.name.decode("latin-1"), _text(file.exactly(chunk.start, chunk.end - chunk.start)))
        for chunk in chunks.chunks
        if chunk.name in (b"NAME", b"AUTH", b"ANNO", b"(c) ")
    ]


def _text(data: bytes) -> str:
    """Neither format names an encoding: UTF-8 where it fits, else the Windows one."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
