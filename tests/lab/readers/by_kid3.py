"""kid3's view, one process for all files of a folder; it is asked in JSON."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from musefs.layout.vocabulary import field_of_asf, field_of_vorbis
from tests.lab.readers.shown import Shown, ShownPicture, collected, picture_of

_FILES_PER_PROCESS = 40
_TIMEOUT_S = 120
_NAMES = {
    "initial key": "key",
    "file id: musicbrainz": "musicbrainz_trackid",
    "musicbrainz album id": "musicbrainz_albumid",
    "musicbrainz artist id": "musicbrainz_artistid",
    "musicbrainz track id": "musicbrainz_trackid",
    "musicbrainz release group id": "musicbrainz_releasegroupid",
    "track number": "tracknumber",
    "total tracks": "tracktotal",
    "disc number": "discnumber",
    "total discs": "disctotal",
    "album artist": "albumartist",
    "catalog number": "catalognumber",
    "sort album": "albumsort",
    "sort artist": "artistsort",
    "sort album artist": "albumartistsort",
    "sort composer": "composersort",
    "sort name": "titlesort",
    "work": "grouping",
}
_ID3_NAMES = {"description": "subtitle"}
"""kid3 calls TIT3 so."""


def read_by_kid3(paths: Sequence[Path]) -> dict[Path, Shown]:
    """Tags and the first picture of each file."""
    shown: dict[Path, Shown] = {}
    for start in range(0, len(paths), _FILES_PER_PROCESS):
        shown |= dict(_read(paths[start : start + _FILES_PER_PROCESS]))
    return shown


def _read(paths: Sequence[Path]) -> Iterator[tuple[Path, Shown]]:
    with tempfile.TemporaryDirectory() as name:
        exported = [Path(name) / str(number) for number in range(len(paths))]
        commands: list[str] = []
        for path, picture in zip(paths, exported, strict=True):
            for method, *parameters in (
                ("cd", str(path.parent)),
                ("select", "none"),
                ("select", path.name),
                ("get",),
                ("get", f"picture:{picture}"),
            ):
                request = {"method": method, "params": parameters}
                # Spaces in the question would spread the answer over several lines.
                commands += ["-c", json.dumps(request, separators=(",", ":"))]
        environment = {**os.environ, "HOME": name, "XDG_CONFIG_HOME": name}
        ran = subprocess.run(
            ["kid3-cli", *commands],
            capture_output=True,
            check=True,
            timeout=_TIMEOUT_S,
            env=environment,
        )
        answers = [json.loads(line) for line in ran.stdout.splitlines()]
        files = [_tagged(answer) for answer in answers]
        for found in filter(None, files):
            place = next(n for n, path in enumerate(paths) if path.name == found["fileName"])
            yield paths[place], Shown(_fields(found), _pictures(exported[place]))


def _tagged(answer: Mapping[str, Any]) -> dict[str, Any] | None:
    result = answer.get("result")
    return result.get("taggedFile") if isinstance(result, dict) else None


def _pictures(exported: Path) -> tuple[ShownPicture, ...]:
    data = exported.read_bytes() if exported.exists() else b""
    return (picture_of("", data),) if data else ()


def _fields(found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Tag 2 is the format's own; tags 1 (ID3v1) and 3 (another one behind it) stand for nothing."""
    tag = found.get("tag2", {})
    kind = tag.get("format", "")
    return collected(
        (_field(frame["name"], kind), value)
        for frame in tag.get("frames", ())
        for value in _values(frame["value"])
        if not frame["name"].startswith("Picture")
    )


def _values(text: str) -> list[str]:
    return text.split("|")


def _field(name: str, kind: str) -> str:
    lower = name.lower()
    if kind.startswith("ID3") and lower in _ID3_NAMES:
        return _ID3_NAMES[lower]
    if kind == "ASF" and "/" in name:
        return field_of_asf(name)
    return _NAMES.get(lower) or field_of_vorbis(name)
