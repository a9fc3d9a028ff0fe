"""TagLib's view, by its property map and its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import taglib

from musefs.layout.vocabulary import field_of_vorbis
from tests.lab.readers.shown import Shown, collected, picture_of

_NAMES = {"WORK": "grouping"}
"""TagLib calls the content group of ASF so; Vorbis comments that it has no name for keep theirs."""


def read_by_taglib(paths: Sequence[Path]) -> dict[Path, Shown]:
    """Tags and pictures of each file that TagLib opens."""
    shown: dict[Path, Shown] = {}
    for path in paths:
        with suppress(OSError):
            shown[path] = _shown(path)
    return shown


def _shown(path: Path) -> Shown:
    with taglib.File(path) as file:
        pictures = tuple(picture_of(found.mime_type, found.data) for found in file.pictures)
        return Shown(_fields(file.tags), pictures)


def _fields(properties: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return collected(
        (_NAMES.get(name) or field_of_vorbis(name), value)
        for name, values in properties.items()
        for value in values
    )
