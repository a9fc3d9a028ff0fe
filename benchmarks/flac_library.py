"""A music library in which nothing compresses: a hundred tagged FLAC files and a long one."""

from __future__ import annotations

import random
import struct
from pathlib import Path

from tests.lab.tagging import TAGGERS, TrackTags

ALBUMS = 10
TRACKS_PER_ALBUM = 10
TRACK_BYTES = 4_600_000
LONG_BYTES = 64 << 20
PADDING_BYTES = 8192
SAMPLE_RATE = 44_100


def make_library(folder: Path) -> None:
    """Write artist/album/track: ten albums, then one with the long file."""
    noise = random.Random(20)
    for album in range(ALBUMS):
        for track in range(TRACKS_PER_ALBUM):
            tags = TrackTags(
                f"Title {track + 1}",
                (f"Artist {album}",),
                f"Album {album}",
                track + 1,
                TRACKS_PER_ALBUM,
                albumartist=f"Artist {album}",
            )
            write_track(folder, tags, noise.randbytes(TRACK_BYTES))
    tags = TrackTags("Long", ("Symphony",), "One", 1, 1, albumartist="Symphony")
    write_track(folder, tags, noise.randbytes(LONG_BYTES))


def write_track(folder: Path, tags: TrackTags, audio: bytes) -> Path:
    """A FLAC file (RFC 9639) with room for tags, whose frames are noise."""
    path = folder / tags.albumartist / tags.album / f"{tags.track:02} {tags.title}.flac"
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = flac_block(0, stream_info(len(audio))) + flac_block(1, bytes(PADDING_BYTES), last=True)
    path.write_bytes(b"fLaC" + blocks + b"\xff\xf8" + audio)
    TAGGERS[".flac"](path, tags)
    return path


def stream_info(audio_bytes: int) -> bytes:
    """STREAMINFO of so much audio, as if a sample took three bytes."""
    rate = (SAMPLE_RATE << 44 | 1 << 41 | 15 << 36 | audio_bytes // 3).to_bytes(8, "big")
    return struct.pack(">HH", 4096, 4096) + bytes(6) + rate + bytes(16)


def flac_block(kind: int, body: bytes, *, last: bool = False) -> bytes:
    """A metadata block with its header."""
    return struct.pack(">I", (kind | last << 7) << 24 | len(body)) + body
