"""Tags for the tracks of a made library, written in each format's own way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mutagen
from mutagen import id3
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.mp4 import MP4


@dataclass(frozen=True, slots=True)
class TrackTags:
    """What a track of the library says of itself."""

    title: str
    artists: tuple[str, ...]
    album: str
    track: int
    tracks: int
    disc: int = 1
    discs: int = 1
    date: str = "2001-05-06"
    genre: str = "Jazz"
    albumartist: str = ""


def tag_id3(path: Path, tags: TrackTags, cover: bytes | None) -> None:
    """Give any file whose tag is ID3v2 these tags."""
    audio = mutagen.File(path)
    if audio.tags is None:
        audio.add_tags()
    audio.tags.clear()
    for frame in (
        id3.TIT2(3, [tags.title]),
        id3.TPE1(3, list(tags.artists)),
        id3.TPE2(3, [tags.albumartist or tags.artists[0]]),
        id3.TALB(3, [tags.album]),
        id3.TRCK(3, [f"{tags.track}/{tags.tracks}"]),
        id3.TPOS(3, [f"{tags.disc}/{tags.discs}"]),
        id3.TDRC(3, [tags.date]),
        id3.TCON(3, [tags.genre]),
    ):
        audio.tags.add(frame)
    if cover:
        audio.tags.add(id3.APIC(3, "image/jpeg", 3, "", cover))
    audio.save()


def _tag_mp4(path: Path, tags: TrackTags) -> None:
    audio = MP4(path)
    audio["\xa9nam"], audio["\xa9ART"], audio["\xa9alb"] = (
        tags.title,
        list(tags.artists),
        tags.album,
    )
    audio["aART"], audio["\xa9day"], audio["\xa9gen"] = tags.albumartist, tags.date, tags.genre
    audio["trkn"], audio["disk"] = [(tags.track, tags.tracks)], [(tags.disc, tags.discs)]
    audio.save()


def _plain_names(tags: TrackTags) -> dict[str, list[str]]:
    return {
        "title": [tags.title],
        "artist": list(tags.artists),
        "albumartist": [tags.albumartist],
        "album": [tags.album],
        "tracknumber": [str(tags.track)],
        "tracktotal": [str(tags.tracks)],
        "discnumber": [str(tags.disc)],
        "disctotal": [str(tags.discs)],
        "date": [tags.date],
        "genre": [tags.genre],
    }


def _tag_ape(path: Path, tags: TrackTags) -> None:
    names = {
        "albumartist": "Album Artist",
        "tracknumber": "Track",
        "discnumber": "Disc",
        "date": "Year",
    }
    ape = APEv2()
    for name, values in _plain_names(tags).items():
        ape[names.get(name, name.title())] = values
    ape.save(path)


def _tag_asf(path: Path, tags: TrackTags) -> None:
    audio = ASF(path)
    audio.tags.clear()
    audio["Title"], audio["Author"], audio["WM/AlbumTitle"] = (
        tags.title,
        list(tags.artists),
        tags.album,
    )
    audio["WM/AlbumArtist"], audio["WM/Year"] = tags.albumartist, tags.date
    audio["WM/Genre"], audio["WM/TrackNumber"] = tags.genre, str(tags.track)
    audio["WM/PartOfSet"] = f"{tags.disc}/{tags.discs}"
    audio.save()


def _tag_vorbis(path: Path, tags: TrackTags) -> None:
    audio = mutagen.File(path)
    for name, values in _plain_names(tags).items():
        audio[name] = values
    audio.save()


TAGGERS = {
    **dict.fromkeys(
        (".mp3", ".wav", ".aiff", ".dsf", ".dff", ".tta"), lambda p, t: tag_id3(p, t, None)
    ),
    **dict.fromkeys((".flac", ".ogg", ".oga", ".opus"), _tag_vorbis),
    **dict.fromkeys((".wv", ".mpc"), _tag_ape),
    ".m4a": _tag_mp4,
    ".wma": _tag_asf,
}
