"""exiftool's view, one process for all files."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mutagen.id3 import TCON

from musefs.layout.vocabulary import field_of_vorbis
from tests.lab.readers.shown import Shown, ShownPicture, collected

_TIMEOUT_S = 120
_GROUPS = ("Vorbis", "Opus", "ID3v2_4", "ItemList", "iTunes", "APE", "ASF")
_OPTIONS = ("-json", "-n", "-a", "-G1:4", "-charset", "filename=utf8")
_NAMES = {
    "track": "tracknumber",
    "partofset": "discnumber",
    "disknumber": "discnumber",
    "disc": "discnumber",
    "recordingtime": "date",
    "contentcreatedate": "date",
    "year": "date",
    "originalreleasetime": "originaldate",
    "band": "albumartist",
    "interpretedby": "remixer",
    "mixartist": "remixer",
    "modifiedby": "remixer",
    "publisher": "label",
    "beatsperminute": "bpm",
    "initialkey": "key",
    "titlesortorder": "titlesort",
    "albumsortorder": "albumsort",
    "performersortorder": "artistsort",
    "albumartistsortorder": "albumartistsort",
    "composersortorder": "composersort",
    "sortname": "titlesort",
    "sortalbum": "albumsort",
    "sortartist": "artistsort",
    "sortalbumartist": "albumartistsort",
    "sortcomposer": "composersort",
    "isrcnumber": "isrc",
    "author": "artist",
    "albumtitle": "album",
    "writer": "lyricist",
    "contentgroupdescription": "grouping",
    "musicbrainztrackid": "musicbrainz_trackid",
    "musicbrainzalbumid": "musicbrainz_albumid",
    "musicbrainzartistid": "musicbrainz_artistid",
    "replaygaintrackgain": "replaygain_track_gain",
    "replaygaintrackpeak": "replaygain_track_peak",
    "myownfield": "my own field",
}
_ASF_NAMES = {"description": "comment"}
_TXXX = re.compile(r"\((?P<name>[^)]*)\) (?P<text>.*)", re.DOTALL)
_TXXX_NAMES = {
    "musicbrainz album id": "musicbrainz_albumid",
    "musicbrainz artist id": "musicbrainz_artistid",
}
_BINARY = re.compile(r"\(Binary data (?P<length>\d+) bytes")
_PICTURES = frozenset({"Picture", "CoverArt", "CoverArtFront"})
_DATE = re.compile(r"(\d{4}):(\d\d):(\d\d)")
_UTF8_MARK = "\3"
"""exiftool does not know GRP1's encoding byte."""


def read_by_exiftool(paths: Sequence[Path]) -> dict[Path, Shown]:
    """Tags and pictures of each file whose tags it reads."""
    if not paths:
        return {}
    command = ["exiftool", *_OPTIONS, *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, check=False, timeout=_TIMEOUT_S)
    documents = json.loads(ran.stdout, parse_float=str, parse_int=str)
    by_name = {str(path): path for path in paths}
    return {by_name[found["SourceFile"]]: _shown(found) for found in documents}


def _shown(document: Mapping[str, Any]) -> Shown:
    texts: list[tuple[str, str]] = []
    pictures: list[ShownPicture] = []
    mimes = [str(value) for key, value in document.items() if key.endswith("PictureMIMEType")]
    for key, value in document.items():
        group, _, name = key.partition(":")
        name = name.rpartition(":")[2]
        if name in _PICTURES and (match := _BINARY.match(str(value))):
            mime = mimes[len(pictures)] if len(pictures) < len(mimes) else ""
            pictures.append(ShownPicture(mime, int(match["length"]), None))
        elif group in _GROUPS:
            values = value if isinstance(value, list) else [value]
            texts += [_text(group, name, str(text)) for text in values]
    return Shown(collected(pair for pair in texts if pair[0]), tuple(pictures))


def _text(group: str, name: str, text: str) -> tuple[str, str]:
    if _BINARY.match(text):
        return "", ""
    match = _TXXX.fullmatch(text) if name == "UserDefinedText" else None
    if match:
        lower = match["name"].lower()
        return _TXXX_NAMES.get(lower) or field_of_vorbis(lower), match["text"]
    lower = name.lower()
    field = _ASF_NAMES.get(lower, "") if group == "ASF" else ""
    text = _DATE.sub(r"\1-\2-\3", text).removeprefix(_UTF8_MARK)
    if group == "ID3v2_4" and name == "Genre" and text.isdigit():  # ID3v2.4, section 4.2.3
        text = TCON.GENRES[int(text)]
    if group == "ItemList" and lower in ("tracknumber", "disknumber"):
        text = text.replace(" of ", "/")
    return field or _NAMES.get(lower) or field_of_vorbis(lower), text
