"""What a reader shows of a file, in musefs' names of fields."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from musefs.layout.formats import Format

PAIRS = {"tracknumber": "tracktotal", "discnumber": "disctotal"}


class Family(StrEnum):
    """The kinds of tag that served files carry."""

    VORBIS = "vorbis"
    ID3 = "id3"
    MP4 = "mp4"
    APE = "ape"
    ASF = "asf"


FAMILIES: Mapping[Format, Family] = {
    **dict.fromkeys((Format.FLAC, Format.VORBIS, Format.OPUS, Format.OGGFLAC), Family.VORBIS),
    **dict.fromkeys((Format.MP3, Format.TTA, Format.WAV, Format.AIFF, Format.DSF), Family.ID3),
    Format.MP4: Family.MP4,
    **dict.fromkeys((Format.WAVPACK, Format.APE, Format.MUSEPACK), Family.APE),
    Format.ASF: Family.ASF,
}


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture by its length in bytes and, where the reader gives them, by its MD5 and its type.

    `mime` is empty where the reader does not tell.
    """

    mime: str
    length: int | None
    md5: str | None


@dataclass(frozen=True, slots=True)
class Shown:
    """Values by field, in the reader's order; and the pictures, None when it shows none at all."""

    fields: Mapping[str, tuple[str, ...]]
    pictures: tuple[ShownPicture, ...] | None = ()


def picture_of(mime: str, data: bytes) -> ShownPicture:
    """A picture whose bytes the reader gave."""
    return ShownPicture(mime, len(data), hashlib.md5(data).hexdigest())


def collected(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Values by field; "7/24" is a number and a total, an empty value is none."""
    values: dict[str, list[str]] = {}
    for field, text in pairs:
        number, slash, total = text.partition("/") if field in PAIRS else (text, "", "")
        if number:
            values.setdefault(field, []).append(number)
        if slash and total:
            values.setdefault(PAIRS[field], []).append(total)
    return {field: tuple(found) for field, found in values.items()}
