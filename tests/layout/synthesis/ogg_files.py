"""Ogg files for the tests of their maker: samples, and what encoders and taggers seldom make."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from mutagen.flac import Picture as PictureBlock
from mutagen.ogg import OggPage
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from musefs.layout.formats import Format
from musefs.layout.ogg_pages import renumbered, window
from musefs.layout.picture_text import raw_range, text
from musefs.layout.ranged import Extents, Need, RangedFile, in_memory
from musefs.layout.reading import TagReading, read_tags
from musefs.layout.segments import ArtText, Backing, Layout, Pages, Segment, Synthesised
from musefs.layout.synthesis.ogg import ogg
from musefs.layout.wish import Cover, Wish
from musefs.model import PictureId
from tests.lab.samples import shared_samples

SIDE_PIXELS = 1030
CLASSES: dict[Format, Any] = {
    Format.VORBIS: OggVorbis,
    Format.OPUS: OggOpus,
    Format.OGGFLAC: OggFLAC,
}


@dataclass(frozen=True, slots=True)
class OggFile:
    """A file, and how many header packets it has behind the first."""

    kind: Format
    data: bytes
    others: int


@cache
def large_art(seed: int) -> bytes:
    """A JPEG of noise, of about 1 MiB."""
    source = f"nullsrc=s=64x64,geq=random({seed})*255:128:128,scale={SIDE_PIXELS}:-1:flags=neighbor"
    noise = f"{source},noise=alls=90:all_seed={seed}"
    command = ("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", noise)
    options = ("-frames:v", "1", "-q:v", "2", "-f", "mjpeg", "-")
    return _run(*command, *options)


@cache
def given_cover() -> Cover:
    """The picture that a user gave."""
    data = large_art(1)
    return Cover(PictureId(7), "image/jpeg", SIDE_PIXELS, SIDE_PIXELS, len(data), data)


def _run(*command: str | Path) -> bytes:
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def _tagged(name: str, kind: Format, tags: dict[str, list[str]]) -> bytes:
    """A sample that mutagen has tagged."""
    file = BytesIO(shared_samples()[name].read_bytes())
    found = CLASSES[kind](file)
    found.update(tags)
    file.seek(0)
    found.save(file)
    return file.getvalue()


def picture_comment(data: bytes, kind: int) -> str:
    """The value of a METADATA_BLOCK_PICTURE comment."""
    block = PictureBlock()
    block.type, block.mime, block.data = kind, "image/jpeg", data
    block.width = block.height = SIDE_PIXELS
    block.depth = 24
    return b64encode(block.write()).decode()


@cache
def ogg_files() -> dict[str, OggFile]:
    """All of them by name."""
    samples = shared_samples()
    back = picture_comment(large_art(2), 4)
    files = {
        "vorbis": OggFile(Format.VORBIS, samples["vorbis.ogg"].read_bytes(), 2),
        "opus": OggFile(Format.OPUS, samples["opus.opus"].read_bytes(), 1),
        "flac": OggFile(Format.OGGFLAC, samples["flac.oga"].read_bytes(), 3),
        "opus, large art": OggFile(Format.OPUS, _opusenc(), 1),
        "flac, blocks": OggFile(Format.OGGFLAC, _blocks(), 4),
    }
    pictures = {"metadata_block_picture": [picture_comment(large_art(3), 3), back]}
    for name, kind, file in (
        ("vorbis", Format.VORBIS, "vorbis.ogg"),
        ("flac", Format.OGGFLAC, "flac.oga"),
    ):
        others = files[name].others
        files[f"{name}, large art"] = OggFile(kind, _tagged(file, kind, pictures), others)
        lyrics = {"lyrics": ["La la, la.\n" * 20_000 + "La!"]}
        files[f"{name}, lyrics"] = OggFile(kind, _tagged(file, kind, lyrics), others)
    for name in ("vorbis", "opus", "flac"):
        plain = files[name]
        for length in (255, 700, 4_000):
            split = repaged(plain.data, plain.others, length)
            files[f"{name}, pages of {length}"] = OggFile(plain.kind, split, plain.others)
    return files


def _opusenc() -> bytes:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "art.jpg").write_bytes(large_art(3))
        base = shared_samples()["vorbis.ogg"].parent / "base.wav"
        target = folder / "made.opus"
        options = ("--quiet", "--title", "Titre", "--picture", folder / "art.jpg")
        _run("opusenc", *options, base, target)
        return target.read_bytes()


def _blocks() -> bytes:
    """Ogg FLAC with a seek table, a PICTURE packet and no padding."""
    with tempfile.TemporaryDirectory() as name:
        base = shared_samples()["vorbis.ogg"].parent / "base.wav"
        cover = base.with_name("cover.jpg")
        target = Path(name) / "made.oga"
        options = ("-s", "--ogg", "--no-padding", "-S", "0.5s", f"--picture={cover}")
        _run("flac", *options, "-T", "TITLE=Titre", "-T", "REPLAYGAIN=x", "-o", target, base)
        return target.read_bytes()


def repaged(data: bytes, others: int, length: int) -> bytes:
    """The same with its headers on pages of about so many bytes each."""
    file = BytesIO(data)
    first, rest = OggPage(file), []
    while file.tell() < len(data):
        rest.append(OggPage(file))
    count, packets = 0, 0
    while packets < others:
        packets += len(rest[count].packets) - (not rest[count].complete)
        count += 1
    headers = OggPage.to_packets(rest[:count])
    pages = OggPage.from_packets(headers, sequence=1, default_size=length, wiggle_room=0)
    for page in pages:
        ends = page.complete or len(page.packets) > 1
        page.serial, page.position = first.serial, 0 if ends else -1
    for number, page in enumerate(rest[count:], len(pages) + 1):
        page.sequence = number
    return b"".join(page.write() for page in [first, *pages, *rest[count:]])


def make(original: bytes, wish: Wish) -> tuple[Layout, list[tuple[int, int]]]:
    """The layout, and the ranges that were asked for. Reads ahead, as who keeps heads does."""
    extents = Extents(len(original))
    asked: list[tuple[int, int]] = []
    while True:
        try:
            return ogg(RangedFile(extents), wish), asked
        except Need as need:
            asked.append((need.start, need.end))
            extents.add(need.start, original[need.start : max(need.end, need.start + (64 << 10))])


def bytes_of(segments: list[Segment], original: bytes, art: bytes = b"") -> bytes:
    """What a reader gets."""
    return b"".join(_bytes_of(segment, original, art) for segment in segments)


def _bytes_of(segment: Segment, original: bytes, art: bytes) -> bytes:
    match segment:
        case Synthesised(data):
            return data
        case Backing(offset, length):
            assert offset + length <= len(original)
            return original[offset : offset + length]
        case ArtText():
            offset, length = raw_range(segment, len(art))
            return text(segment, art[offset : offset + length])
        case Pages():
            offset, length = window(segment, len(original))
            return renumbered(segment, offset, original[offset : offset + length])
    raise AssertionError(segment)


def served(layout: Layout, original: bytes) -> bytes:
    """The whole file, with the given cover."""
    return bytes_of(list(layout.segments), original, given_cover().data or b"")


_TOOLS = {Format.VORBIS: ["ogginfo"], Format.OPUS: ["opusinfo"], Format.OGGFLAC: ["ogginfo"]}


def complaints(kind: Format, path: Path) -> list[str]:
    """What is bad about a file, as far as the codec's own tools and ffmpeg see it."""
    commands = [_TOOLS[kind] + [str(path)]]
    if kind is Format.OGGFLAC:
        commands.append(["flac", "-t", "-s", "--ogg", str(path)])
    commands.append(["ffmpeg", "-nostdin", "-v", "warning", "-i", str(path), "-f", "null", "-"])
    bad: list[str] = []
    for command in commands:
        done = subprocess.run(command, capture_output=True, timeout=60)
        told_lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
        lines = [line for line in told_lines if not line.startswith("\t")]  # not the comments
        quiet = command[0] in ("flac", "ffmpeg")
        told = ("warning", "error", "hole", "illegal", "corrupt")
        bad += [line for line in lines if quiet or any(word in line.lower() for word in told)]
        if done.returncode:
            bad.append(f"{command[0]} ends with {done.returncode}")
    return [line for line in bad if line.strip()]


def raw_comments(block: bytes) -> list[bytes]:
    """The comments of a block as they stand there."""
    place = 4 + struct.unpack_from("<I", block)[0]
    (count,) = struct.unpack_from("<I", block, place)
    place, found = place + 4, []
    for _ in range(count):
        (length,) = struct.unpack_from("<I", block, place)
        found.append(block[place + 4 : place + 4 + length])
        place += 4 + length
    return found


def read(kind: Format, data: bytes) -> TagReading:
    """The tags of a file that is there as a whole."""
    return read_tags(kind, in_memory(data))


def remade(data: bytes, wish: Wish) -> tuple[Layout, bytes]:
    """The layout of a file that is there as a whole, and the bytes it stands for."""
    layout = ogg(in_memory(data), wish)
    return layout, served(layout, data)
