"""Music made on the spot: samples in every format, a tagged library, and files that mean harm.

Everything is deterministic, so that two makings can be compared. Used by the tests and by the demo.
"""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import mutagen
from mutagen import id3
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4Cover

from tests.lab.samples import make_samples
from tests.lab.tagging import TAGGERS, TrackTags

__all__ = ["make_hostile", "make_library", "make_samples"]

LIBRARY_SAMPLES = (
    *("plain.flac", "v24.mp3", "first.m4a", "vorbis.ogg", "opus.opus", "plain.flac", "v23.mp3"),
    *("alac.m4a", "wavpack.wv", "pcm.aiff", "info.wav", "pack.mpc", "true.tta", "windows.wma"),
)
_WORDS = (
    "Night River|Ångström|東京 Blues|Señor|Жизнь|Glass/Metal|...Lost|Echo & Co|100% $title|[Live]"
)
TRACKS_PER_DISC = 5
DISCS_PER_ALBUM = 2


def make_library(samples: Path, folder: Path, count: int, seed: int = 1) -> list[Path]:
    """`count` tagged tracks in folders by artist and album, with sidecars; the tracks' paths."""
    make_samples(samples)
    chance = random.Random(seed)
    words = _WORDS.split("|")
    tracks: list[Path] = []
    per_album = TRACKS_PER_DISC * DISCS_PER_ALBUM
    for index in range(count):
        album, place = divmod(index, per_album)
        artist = f"{words[album // 2 % len(words)]} {album // 2:03d}"
        guest = (chance.choice(words),) if index % 7 == 3 else ()
        tags = TrackTags(
            title=f"{chance.choice(words)} {index:05d}",
            artists=(artist, *guest),
            album=f"Album {album:04d} {words[album % len(words)]}",
            track=place % TRACKS_PER_DISC + 1,
            tracks=TRACKS_PER_DISC,
            disc=place // TRACKS_PER_DISC + 1,
            discs=DISCS_PER_ALBUM,
            date=str(1960 + album % 60),
            genre=("Jazz", "Rock", "Classical")[album % 3],
            albumartist=artist,
        )
        tracks.append(
            _make_track(samples, folder, tags, LIBRARY_SAMPLES[index % len(LIBRARY_SAMPLES)])
        )
    for album_folder in sorted({track.parent for track in tracks}):
        _make_sidecars(samples, album_folder)
    return tracks


def _make_track(samples: Path, folder: Path, tags: TrackTags, sample: str) -> Path:
    source = samples / sample
    album = folder / _safe(tags.albumartist) / _safe(tags.album)
    album.mkdir(parents=True, exist_ok=True)
    target = album / f"{tags.disc}-{tags.track:02d} {_safe(tags.title)}{source.suffix}"
    shutil.copyfile(source, target)
    TAGGERS[source.suffix](target, tags)
    return target


def _safe(name: str) -> str:
    return name.replace("/", "_").strip(".")


def _make_sidecars(samples: Path, album: Path) -> None:
    tracks = sorted(path for path in album.iterdir() if path.suffix in TAGGERS)
    shutil.copyfile(samples / "cover.jpg", album / "cover.jpg")
    names = [track.name for track in tracks]
    (album / "album.m3u8").write_text("#EXTM3U\n" + "\n".join(names) + "\n", encoding="utf-8")
    cue = [f'FILE "{name}" WAVE\n  TRACK {n:02d} AUDIO' for n, name in enumerate(names, 1)]
    (album / "album.cue").write_text("\n".join(cue) + "\n", encoding="utf-8")
    tracks[0].with_suffix(".lrc").write_text("[00:00.00]La la la\n", encoding="utf-8")


ART_BYTES = (16 << 20) - 4096
"""As large as a FLAC picture block allows (24 bits)."""


def make_hostile(samples: Path, folder: Path) -> dict[str, Path]:
    """Files and names that break careless readers, by a short name."""
    make_samples(samples)
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}

    def put(short: str, name: str | bytes, data: bytes) -> Path:
        made[short] = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
        made[short].write_bytes(data)
        return made[short]

    flac = (samples / "plain.flac").read_bytes()
    mp3 = (samples / "v24.mp3").read_bytes()
    put("truncated flac", "truncated.flac", flac[:300])
    put("truncated mp3", "truncated.mp3", mp3[:600])
    put("truncated m4a", "truncated.m4a", (samples / "last.m4a").read_bytes()[:-3000])
    put("truncated ogg", "truncated.ogg", (samples / "vorbis.ogg").read_bytes()[:2000])
    put("empty", "empty.flac", b"")
    put("flac named mp3", "flac.mp3", flac)
    put("mp3 named flac", "mp3.flac", mp3)
    put("random", "random.mp3", random.Random(3).randbytes(300_000))
    for short, sample in (("flac", "plain.flac"), ("mp3", "v24.mp3"), ("m4a", "first.m4a")):
        source = samples / sample
        _add_art(put(f"art {short}", f"art.{short}", source.read_bytes()))
        _add_text(put(f"text {short}", f"text.{short}", source.read_bytes()))
    put("newline", "new\nline.flac", flac)
    put("not utf-8", b"caf\xe9.flac", flac)
    put("255 bytes", "ä" * 125 + ".flac", flac)
    put("upper case", "Case.flac", flac)
    put("lower case", "case.flac", flac)
    for link, target in (("loop-a", "loop-b"), ("loop-b", "loop-a"), ("loop-folder", ".")):
        if not (folder / link).is_symlink():
            (folder / link).symlink_to(target)
    return made


def _add_art(path: Path) -> None:
    art = b"\xff\xd8" + bytes(ART_BYTES - 2)
    audio = mutagen.File(path)
    if isinstance(audio, FLAC):
        picture = Picture()
        picture.type, picture.mime, picture.data = 3, "image/jpeg", art
        audio.clear_pictures()
        audio.add_picture(picture)
    elif isinstance(audio, MP3):
        audio.tags.delall("APIC")
        audio.tags.add(id3.APIC(3, "image/jpeg", 3, "", art))
    else:
        audio["covr"] = [MP4Cover(art)]
    audio.save()


def _add_text(path: Path) -> None:
    text = "la " * ((16 << 20) // 3 - 8192)
    audio = mutagen.File(path)
    if isinstance(audio, MP3):
        audio.tags.add(id3.USLT(3, "eng", "", text))
    else:
        audio["lyrics" if isinstance(audio, FLAC) else "\xa9lyr"] = [text]
    audio.save()
