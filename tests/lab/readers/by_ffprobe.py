"""ffprobe's view: tags of the container or of its audio stream, no pictures (see `decoding`)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from musefs.layout.vocabulary import (
    field_of_ape,
    field_of_asf,
    field_of_id3,
    field_of_info,
    field_of_mp4,
    field_of_vorbis,
)
from tests.lab.readers.shown import Shown, collected

PROCESSES = 3
_TIMEOUT_S = 60

# What libavformat calls fields, in all containers (avformat.h, "Public Metadata API") ...
_GENERIC = {
    "album_artist": "albumartist",
    "track": "tracknumber",
    "disc": "discnumber",
    "publisher": "label",
    "lyrics-eng": "lyrics",
    "title-sort": "titlesort",
    "album-sort": "albumsort",
    "artist-sort": "artistsort",
    "sort_name": "titlesort",
    "sort_album": "albumsort",
    "sort_artist": "artistsort",
    "sort_album_artist": "albumartistsort",
    "sort_composer": "composersort",
    "initialkey": "key",
}
_ID3_OWN = {"performer": "conductor"}
"""... and what ID3 frames are called: libavformat takes TPE3 for the performer."""
_TAGGED_STREAMS = frozenset({".ogg", ".opus", ".oga"})
"""Elsewhere a stream's tags are remarks about the stream."""
_ID3_SUFFIXES = frozenset({".mp3", ".tta", ".aiff", ".dsf", ".wav"})


def read_by_ffprobe(paths: Sequence[Path]) -> dict[Path, Shown]:
    """Tags of each file."""
    with ThreadPoolExecutor(PROCESSES) as pool:
        return dict(zip(paths, pool.map(_shown, paths), strict=True))


def _shown(path: Path) -> Shown:
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)]
    ran = subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
    document = json.loads(ran.stdout)
    found: dict[str, str] = dict(document["format"].get("tags", {}))
    for stream in document["streams"]:
        if stream["codec_type"] == "audio" and path.suffix in _TAGGED_STREAMS:
            found |= stream.get("tags", {})
    return Shown(_fields(path, found), None)


def _fields(path: Path, tags: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return collected((_field(path.suffix, name), value) for name, value in tags.items())


def _field(suffix: str, name: str) -> str:
    lower = name.lower()
    if suffix == ".wav" and lower.startswith("i") and len(name) == 4:
        return field_of_info(name)
    if suffix in _ID3_SUFFIXES:
        return _ID3_OWN.get(lower) or _GENERIC.get(lower) or _id3_field(name)
    if lower in _GENERIC:
        return _GENERIC[lower]
    match suffix:
        case ".wma":
            return field_of_asf(name)
        case ".wv" | ".ape" | ".mpc":
            return field_of_ape(name)
        case ".m4a":
            return field_of_mp4(f"----:com.apple.iTunes:{name}")
    return field_of_vorbis(name)


def _id3_field(name: str) -> str:
    """A frame by its name, or the description of a TXXX frame."""
    frame = len(name) == 4 and name.isupper() and name.startswith(("T", "W"))
    return field_of_id3(name if frame else f"TXXX:{name}")
