"""mutagen's view, by the class that belongs to a file's extension."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mutagen import MutagenError
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2, APEv2File
from mutagen.asf import ASF
from mutagen.dsf import DSF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import ID3
from mutagen.monkeysaudio import MonkeysAudio
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover
from mutagen.musepack import Musepack
from mutagen.oggflac import OggFLAC
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE
from mutagen.wavpack import WavPack

from musefs.layout.tags import from_ape, from_asf, from_id3, from_mp4, from_vorbis
from tests.lab.readers.shown import Shown, ShownPicture, picture_of

_CLASSES: dict[str, Callable[[Path], Any]] = {
    ".flac": FLAC,
    ".oga": OggFLAC,
    ".ogg": OggVorbis,
    ".opus": OggOpus,
    ".mp3": MP3,
    ".tta": TrueAudio,
    ".wav": WAVE,
    ".aiff": AIFF,
    ".dsf": DSF,
    ".m4a": MP4,
    ".wv": WavPack,
    ".ape": MonkeysAudio,
    ".mpc": Musepack,
    ".wma": ASF,
}
"""Classes by extension."""
_MP4_MIME = {MP4Cover.FORMAT_JPEG: "image/jpeg", MP4Cover.FORMAT_PNG: "image/png"}


def read_by_mutagen(paths: Sequence[Path]) -> dict[Path, Shown]:
    """Tags and pictures of each file that mutagen opens."""
    shown: dict[Path, Shown] = {}
    for path in paths:
        with suppress(MutagenError):
            shown[path] = _shown(_CLASSES[path.suffix](path))
    return shown


def _shown(file: Any) -> Shown:
    tags = file.tags
    match file:
        case FLAC():
            fields = from_vorbis(list(tags)) if tags is not None else {}
            pictures = [picture_of(picture.mime, picture.data) for picture in file.pictures]
            return Shown(fields, tuple(pictures))
        case MP4():
            covers = [
                (_MP4_MIME[cover.imageformat], bytes(cover)) for cover in file.get("covr", ())
            ]
            return Shown(from_mp4(tags or {}), tuple(picture_of(*cover) for cover in covers))
        case ASF():
            return Shown(from_asf(tags), tuple(_asf_pictures(tags)))
        case APEv2File():
            return _ape_shown(tags)
    if tags is None or isinstance(tags, ID3):
        return _id3_shown(tags or ID3())
    embedded = (Picture(b64decode(text)) for text in tags.get("metadata_block_picture", ()))
    pictures = [picture_of(picture.mime, picture.data) for picture in embedded]
    return Shown(from_vorbis(list(tags)), tuple(pictures))


def _id3_shown(tags: Any) -> Shown:
    found = tags.getall("APIC")
    return Shown(from_id3(tags), tuple(picture_of(frame.mime, frame.data) for frame in found))


def _ape_shown(tags: APEv2 | None) -> Shown:
    texts: list[tuple[str, tuple[str, ...]]] = []
    pictures: list[ShownPicture] = []
    for key, value in (tags or {}).items():
        if value.kind == 1:
            pictures.append(picture_of("", value.value.partition(b"\0")[2]))
        elif value.kind == 0:
            texts.append((key, tuple(value)))
    return Shown(from_ape(texts), tuple(pictures))


def _asf_pictures(tags: Any) -> list[ShownPicture]:
    """WM/Picture: a byte of type, the length, media type and description in UTF-16, the bytes."""
    pictures = []
    for value in tags.get("WM/Picture", ()):
        data = value.value
        length = int.from_bytes(data[1:5], "little")
        mime = data[5:].decode("utf-16-le", "replace").partition("\0")[0]
        pictures.append(picture_of(mime, data[len(data) - length :]))
    return pictures
