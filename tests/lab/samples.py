"""Sample files in every format, made with the usual encoders.

Needs ffmpeg, flac, lame, oggenc, opusenc and mpcenc. What no encoder writes is put together by
hand.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from mutagen import id3
from mutagen.apev2 import APEv2

from tests.lab.tagging import TrackTags, tag_id3

SECONDS = 3
_COMPLETE = ".complete-1"
_SUFFIXES = frozenset(
    {".flac", ".oga", ".mp3", ".m4a", ".ogg", ".opus", ".aiff", ".wav", ".wv", ".tta", ".wma"}
    | {".aac", ".mpc"}
)
_COMMAND_TIMEOUT_S = 120

_TAGS = (
    *("-metadata", "title=Titre", "-metadata", "artist=Beyoncé", "-metadata", "album=Alb"),
    *("-metadata", "track=3/12", "-metadata", "date=2011", "-metadata", "genre=Jazz"),
)
_PICTURE = ("-i", "cover.jpg", "-map", "0", "-map", "1", "-c:v", "copy")
_ATTACHED = ("-disposition:v", "attached_pic")
_EXACT = ("-bitexact", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1")


def _ffmpeg(target: str, *options: str) -> list[str]:
    return ["ffmpeg", "-nostdin", "-v", "error", "-y", *options, *_EXACT, target]


def _from_base(target: str, *options: str) -> list[str]:
    return _ffmpeg(target, "-i", "base.wav", *options)


def _with_cover(target: str, *options: str) -> list[str]:
    return _ffmpeg(target, "-i", "base.wav", *_PICTURE, *_ATTACHED, *options, *_TAGS)


_NOISE = f"anoisesrc=d={SECONDS}:a=0.05:seed=1"
_TONE = f"sine=440:d={SECONDS},aformat=cl=stereo"
_LAME = ("lame", "--quiet")
_FLAC = ("flac", "-s", "-f")
_FLAC_TAGS = (
    "-T",
    "TITLE=Titre",
    "-T",
    "ARTIST=Beyoncé",
    "-T",
    "ALBUM=Alb",
    "-T",
    "TRACKNUMBER=3/12",
)
_LAME_TAGS = ("--tt", "Titre", "--ta", "Beyonce", "--tl", "Alb", "--tn", "3/12", "--ty", "2011")

_COMMANDS: tuple[list[str], ...] = (
    _ffmpeg(
        "base.wav",
        *("-f", "lavfi", "-i", _TONE, "-f", "lavfi", "-i", _NOISE),
        *("-filter_complex", "amix=2", "-ar", "44100", "-ac", "2"),
    ),
    _ffmpeg("cover.jpg", "-f", "lavfi", "-i", "testsrc2=s=600x600:d=0.04", "-frames:v", "1"),
    [*_FLAC, "-8", "--picture=cover.jpg", *_FLAC_TAGS, "-o", "plain.flac", "base.wav"],
    [*_FLAC, "--serial-number=7", *_FLAC_TAGS, "--ogg", "-o", "flac.oga", "base.wav"],
    [*_LAME, "-b", "128", "--id3v2-only", *_LAME_TAGS, "--ti", "cover.jpg", "base.wav", "v23.mp3"],
    [*_LAME, "-V2", "--add-id3v2", *_LAME_TAGS, "base.wav", "v23_v1.mp3"],
    [*_LAME, "-V2", "--id3v1-only", *_LAME_TAGS, "--tg", "17", "base.wav", "v1.mp3"],
    [*_LAME, "-b", "96", "--resample", "44.1", "base.wav", "untagged.mp3"],
    _with_cover("v24.mp3", "-c:a", "libmp3lame", "-q:a", "3", "-id3v2_version", "4"),
    _with_cover("last.m4a", "-c:a", "aac", "-b:a", "128k"),
    _with_cover("first.m4a", "-c:a", "aac", "-b:a", "128k", "-movflags", "+faststart"),
    _from_base(
        "fragments.m4a",
        "-c:a",
        "aac",
        *_TAGS,
        "-movflags",
        "+empty_moov",
        "-frag_duration",
        "100000",
    ),
    _from_base("alac.m4a", "-c:a", "alac", *_TAGS),
    [
        *("oggenc", "-Q", "-s", "7", "-q", "4", "-t", "Titre", "-a", "Beyoncé", "-l", "Alb"),
        *("-N", "3/12", "-G", "Jazz", "-o", "vorbis.ogg", "base.wav"),
    ],
    [
        *("opusenc", "--quiet", "--serial", "7", "--bitrate", "96", "--title", "Titre"),
        *("--artist", "Beyoncé", "--album", "Alb", "--tracknumber", "3/12"),
        *("--picture", "cover.jpg", "base.wav", "opus.opus"),
    ],
    _from_base("pcm.aiff", *_TAGS, "-write_id3v2", "1", "-c:a", "pcm_s16be"),
    _from_base("texts.aiff", *_TAGS, "-c:a", "pcm_s16be"),
    _from_base("info.wav", *_TAGS, "-c:a", "pcm_s24le"),
    _from_base("rf64.wav", "-rf64", "always", "-c:a", "pcm_s16le"),
    _from_base("wavpack.wv", "-c:a", "wavpack", *_TAGS),
    _from_base("true.tta", "-c:a", "tta", *_TAGS),
    _from_base("windows.wma", "-c:a", "wmav2", *_TAGS),
    _from_base("adts.aac", "-c:a", "aac", "-f", "adts"),
    ["mpcenc", "--silent", "--overwrite", "base.wav", "pack.mpc"],
)


_DERIVED = (
    *("chunk.wav", "stream.dsf", "edited.dff", "id3.flac", "ape_v1.mp3"),
    *("v22.mp3", "unsynchronised.mp3"),
)

SAMPLE_NAMES: tuple[str, ...] = tuple(
    sorted(
        {
            *(name for command in _COMMANDS for name in command if Path(name).suffix in _SUFFIXES),
            *_DERIVED,
        }
        - {"base.wav"}
    )
)
"""Every sample that `make_samples` makes."""


def make_samples(folder: Path) -> dict[str, Path]:
    """One file per format and flavour, by name; does nothing when they are all there."""
    if not (folder / _COMPLETE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Others may be at it at the same time: what they make is equal, byte for byte.
        with tempfile.TemporaryDirectory(dir=folder.parent) as name:
            making = Path(name)
            for command in _COMMANDS:
                subprocess.run(command, cwd=making, check=True, timeout=_COMMAND_TIMEOUT_S)
            _derive(making)
            for path in making.iterdir():
                path.replace(folder / path.name)
        (folder / _COMPLETE).touch()
    return {name: folder / name for name in SAMPLE_NAMES}


@cache
def shared_samples() -> dict[str, Path]:
    """The samples in a folder that test runs of one user share. Not to be written to."""
    return make_samples(Path(tempfile.gettempdir()) / f"musefs-samples-{os.getuid()}")


def _derive(folder: Path) -> None:
    """The flavours that no encoder writes."""
    cover = (folder / "cover.jpg").read_bytes()
    (folder / "chunk.wav").write_bytes((folder / "info.wav").read_bytes())
    tag_id3(folder / "chunk.wav", TrackTags("Titre", ("Beyoncé",), "Alb", 3, 12), cover)
    (folder / "stream.dsf").write_bytes(dsf_bytes(SECONDS))
    tag_id3(folder / "stream.dsf", TrackTags("Titre", ("Beyoncé",), "Alb", 3, 12), cover)
    (folder / "edited.dff").write_bytes(dff_bytes(SECONDS))
    tag_id3(folder / "edited.dff", TrackTags("Titre", ("Beyoncé",), "Alb", 3, 12), None)
    ape = APEv2()
    ape.update({"Title": "Titre", "Artist": ["Beyoncé", "Jay-Z"], "Track": "3/12", "Year": "2011"})
    ape.save(folder / "pack.mpc")
    leading = id3.ID3()
    leading.add(id3.TIT2(3, ["Wrong"]))
    _put_in_front(folder / "plain.flac", folder / "id3.flac", leading)
    _stale_ape(folder / "v23_v1.mp3", folder / "ape_v1.mp3")
    audio = (folder / "untagged.mp3").read_bytes()
    (folder / "v22.mp3").write_bytes(_id3_v22(cover) + audio)
    (folder / "unsynchronised.mp3").write_bytes(_id3_unsynchronised() + audio)


def _id3_v22(cover: bytes) -> bytes:
    """ID3v2.2, section 3.2: frames with names of three letters."""

    def frame(name: bytes, body: bytes) -> bytes:
        return name + len(body).to_bytes(3, "big") + body

    frames = frame(b"TT2", b"\0Titre") + frame(b"TP1", b"\0Beyonc\xe9\0")
    frames += frame(b"PIC", b"\0JPG\x03\0" + cover) + frame(b"TRK", b"\x003/12") + bytes(100)
    return b"ID3\2\0\0" + _syncsafe(len(frames)) + frames


def _id3_unsynchronised() -> bytes:
    """ID3v2.3 with unsynchronisation (its section 5): a zero byte follows every 0xFF."""
    title = b"\1" + "Titre".encode("utf-16")
    frames = b"TIT2" + len(title).to_bytes(4, "big") + b"\0\0" + title
    picture = b"\0image/jpeg\0\x03\0" + b"\xff\xd8\xff\xe0" * 50
    frames += b"APIC" + len(picture).to_bytes(4, "big") + b"\0\0" + picture
    frames += b"TRCK" + (5).to_bytes(4, "big") + b"\0\0\x003/12"
    body = frames.replace(b"\xff", b"\xff\0")
    return b"ID3\3\0\x80" + _syncsafe(len(body)) + body


def _syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def _put_in_front(source: Path, target: Path, tag: id3.ID3) -> None:
    target.write_bytes(b"")
    tag.save(target, padding=lambda _: 64)
    target.write_bytes(target.read_bytes() + source.read_bytes())


def _stale_ape(source: Path, target: Path) -> None:
    """An APEv2 tag that an old tagger left between the audio and ID3v1."""
    shutil.copyfile(source, target)
    ape = APEv2()
    ape["Title"] = "Stale"
    whole = target.read_bytes()
    target.write_bytes(whole[:-128])
    ape.save(target)
    target.write_bytes(target.read_bytes() + whole[-128:])


def dsf_bytes(seconds: int, rate: int = 2_822_400) -> bytes:
    """A stereo DSF file of an idle tone (Sony DSF File Format Specification 1.01)."""
    blocks = -(-rate * seconds // 8 // 4096)
    data = b"\x69" * (blocks * 4096 * 2)
    fmt = struct.pack("<4sQIIIIIIQII", b"fmt ", 52, 1, 0, 2, 2, rate, 1, rate * seconds, 4096, 0)
    chunk = struct.pack("<4sQ", b"data", 12 + len(data)) + data
    size = 28 + len(fmt) + len(chunk)
    return struct.pack("<4sQQQ", b"DSD ", 28, size, 0) + fmt + chunk


def dff_bytes(seconds: int, rate: int = 2_822_400) -> bytes:
    """A stereo DSDIFF file of an idle tone (Philips DSDIFF 1.5)."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">4sQ", name, len(body)) + body + bytes(len(body) & 1)

    sound = chunk(b"FS  ", struct.pack(">I", rate))
    sound += chunk(b"CHNL", struct.pack(">H4s4s", 2, b"SLFT", b"SRGT"))
    sound += chunk(b"CMPR", b"DSD \x0enot compressed")
    body = b"DSD " + chunk(b"FVER", b"\1\5\0\0") + chunk(b"PROP", b"SND " + sound)
    body += chunk(b"DSD ", b"\x69" * (rate * seconds // 8 * 2))
    return struct.pack(">4sQ", b"FRM8", len(body)) + body
