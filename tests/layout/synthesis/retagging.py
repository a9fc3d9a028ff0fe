"""Runs one maker over a file as a remote one: bytes are there when they have been asked for."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from musefs.layout.formats import Format
from musefs.layout.pictures import Picture
from musefs.layout.ranged import Extents, Need, RangedFile
from musefs.layout.reading import TagReading
from musefs.layout.segments import Art, Backing, Layout, Synthesised
from musefs.layout.tags import Tags
from musefs.layout.wish import ALIGNMENT_BYTES, Cover, Wish
from musefs.model import PictureId
from tests.lab.ranges import read_bytewise

Maker = Callable[[RangedFile, Wish], Layout]

GIVEN_PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4096
GIVEN = Cover(PictureId(7), "image/jpeg", 1000, 1000, len(GIVEN_PICTURE))
LYRICS = "Ein Lied, zwei Lieder\n" * 9600
TEXT: Tags = {
    "title": ("Neuer Titel",),
    "artist": ("Erste", "Zweite"),
    "album": ("Ålbum",),
    "date": ("2020-05-06",),
    "genre": ("Jazz", "Soul"),
    "tracknumber": ("7",),
    "tracktotal": ("12",),
    "discnumber": ("1",),
    "disctotal": ("2",),
    "compilation": ("1",),
    "bpm": ("120",),
    "label": ("Etikett",),
    "musicbrainz_albumid": ("0d9c5a6c-93ad-4b16-a7a8-6ac7b0f5c6f1",),
    "musicbrainz_trackid": ("5b11f4ce-a62d-471e-81fc-a69a8278c7da",),
    "replaygain_track_gain": ("-7.25 dB",),
    "my own field": ("eigener Wert", "noch einer"),
}
SYNTHESISED_BYTES_MAX = 20_000

PROBED_BYTES = 700
"""So much at both ends of a picture is seen by who looks for its file name or for tags behind."""


@dataclass
class Served:
    """What a maker made, and what that took."""

    layout: Layout
    data: bytes
    fetched: list[tuple[int, int]]
    original: bytes
    reading: TagReading
    cpu_s: float

    def segments(self, kind: type) -> list[Any]:
        """Those of one kind."""
        return [segment for segment in self.layout.segments if isinstance(segment, kind)]

    @property
    def synthesised_bytes(self) -> int:
        """In all segments together."""
        return sum(segment.length for segment in self.segments(Synthesised))

    def keeps(self, picture: Picture) -> bool:
        """Whether a picture of the original is a range of it in the layout."""
        assert picture.offset is not None
        start, end = picture.offset, picture.offset + picture.length
        return any(
            part.offset <= start and end <= part.offset + part.length
            for part in self.segments(Backing)
        )

    def read_anew(self, kind: Format) -> TagReading:
        """The tags of the served file."""
        found, _ = read_bytewise(kind, self.data)
        return found

    def misalignment(self, place: int) -> int:
        """By how much the original's byte at `place` has moved, modulo the alignment."""
        start = 0
        for segment in self.layout.segments:
            if isinstance(segment, Backing) and 0 <= place - segment.offset < segment.length:
                return (start - segment.offset) % ALIGNMENT_BYTES
            start += segment.length
        raise AssertionError(f"byte {place} of the original is not served")


def materialise(layout: Layout, original: bytes) -> bytes:
    """The bytes of a file that is made of these segments."""
    parts: list[bytes] = []
    for segment in layout.segments:
        match segment:
            case Synthesised(data):
                parts.append(data)
            case Backing(offset, length):
                assert offset + length <= len(original)
                parts.append(original[offset : offset + length])
            case Art(picture, offset, length):
                assert picture == GIVEN.id
                parts.append(GIVEN_PICTURE[offset : offset + length])
            case _:
                raise AssertionError(segment)
    return b"".join(parts)


def make(maker: Maker, original: bytes, wish: Wish) -> tuple[Layout, list[tuple[int, int]], float]:
    """The layout, the ranges that were fetched for it, and the CPU seconds of the last run."""
    extents = Extents(len(original))
    fetched: list[tuple[int, int]] = []
    while True:
        started = time.process_time()
        try:
            return maker(RangedFile(extents), wish), fetched, time.process_time() - started
        except Need as need:
            fetched.append((need.start, need.end))
            extents.add(need.start, original[need.start : need.end])


def serve(
    maker: Maker, kind: Format, original: bytes, tags: Tags | None = None, **wish: Any
) -> Served:
    """Read a file's tags and have it made with others; those it has when none are given.

    `wish` are the other fields of a Wish.
    """
    reading, _ = read_bytewise(kind, original)
    wanted = reading.tags if tags is None else tags
    layout, fetched, cpu_s = make(maker, original, Wish(wanted, reading.pictures, **wish))
    for picture in reading.pictures:
        assert picture.offset is not None
        start, end = picture.offset + PROBED_BYTES, picture.offset + picture.length - PROBED_BYTES
        assert not overlaps(fetched, start, end)
    data = materialise(layout, original)
    assert layout.size == len(data)
    return Served(layout, data, fetched, original, reading, cpu_s)


def overlaps(ranges: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether one of the ranges has a byte of [start, end)."""
    return any(first < end and start < last for first, last in ranges)


def sparse_copy(data: bytes, at: int, hole: int) -> Callable[[int, int], bytes]:
    """A reader of these bytes with a hole of zeros in them, which is not there in memory."""

    def read(start: int, end: int) -> bytes:
        out = data[start : min(end, at)]
        if end > at and start < at + hole:
            out += bytes(min(end, at + hole) - max(start, at))
        if end > at + hole:
            out += data[max(start, at + hole) - hole : end - hole]
        return out

    return read


def fastest_s(maker: Maker, original: bytes, wish: Wish, rounds: int = 20) -> float:
    """CPU seconds of one run with all bytes at hand, the best of some rounds."""
    extents = Extents(len(original))
    for start, end in make(maker, original, wish)[1]:
        extents.add(start, original[start:end])
    best = 1e9
    for _ in range(rounds):
        extents.add(0, b"")  # the reads are counted anew
        started = time.process_time()
        maker(RangedFile(extents), wish)
        best = min(best, time.process_time() - started)
    return best


def pcm_digest(data: bytes, folder: Path, suffix: str) -> str:
    """How ffmpeg ends, and the MD5 of the sound that it decodes."""
    path = folder / f"decoded{suffix}"
    path.write_bytes(data)
    command: list[str | Path] = [
        "ffmpeg",
        "-nostdin",
        "-v",
        "error",
        "-i",
        path,
        "-map",
        "0:a",
        "-f",
        "md5",
        "-",
    ]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    return f"{done.returncode} {done.stdout.decode()}"


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg without a word."""
    command: list[str | Path] = ["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def probed(data: bytes, folder: Path, suffix: str) -> dict[str, str]:
    """The tags that ffprobe shows, names in lower case."""
    path = folder / f"probed{suffix}"
    path.write_bytes(data)
    command: list[str | Path] = [
        "ffprobe",
        "-v",
        "error",
        "-show_entries",
        "format_tags",
        "-of",
        "flat",
        path,
    ]
    lines = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    pairs = (line.partition("=") for line in lines.splitlines())
    return {name.rpartition(".")[2].lower(): value.strip('"') for name, _, value in pairs}
