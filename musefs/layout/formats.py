"""The audio formats that musefs knows: by extension, by magic number, and where their tags lie.

An extension is a claim, a magic number is evidence. MPEG audio and ADTS have no magic number worth
the name (twelve set bits), so `sniff` answers MP3 and AAC only when nothing better is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Format(StrEnum):
    """How a file's audio and tags are laid out. OTHER is audio that is served as it is."""

    FLAC = "flac"
    MP3 = "mp3"
    MP4 = "mp4"
    VORBIS = "vorbis"
    OPUS = "opus"
    OGGFLAC = "oggflac"
    SPEEX = "speex"
    WAV = "wav"
    AIFF = "aiff"
    WAVPACK = "wavpack"
    APE = "ape"
    MUSEPACK = "musepack"
    TTA = "tta"
    DSF = "dsf"
    DFF = "dff"
    ASF = "asf"
    AAC = "aac"
    OTHER = "other"


_EXTENSIONS = {
    Format.FLAC: "flac fla",
    Format.MP3: "mp3 mp2 mpga",
    Format.MP4: "m4a m4b m4p m4r mp4",
    Format.VORBIS: "ogg oga",
    Format.OPUS: "opus",
    Format.SPEEX: "spx",
    Format.WAV: "wav wave",
    Format.AIFF: "aiff aif aifc",
    Format.WAVPACK: "wv",
    Format.APE: "ape",
    Format.MUSEPACK: "mpc mp+ mpp",
    Format.TTA: "tta",
    Format.DSF: "dsf",
    Format.DFF: "dff",
    Format.ASF: "wma asf",
    Format.AAC: "aac adts",
    Format.OTHER: "tak ofr ofs shn mka weba w64 au snd caf ac3 eac3 dts ra amr mid midi",
}

EXTENSIONS: Mapping[str, Format] = MappingProxyType(
    {name: kind for kind, names in _EXTENSIONS.items() for name in names.split()}
)
"""Lower-case extension without the dot to format."""

TAIL_BYTES = 16 << 10
"""How much of a file's end usually holds all of the tags that stand there."""

TAGS_AT_THE_END = frozenset(
    {
        Format.MP3,  # ID3v1 in the last 128 bytes, APEv2 and Lyrics3 in front of it
        Format.TTA,  # the same
        Format.AAC,  # the same
        Format.WAVPACK,  # APEv2
        Format.APE,  # APEv2
        Format.MUSEPACK,  # APEv2
        Format.WAV,  # "id3 " and LIST/INFO chunks behind the audio
        Format.AIFF,  # "ID3 " and text chunks behind the audio
        Format.DFF,  # "ID3 " chunk behind the audio
        Format.DSF,  # a pointer in the header leads to ID3v2 at the end
    }
)

WITHOUT_MAGIC = frozenset({Format.MP3, Format.AAC})
"""Formats whose `sniff` is a guess, so that an extension weighs more."""

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
"""GUID of the ASF header object (ASF specification 10.1)."""

# Magic number at the start of the file, or behind leading ID3v2 tags.
_MAGIC = (
    (b"fLaC", Format.FLAC),  # RFC 9639 section 6
    (b"wvpk", Format.WAVPACK),  # WavPack 4 & 5 Binary File / Block Format, section 2
    (b"MAC ", Format.APE),  # Monkey's Audio SDK, APE_COMMON_HEADER
    (b"MPCK", Format.MUSEPACK),  # Musepack SV8 specification
    (b"MP+", Format.MUSEPACK),  # Musepack SV7
    (b"TTA1", Format.TTA),  # TTA1 specification
    (b"DSD ", Format.DSF),  # Sony DSF File Format Specification 1.01
    (ASF_HEADER, Format.ASF),
)

# The first packet of an Ogg stream, behind the page header (RFC 3533 section 6).
_OGG_CODECS = (
    (b"\x01vorbis", Format.VORBIS),  # Vorbis I specification 4.2.1
    (b"OpusHead", Format.OPUS),  # RFC 7845 section 5.1
    (b"\x7fFLAC", Format.OGGFLAC),  # RFC 9639 section 10.1
    (b"Speex   ", Format.SPEEX),  # The Speex Codec Manual, "Ogg file format"
)


def format_of(name: str) -> Format | None:
    """The format that a file name claims, None when it is not the name of an audio file."""
    _, dot, extension = name.rpartition(".")
    return EXTENSIONS.get(extension.lower()) if dot else None


def tail_bytes(kind: Format | None) -> int:
    """How many bytes of the end are worth reading together with the head."""
    return TAIL_BYTES if kind in TAGS_AT_THE_END else 0


def ogg_codec(packet: bytes) -> Format | None:
    """The codec that the first packet of an Ogg stream announces."""
    return next((codec for magic, codec in _OGG_CODECS if packet.startswith(magic)), None)


def sniff(head: bytes) -> Format | None:
    """The format that the first bytes of a file show, None when nothing is recognised.

    Behind leading ID3v2 tags the magic number of the real format counts; if it is out of sight, MP3
    is the best guess.
    """
    start = 0
    while head[start : start + 3] == b"ID3" and len(head) >= start + 10:
        start += 10 + syncsafe(head[start + 6 : start + 10]) + (head[start + 5] & 0x10 and 10)
    body = head[start : start + 300]
    found = next((kind for magic, kind in _MAGIC if body.startswith(magic)), None)
    return found or _container(body) or _stream(body) or (Format.MP3 if start else None)


def _container(body: bytes) -> Format | None:
    kind, form = body[:4], body[8:12]
    if kind in (b"RIFF", b"RF64", b"BW64") and form == b"WAVE":  # EBU Tech 3306, ITU-R BS.2088
        return Format.WAV
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):  # Audio Interchange File Format 1.3
        return Format.AIFF
    if kind == b"FRM8" and body[12:16] == b"DSD ":  # Philips DSDIFF 1.5
        return Format.DFF
    if body[4:8] == b"ftyp":  # ISO/IEC 14496-12 section 4.3
        return Format.MP4
    if kind == b"OggS" and len(body) > 27:
        return ogg_codec(body[27 + body[26] :])
    return None


def _stream(body: bytes) -> Format | None:
    if len(body) < 2 or body[0] != 0xFF or body[1] & 0xE0 != 0xE0:
        return None
    if body[1] & 0xF6 == 0xF0:  # ADTS: layer bits are 0 (ISO/IEC 13818-7 section 6.2)
        return Format.AAC
    return Format.MP3 if body[1] & 0x06 else None  # ISO/IEC 11172-3 section 2.4.1.3


def syncsafe(number: bytes) -> int:
    """An integer of seven bits a byte (ID3v2.4 structure, section 6.2)."""
    value = 0
    for byte in number:
        value = value << 7 | byte & 0x7F
    return value
