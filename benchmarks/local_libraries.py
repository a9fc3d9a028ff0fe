"""What is measured on one machine: long FLAC files of noise, and very many short ones.

The folders are named as musefs names them, so that a path is the same in every mount.
"""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.flac_library import flac_block, stream_info, write_track
from tests.lab.tagging import TrackTags

LONG_TEMPLATE = "$albumartist/$album/$track $title"
MANY_TEMPLATE = "$artist/$title"
ONE_FOLDER = "All"
FLAT_TEMPLATE = f"{ONE_FOLDER}/$title"
FOLDERS = 100
SHORT_AUDIO_BYTES = 256
NOISE_BYTES_MAX = 64 << 20
"""At a time: `random` counts bits, in 31 bits."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured; `scaled` makes it less, for a quick look."""

    long_bytes: int = 512 << 20
    stream_bytes: int = 32 << 20
    streams: int = 16
    many_files: int = 100_000

    @classmethod
    def scaled(cls, scale: float) -> Sizes:
        """All sizes times a factor of at most 1."""
        whole = cls()
        return cls(
            max(int(whole.long_bytes * scale), 4 << 20),
            max(int(whole.stream_bytes * scale), 1 << 20),
            whole.streams,
            max(int(whole.many_files * scale) // FOLDERS * FOLDERS, FOLDERS),
        )


def write_long(folder: Path, sizes: Sizes) -> None:
    """One long file, and as many as there are streams."""
    noise = random.Random(20)
    long = TrackTags("Long", ("Symphony",), "One", 1, 1, albumartist="Symphony")
    write_track(folder, long, _audio(noise, sizes.long_bytes))
    for number in range(1, sizes.streams + 1):
        tags = TrackTags(
            f"Title {number}", ("Streams",), "Many", number, sizes.streams, albumartist="Streams"
        )
        write_track(folder, tags, _audio(noise, sizes.stream_bytes))


def _audio(noise: random.Random, size: int) -> bytes:
    places = range(0, size, NOISE_BYTES_MAX)
    return b"".join(noise.randbytes(min(NOISE_BYTES_MAX, size - place)) for place in places)


def write_many(folder: Path, sizes: Sizes) -> None:
    """A hundred folders of short files."""
    audio = random.Random(21).randbytes(SHORT_AUDIO_BYTES)
    each = sizes.many_files // FOLDERS
    for number in range(FOLDERS):
        artist = f"Artist {number:03}"
        (folder / artist).mkdir(parents=True)
        for track in range(number * each, (number + 1) * each):
            title = f"Title {track:06}"
            file = folder / artist / f"{title}.flac"
            file.write_bytes(short_track(artist, title, audio))


def short_track(artist: str, title: str, audio: bytes) -> bytes:
    """A FLAC file with two tags."""
    lines = [f"ARTIST={artist}".encode(), f"TITLE={title}".encode()]
    comments = b"".join(
        [
            struct.pack("<II", 0, len(lines)),
            *(struct.pack("<I", len(line)) + line for line in lines),
        ]
    )
    blocks = flac_block(0, stream_info(len(audio))) + flac_block(4, comments, last=True)
    return b"fLaC" + blocks + b"\xff\xf8" + audio


def listed(folder: Path) -> Iterator[tuple[str, int]]:
    """Every file: its path below the folder and its size."""
    for found, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(found, name)
            yield str(path.relative_to(folder)), path.stat().st_size
