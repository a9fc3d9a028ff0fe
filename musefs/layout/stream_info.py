"""How long a file plays and at which sample rate, as far as the bytes at hand tell.

Nothing is fetched for it: a length that only the end of a remote file shows is left unknown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from mutagen.aac import AACInfo
from mutagen.monkeysaudio import MonkeysAudioInfo
from mutagen.mp3 import MPEGInfo
from mutagen.musepack import MusepackInfo

from musefs.layout.chunks import Chunk, aiff_chunks, dsdiff_chunks, wave_chunks
from musefs.layout.flac_blocks import STREAMINFO, flac_blocks
from musefs.layout.formats import Format
from musefs.layout.ogg_headers import last_granule, ogg_headers
from musefs.layout.ranged import BoundReached, RangedFile

# WavPack 4 & 5 Binary File / Block Format, section 2: bits 23-26 of the flags
_WAVPACK_RATES = (
    *(6000, 8000, 9600, 11025, 12000, 16000, 22050, 24000),
    *(32000, 44100, 48000, 64000, 88200, 96000, 192000, 0),
)


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """Seconds and hertz, None where unknown."""

    duration_s: float | None = None
    sample_rate: int | None = None


UNKNOWN = StreamInfo()


@dataclass(frozen=True, slots=True)
class _Stream:
    """A file as far as it is at hand, and where its audio lies."""

    file: RangedFile
    start: int
    end: int

    @property
    def audio(self) -> RangedFile:
        return self.file.part(self.start, self.end, at_hand=True)


def stream_info(kind: Format, file: RangedFile, start: int, end: int) -> StreamInfo:
    """What is known of a stream whose audio lies in [start, end). Never raises Need."""
    reader = _READERS.get(kind)
    if reader is None:
        return UNKNOWN
    try:
        return reader(_Stream(RangedFile(file.extents, at_hand=True), start, end))
    except (Exception, BoundReached):  # noqa: BLE001 - a length is a convenience, whatever breaks it
        return UNKNOWN


def info(samples: float, rate: float) -> StreamInfo:
    """From a count of samples, where 0 means unknown."""
    known = rate > 0 and samples > 0
    return StreamInfo(samples / rate if known else None, round(rate) if rate > 0 else None)


def mpeg_info(file: RangedFile, start: int, end: int) -> Any:
    """mutagen's view of the first MPEG frames at hand. Raises mutagen.MutagenError."""
    return MPEGInfo(file.part(start, end, at_hand=True), 0)


def _of_mutagen(found: Any) -> StreamInfo:
    return StreamInfo(float(found.length) or None, int(found.sample_rate) or None)


def _mp3(stream: _Stream) -> StreamInfo:
    return _of_mutagen(mpeg_info(stream.file, stream.start, stream.end))


def _aac(stream: _Stream) -> StreamInfo:
    return _of_mutagen(AACInfo(stream.audio))


def _ape(stream: _Stream) -> StreamInfo:
    return _of_mutagen(MonkeysAudioInfo(BytesIO(stream.audio.at(0, 76))))


def _musepack(stream: _Stream) -> StreamInfo:
    return _of_mutagen(MusepackInfo(stream.audio))


def streaminfo_block(block: bytes) -> StreamInfo:
    """From a STREAMINFO block's body, RFC 9639 section 8.2."""
    packed = int.from_bytes(block[10:18], "big")
    return info(packed & 0xFFFFFFFFF, packed >> 44)


def _flac(stream: _Stream) -> StreamInfo:
    block = flac_blocks(stream.file).of(STREAMINFO)[0]
    return streaminfo_block(stream.file.at(block.start, 34))


def _ogg(stream: _Stream) -> StreamInfo:
    headers = ogg_headers(stream.file)
    granule = last_granule(stream.file, headers.serial) or 0
    first = headers.identification
    if headers.codec is Format.OPUS:  # RFC 7845 section 4: 48 kHz whatever was encoded
        return info(granule - struct.unpack_from("<H", first, 10)[0], 48_000)
    if headers.codec is Format.OGGFLAC:
        known = streaminfo_block(first[17:51])
        return known if known.duration_s else info(granule, known.sample_rate or 0)
    place = 12 if headers.codec is Format.VORBIS else 36
    return info(granule, struct.unpack_from("<I", first, place)[0])


def _wav(stream: _Stream) -> StreamInfo:
    chunk = _first_of(wave_chunks, stream.file, b"fmt ")
    rate, bytes_per_s = struct.unpack("<4xII", stream.file.at(chunk.start, 12))
    return StreamInfo(
        (stream.end - stream.start) / bytes_per_s if bytes_per_s else None, rate or None
    )


def _aiff(stream: _Stream) -> StreamInfo:
    chunk = _first_of(aiff_chunks, stream.file, b"COMM")
    frames, exponent, mantissa = struct.unpack(">2xI2xHQ", stream.file.at(chunk.start, 18))
    return info(frames, mantissa * 2.0 ** ((exponent & 0x7FFF) - 16383 - 63))


def _dff(stream: _Stream) -> StreamInfo:
    chunk = _first_of(dsdiff_chunks, stream.file, b"PROP")
    body = stream.file.at(chunk.start, min(chunk.end - chunk.start, 4096))
    rate_at, channels_at = body.find(b"FS  "), body.find(b"CHNL")
    (rate,) = struct.unpack_from(">I", body, rate_at + 12)
    (channels,) = struct.unpack_from(">H", body, channels_at + 12)
    return info((stream.end - stream.start) * 8 / channels, rate)


def _first_of(walk: Callable[[RangedFile], Any], file: RangedFile, name: bytes) -> Chunk:
    # The walk goes on behind the audio, which need not be at hand: the head alone is enough.
    head = RangedFile(file.extents, 0, max(file.extents.known_until(0), 16), at_hand=True)
    chunk: Chunk = walk(head).first(name)
    return chunk


def _wavpack(stream: _Stream) -> StreamInfo:
    samples, flags = struct.unpack("<12xI8xI", stream.audio.at(0, 28))
    rate = _WAVPACK_RATES[flags >> 23 & 0xF] * (4 if flags >> 31 else 1)
    return info(samples if samples != 0xFFFFFFFF else 0, rate)


def _tta(stream: _Stream) -> StreamInfo:
    rate, samples = struct.unpack("<10xII", stream.audio.at(0, 18))
    return info(samples, rate)


def _dsf(stream: _Stream) -> StreamInfo:
    rate, samples = struct.unpack("<I4xQ", stream.file.at(56, 16))  # behind 28 + 28 bytes
    return info(samples, rate)


_READERS: dict[Format, Callable[[_Stream], StreamInfo]] = {
    Format.FLAC: _flac,
    Format.MP3: _mp3,
    Format.VORBIS: _ogg,
    Format.OPUS: _ogg,
    Format.OGGFLAC: _ogg,
    Format.SPEEX: _ogg,
    Format.WAV: _wav,
    Format.AIFF: _aiff,
    Format.WAVPACK: _wavpack,
    Format.APE: _ape,
    Format.MUSEPACK: _musepack,
    Format.TTA: _tta,
    Format.DSF: _dsf,
    Format.DFF: _dff,
    Format.AAC: _aac,
}
