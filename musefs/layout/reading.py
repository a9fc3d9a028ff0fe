"""Reads the tags of one file, of a format that the caller names.

The containers are walked by hand, so that a remote file costs few bytes; mutagen decodes what lies
in them and is told the class, never left to guess it: it takes a FLAC file behind an ID3v2 tag for
MP3. Whatever goes wrong in a stranger's file is told as Malformed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from mutagen import MutagenError
from mutagen.asf import ASF
from mutagen.id3 import ID3
from mutagen.mp4 import MP4

from musefs.layout.ape_items import read_ape
from musefs.layout.asf_objects import asf_header, asf_pictures, without_pictures
from musefs.layout.atoms import compact, movie
from musefs.layout.audio_range import audio_range
from musefs.layout.chunks import (
    aiff_chunks,
    aiff_texts,
    dsdiff_chunks,
    info_texts,
    wave_chunks,
)
from musefs.layout.flac_blocks import PICTURE, VORBIS_COMMENT, flac_blocks
from musefs.layout.formats import WITHOUT_MAGIC, Format, sniff
from musefs.layout.id3_frames import Id3Tag, add_id3v1, decode, read_id3
from musefs.layout.ogg_headers import ogg_headers
from musefs.layout.pictures import Picture, flac_picture, mp4_pictures
from musefs.layout.ranged import BoundReached, Malformed, RangedFile
from musefs.layout.stream_info import StreamInfo, mpeg_info, stream_info
from musefs.layout.tag_ends import ID3V1_BYTES, skip_id3v2, tail_tags
from musefs.layout.tags import (
    NO_TAGS,
    Tags,
    from_aiff_texts,
    from_ape,
    from_asf,
    from_id3,
    from_info,
    from_mp4,
    from_vorbis,
)
from musefs.layout.vorbis_comments import comment_pictures, vorbis_comments

_REASON_CHARACTERS_MAX = 160
_MPEG_PROOF_BYTES = 4096


@dataclass(frozen=True, slots=True)
class TagReading:
    """What a file says of itself. The audio lies in [audio_start, audio_end), in bytes.

    `scattered`: readers of tags look all along the audio, to know its length.
    """

    format: Format
    tags: Tags
    pictures: tuple[Picture, ...]
    audio_start: int
    audio_end: int
    duration_s: float | None
    sample_rate: int | None
    scattered: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    tags: Tags = field(default_factory=lambda: NO_TAGS)
    pictures: tuple[Picture, ...] = ()
    info: StreamInfo | None = None
    format: Format | None = None
    scattered: bool = False


def read_tags(kind: Format, file: RangedFile) -> TagReading:
    """Raises Need when bytes are missing (fetch them and call again), and Malformed."""
    try:
        found = _READERS[kind](file) if kind in _READERS else _Found(format=Format.OTHER)
        actual = found.format or kind
        start, end = audio_range(actual, file)
        info = found.info or stream_info(actual, file, start, end)
    except Malformed:
        raise
    except BoundReached as error:
        raise Malformed(str(error)) from error
    except Exception as error:  # parsers raise anything on bytes that nobody foresaw
        raise Malformed(_reason(error)) from error
    scattered = found.scattered or actual is Format.AAC
    return TagReading(
        *(actual, found.tags, found.pictures, start, end),
        *(info.duration_s, info.sample_rate, scattered),
    )


def _reason(error: Exception) -> str:
    line = " ".join(str(error).split())[:_REASON_CHARACTERS_MAX]
    text = "".join(letter if letter.isprintable() else "?" for letter in line)
    return f"has tags that cannot be read: {type(error).__name__} {text}".rstrip()


def _flac(file: RangedFile) -> _Found:
    blocks = flac_blocks(file)
    tags = NO_TAGS
    for block in blocks.of(VORBIS_COMMENT)[:1]:
        tags = from_vorbis(vorbis_comments(file.exactly(block.start, block.end - block.start)))
    pictures = (flac_picture(file, block.start, block.end) for block in blocks.of(PICTURE))
    return _Found(tags, tuple(pictures))


def _ogg(file: RangedFile) -> _Found:
    headers = ogg_headers(file)
    comments = vorbis_comments(headers.comment)
    return _Found(from_vorbis(comments), comment_pictures(comments), format=headers.codec)


def _id3_found(file: RangedFile, tag: Id3Tag | None, id3v1: int | None = None) -> _Found:
    decoded: Any = decode(tag) if tag else ID3()
    if id3v1 is not None:
        add_id3v1(decoded, file.exactly(id3v1, ID3V1_BYTES))
    return _Found(from_id3(decoded), tag.pictures if tag else ())


def _mp3(file: RangedFile) -> _Found:
    tag, start = read_id3(file), skip_id3v2(file)
    tail = tail_tags(file, start)
    if tag is None:
        _require_mpeg_frames(file, start, tail.audio_end)
    elif sniff(file.part(start, file.size, at_hand=True).at(0, 64)) not in _MPEG_OR_UNKNOWN:
        raise Malformed("is not an MPEG audio file: another format follows its ID3v2 tag")
    # An APEv2 tag next to ID3 is stale more often than not, and players disagree: it counts alone.
    if tag is None and tail.ape:
        return _ape_found(file, tail.ape)
    return _id3_found(file, tag, tail.id3v1)


_MPEG_OR_UNKNOWN = WITHOUT_MAGIC | {None}


def _require_mpeg_frames(file: RangedFile, start: int, end: int) -> None:
    file.exactly(start, min(_MPEG_PROOF_BYTES, end - start))
    try:
        mpeg_info(file, start, end)
    except MutagenError as error:
        raise Malformed("holds no MPEG audio frames") from error


def _aac(file: RangedFile) -> _Found:
    start = skip_id3v2(file)
    if file.at(start, 4) != b"ADIF" and sniff(file.at(start, 64)) is not Format.AAC:
        raise Malformed("is not an AAC file")
    return _id3_found(file, read_id3(file))


def _tta(file: RangedFile) -> _Found:
    tag, start = read_id3(file), skip_id3v2(file)
    if file.at(start, 4) != b"TTA1":
        raise Malformed("is not a TTA file")
    tail = tail_tags(file, start)
    if tag is None and tail.ape:
        return _ape_found(file, tail.ape)
    return _id3_found(file, tag, tail.id3v1)


def _ape_found(file: RangedFile, place: tuple[int, int]) -> _Found:
    ape = read_ape(file, *place)
    return _Found(from_ape(ape.items), ape.pictures)


def _with_ape(*magic: bytes) -> Callable[[RangedFile], _Found]:
    """A reader of formats whose tag is APEv2, with ID3v1 as the last resort."""

    def read(file: RangedFile) -> _Found:
        start = skip_id3v2(file)
        if not file.at(start, 4).startswith(magic):
            raise Malformed(f"does not begin with {magic[0].decode().strip()}")
        tail = tail_tags(file, start)
        if tail.ape:
            return _ape_found(file, tail.ape)
        return _id3_found(file, None, tail.id3v1)

    return read


def _mp4(file: RangedFile) -> _Found:
    moov = movie(file).moov
    pictures = tuple(mp4_pictures(file, moov.payload, moov.end))
    # mutagen would hop over every fragment and read every picture.
    movie_only = MP4(BytesIO(compact(file, moov)))
    tags = from_mp4(movie_only.tags or {})
    length, rate = float(movie_only.info.length), int(movie_only.info.sample_rate)
    info = StreamInfo(length or None, rate or None)
    return _Found(tags, pictures, info, scattered=movie(file).fragmented)


def _wav(file: RangedFile) -> _Found:
    chunks = wave_chunks(file)
    tag = chunks.first(b"id3 ", b"ID3 ")
    if tag:
        return _id3_found(file, read_id3(file, tag.start))
    return _Found(from_info(info_texts(file, chunks)))


def _aiff(file: RangedFile) -> _Found:
    chunks = aiff_chunks(file)
    tag = chunks.first(b"ID3 ", b"id3 ")
    if tag:
        return _id3_found(file, read_id3(file, tag.start))
    return _Found(from_aiff_texts(aiff_texts(file, chunks)))


def _dff(file: RangedFile) -> _Found:
    tag = dsdiff_chunks(file).first(b"ID3 ")
    return _id3_found(file, read_id3(file, tag.start)) if tag else _Found()


def _dsf(file: RangedFile) -> _Found:
    head = file.exactly(0, 28)
    if head[:4] != b"DSD ":
        raise Malformed("is not a DSF file")
    (pointer,) = struct.unpack("<Q", head[20:])
    if not pointer:
        return _Found()
    if pointer >= file.size:
        raise Malformed("is cut off in front of its ID3v2 tag")
    return _id3_found(file, read_id3(file, pointer))


def _asf(file: RangedFile) -> _Found:
    header = asf_header(file)
    read = ASF(BytesIO(without_pictures(file, header)))
    info = StreamInfo(float(read.info.length) or None, int(read.info.sample_rate) or None)
    return _Found(from_asf(read.tags), asf_pictures(file, header), info)


_READERS: dict[Format, Callable[[RangedFile], _Found]] = {
    Format.FLAC: _flac,
    Format.MP3: _mp3,
    Format.MP4: _mp4,
    Format.VORBIS: _ogg,
    Format.OPUS: _ogg,
    Format.OGGFLAC: _ogg,
    Format.SPEEX: _ogg,
    Format.WAV: _wav,
    Format.AIFF: _aiff,
    Format.WAVPACK: _with_ape(b"wvpk"),
    Format.APE: _with_ape(b"MAC "),
    Format.MUSEPACK: _with_ape(b"MPCK", b"MP+"),
    Format.TTA: _tta,
    Format.DSF: _dsf,
    Format.DFF: _dff,
    Format.ASF: _asf,
    Format.AAC: _aac,
}
