"""Very many small FLAC files: one audio, tags of their own each."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

TRACKS_PER_ALBUM = 12
ALBUMS_PER_ARTIST = 16
_STREAMINFO_BYTES = 34
_VORBIS_COMMENT_LAST = 0x84


def write_albums(sample: Path, folder: Path, count: int) -> None:
    """Write `count` files with the audio of `sample`, a FLAC file: a folder for each album."""
    data = sample.read_bytes()
    info, audio = data[8 : 8 + _STREAMINFO_BYTES], data[_audio_start(data) :]
    for number in range(count):
        album, track = divmod(number, TRACKS_PER_ALBUM)
        artist = album // ALBUMS_PER_ARTIST
        tags = {
            "TITLE": f"Title {number}",
            "ARTIST": f"Artist {artist}",
            "ALBUM": f"Album {album}",
            "TRACKNUMBER": f"{track + 1}",
        }
        block = _comments(tags)
        file = folder / f"{artist:05}" / f"{album:06}" / f"{track + 1:02}.flac"
        file.parent.mkdir(parents=True, exist_ok=True)
        head = b"fLaC\0" + _STREAMINFO_BYTES.to_bytes(3, "big") + info
        head += bytes([_VORBIS_COMMENT_LAST]) + len(block).to_bytes(3, "big") + block
        file.write_bytes(head + audio)


def _audio_start(data: bytes) -> int:
    place, last = 4, False
    while not last:
        last = data[place] >= 0x80
        place += 4 + int.from_bytes(data[place + 1 : place + 4], "big")
    return place


def _comments(tags: Mapping[str, str]) -> bytes:
    lines = [f"{name}={value}".encode() for name, value in tags.items()]
    fields = [b"bulk", struct.pack("<I", len(lines))]
    fields[0] = struct.pack("<I", len(fields[0])) + fields[0]
    return b"".join([*fields, *(struct.pack("<I", len(line)) + line for line in lines)])
