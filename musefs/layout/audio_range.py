"""Where a file's audio payload lies: the bytes that a new tag leaves alone.

Chunks are cut from the start of this range, so a re-tagged twin shares all of them. What cannot be
told for sure is the whole file. In fragmented MP4 the range runs from the first sample to the
fragment index and includes the later fragments' headers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from musefs.layout.atoms import movie
from musefs.layout.chunks import Chunk, aiff_chunks, dsdiff_chunks, wave_chunks
from musefs.layout.flac_blocks import flac_blocks
from musefs.layout.formats import Format
from musefs.layout.ogg_headers import ogg_headers
from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.tag_ends import ID3V1_BYTES, skip_id3v2, tail_tags

_DSF_DATA_HEADER_BYTES = 12


def audio_range(kind: Format, file: RangedFile) -> tuple[int, int]:
    """(start, end) in bytes, the whole file when unknown. Raises Malformed, Need, BoundReached."""
    find = _FINDERS.get(kind)
    if find is None:
        return 0, file.size
    start, end = find(file)
    return (start, end) if 0 <= start < end <= file.size else (0, file.size)


def _flac(file: RangedFile) -> tuple[int, int]:
    """Behind the metadata blocks; APEv2 is not looked for, ID3v1 is seen in passing."""
    start = flac_blocks(file).audio_start
    tail = file.part(file.size - ID3V1_BYTES, file.size, at_hand=True).at(0, 3)
    tagged = tail == b"TAG" and file.size - start > ID3V1_BYTES
    return start, file.size - (ID3V1_BYTES if tagged else 0)


def _between_tags(file: RangedFile) -> tuple[int, int]:
    """Streams with tags in front and behind: MPEG, ADTS, TTA, WavPack, Monkey's Audio, Musepack."""
    start = skip_id3v2(file)
    return start, tail_tags(file, start).audio_end


def _mp4(file: RangedFile) -> tuple[int, int]:
    found = movie(file)
    return found.audio_start, found.audio_end


def _ogg(file: RangedFile) -> tuple[int, int]:
    return ogg_headers(file).audio_start or 0, file.size


def _wav(file: RangedFile) -> tuple[int, int]:
    return _body(wave_chunks(file).first(b"data"), file)


def _aiff(file: RangedFile) -> tuple[int, int]:
    return _body(aiff_chunks(file).first(b"SSND"), file)


def _dff(file: RangedFile) -> tuple[int, int]:
    return _body(dsdiff_chunks(file).first(b"DSD ", b"DST "), file)


def _body(chunk: Chunk | None, file: RangedFile) -> tuple[int, int]:
    return (chunk.start, chunk.end) if chunk else (0, file.size)


def _dsf(file: RangedFile) -> tuple[int, int]:
    """Sony DSF 1.01: chunks DSD (28 bytes), fmt, data, one after another."""
    if file.at(0, 4) != b"DSD ":
        raise Malformed("is not a DSF file")
    (fmt_bytes,) = struct.unpack("<Q", file.exactly(32, 8))
    chunk = 28 + fmt_bytes
    if chunk + _DSF_DATA_HEADER_BYTES > file.size:
        raise Malformed("is cut off inside its DSF header")
    head = file.exactly(chunk, _DSF_DATA_HEADER_BYTES)
    (data_bytes,) = struct.unpack("<4xQ", head)
    return chunk + _DSF_DATA_HEADER_BYTES, min(chunk + data_bytes, file.size)


def _asf(file: RangedFile) -> tuple[int, int]:
    """ASF specification, section 5: the data object follows the header object."""
    (header_bytes,) = struct.unpack("<16xQ", file.exactly(0, 24))
    if header_bytes + 24 > file.size:
        raise Malformed("is cut off inside its ASF header")
    (data_bytes,) = struct.unpack("<16xQ", file.exactly(header_bytes, 24))
    return header_bytes, min(header_bytes + data_bytes, file.size)


_FINDERS: dict[Format, Callable[[RangedFile], tuple[int, int]]] = {
    Format.FLAC: _flac,
    Format.MP3: _between_tags,
    Format.AAC: _between_tags,
    Format.TTA: _between_tags,
    Format.WAVPACK: _between_tags,
    Format.APE: _between_tags,
    Format.MUSEPACK: _between_tags,
    Format.MP4: _mp4,
    Format.VORBIS: _ogg,
    Format.OPUS: _ogg,
    Format.OGGFLAC: _ogg,
    Format.SPEEX: _ogg,
    Format.WAV: _wav,
    Format.AIFF: _aiff,
    Format.DFF: _dff,
    Format.DSF: _dsf,
    Format.ASF: _asf,
}
