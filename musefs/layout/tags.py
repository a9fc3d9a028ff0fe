"""Tags of every kind, told in one vocabulary.

Field names are lower case, values are never empty, several values stay several. Text that no field
is known for keeps its own name in lower case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from mutagen.id3 import TextFrame, UrlFrame

from musefs.layout.vocabulary import (
    BY_FIELD,
    field_of_ape,
    field_of_asf,
    field_of_id3,
    field_of_info,
    field_of_mp4,
    field_of_vorbis,
)

Tags = Mapping[str, tuple[str, ...]]

NO_TAGS: Tags = MappingProxyType({})

_PAIRS = {"tracknumber": "tracktotal", "discnumber": "disctotal", "movementnumber": "movementtotal"}
_NOT_TEXT = frozenset({"metadata_block_picture", "coverart", "coverartmime"})
_AIFF_FIELDS = {"NAME": "title", "AUTH": "artist", "ANNO": "comment", "(c) ": "copyright"}
_ID3V1_COMMENT = "ID3v1 Comment"


class _Collector:
    """Values by field, in the order in which they come."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, None]] = {}  # an ordered set of values

    def add(self, field: str, text: str) -> None:
        text = text.strip("\0").strip()
        if text:
            self._values.setdefault(field, {})[text] = None

    def tags(self) -> Tags:
        for number, total in _PAIRS.items():
            self._split(number, total)
        found = {field: tuple(values) for field, values in self._values.items() if values and field}
        return MappingProxyType(found)

    def _split(self, number: str, total: str) -> None:
        """ "3/12" is a number and a total."""
        for value in self._values.pop(number, {}):
            first, slash, second = value.partition("/")
            self.add(number, first if slash else value)
            if second and not self._values.get(total):
                self.add(total, second)


def from_pairs(pairs: Iterable[tuple[str, str]], field_of: Callable[[str], str]) -> Tags:
    """Tags of plain (name, text) pairs."""
    collector = _Collector()
    for name, text in pairs:
        field = field_of(name)
        if field not in _NOT_TEXT:
            collector.add(field, text)
    return collector.tags()


def from_vorbis(comments: Iterable[tuple[str, str]]) -> Tags:
    """Tags of Vorbis comments."""
    return from_pairs(comments, field_of_vorbis)


def from_info(texts: Iterable[tuple[str, str]]) -> Tags:
    """Tags of RIFF INFO chunks."""
    return from_pairs(texts, field_of_info)


def from_aiff_texts(texts: Iterable[tuple[str, str]]) -> Tags:
    """Tags of AIFF text chunks."""
    return from_pairs(texts, lambda name: _AIFF_FIELDS[name])


def from_ape(items: Iterable[tuple[str, tuple[str, ...]]]) -> Tags:
    """Tags of APEv2 text items."""
    pairs = ((key, text) for key, texts in items for text in texts)
    return from_pairs(pairs, field_of_ape)


def from_asf(attributes: Iterable[tuple[str, Any]]) -> Tags:
    """Tags of mutagen's ASF attributes; byte arrays and GUIDs are no text."""
    pairs = [(name, _plain(getattr(value, "value", value))) for name, value in attributes]
    return from_pairs(((name, text) for name, text in pairs if text), field_of_asf)


def from_mp4(atoms: Mapping[str, Any]) -> Tags:
    """Tags of mutagen's MP4 atoms."""
    collector = _Collector()
    for key, values in atoms.items():
        field = field_of_mp4(key)
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, tuple):
                _add_pair(collector, field, value)
            elif key != "covr":
                freeform = bytes(value).decode("utf-8", "replace") if key[:4] == "----" else None
                collector.add(field, freeform or _plain(value))
    return collector.tags()


def _add_pair(collector: _Collector, field: str, pair: tuple[int, ...]) -> None:
    for name, number in zip((field, _PAIRS.get(field, field)), pair, strict=False):
        collector.add(name, str(number) if number else "")


def _plain(value: object) -> str:
    """Text as it is, numbers in digits, a flag that is not set as nothing."""
    if isinstance(value, bool):
        return "1" if value else ""
    if isinstance(value, (str, int)):
        return str(value)
    return ""


def from_id3(tag: Any) -> Tags:
    """Tags of mutagen's ID3 (in terms of ID3v2.4)."""
    collector = _Collector()
    described = any(_is_comment(frame) for frame in tag.values())
    for frame in tag.values():
        # ID3v1 cuts comments at 28 characters: it counts only when nothing better is there.
        if described and getattr(frame, "desc", None) == _ID3V1_COMMENT:
            continue
        for name, text in _id3_texts(frame):
            collector.add(name, text)
    return collector.tags()


def _is_comment(frame: Any) -> bool:
    return bool(frame.FrameID == "COMM" and frame.desc != _ID3V1_COMMENT)


def _id3_texts(frame: Any) -> Iterable[tuple[str, str]]:
    kind = frame.FrameID
    match kind:
        case "TCON":
            return [("genre", text) for text in frame.genres]
        case "TIPL" | "TMCL" | "IPLS":
            return [_person(kind, *entry[:2]) for entry in frame.people if len(entry) >= 2]
        case "UFID":
            return [(field_of_id3(f"UFID:{frame.owner}"), frame.data.decode("latin-1"))]
        case "USLT":
            return [("lyrics", str(frame.text))]
    if isinstance(frame, UrlFrame):
        return [(_described(frame), frame.url)]
    return [(_described(frame), str(text)) for text in frame.text] if _textual(frame) else []


def _textual(frame: Any) -> bool:
    return isinstance(frame, TextFrame)


def _described(frame: Any) -> str:
    """The field of a frame, which its description names where it has one."""
    match frame.FrameID:
        case "COMM":
            return _comment_field(frame.desc)
        case "TXXX":
            return field_of_id3(f"TXXX:{frame.desc}")
        case "WXXX":
            return frame.desc.strip().lower() or "website"
    return field_of_id3(frame.FrameID)


def _comment_field(description: str) -> str:
    """Comments with a description of their own are remarks of programs (iTunNORM and the like)."""
    description = description.strip().lower()
    plain = not description or description in ("comment", "description", _ID3V1_COMMENT.lower())
    return "comment" if plain else description


def _person(kind: str, role: str, name: str) -> tuple[str, str]:
    field = field_of_id3(f"TIPL:{role}")
    if kind != "TMCL" and field in BY_FIELD:
        return field, name
    return "performer", f"{name} ({role})" if role.strip() else name
