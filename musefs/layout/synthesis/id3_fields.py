"""Fields as ID3v2.4 frames (ID3v2.4.0, "Native Frames"), for MP3, TTA, WAV, AIFF and DSF.

The frame of a field is the one of the vocabulary, or the one that the tag had for it. Whether the
frame can hold the values is found out by reading it back: dates that are no timestamps, genres that
read like numbers, addresses beyond Latin-1 and the like go into a TXXX frame of the field's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from mutagen import id3
from mutagen.id3 import COMM, MVIN, TIPL, TMCL, TRCK, TXXX, UFID, USLT, Encoding, Frames

from musefs.layout.synthesis.changes import changed_fields
from musefs.layout.tags import Tags, from_id3
from musefs.layout.vocabulary import BY_FIELD, field_of_id3

_PAIRS = {
    "tracknumber": ("tracktotal", TRCK),
    "discnumber": ("disctotal", id3.TPOS),
    "movementnumber": ("movementtotal", MVIN),
}
_TOTALS = {total: number for number, (total, _) in _PAIRS.items()}
_OLD_FRAMES = frozenset({"IPLS", "TDAT", "TIME", "TORY", "TRDA", "TSIZ", "TYER"})
_LANGUAGE = "eng"
_CREDIT = re.compile(r"(?P<name>.*\S) \((?P<role>.*)\)\Z", re.DOTALL)
_UTF8 = Encoding.UTF8


def set_frames(tag: Any, tags: Tags) -> None:
    """Have mutagen's ID3, in terms of ID3v2.4, say `tags`: frames that say it already stay."""
    changed = changed_fields(from_id3(tag), tags)
    if not changed:
        return
    removed = _remove(tag, changed)
    for field in [field for field in tags if field in changed]:
        if field in _TOTALS and _TOTALS[field] in tags:
            continue  # told together with its number
        for frame in _frames_of(field, tags, removed):
            _add(tag, frame)


def _remove(tag: Any, changed: frozenset[str]) -> dict[str, list[Any]]:
    """Take out what speaks of changed fields; tells the frames that are gone by their field."""
    removed: dict[str, list[Any]] = {}
    for key, frame in list(tag.items()):
        fields = from_id3({key: frame}).keys() & changed
        if not fields:
            continue
        for field in fields:
            removed.setdefault(field, []).append(frame)
        del tag[key]
        people = [entry for entry in getattr(frame, "people", ()) if not _of(frame, entry, changed)]
        if people:
            tag.add(type(frame)(encoding=_UTF8, people=people))
    return removed


def _of(frame: Any, entry: list[str], changed: frozenset[str]) -> bool:
    """Whether an entry of a list of people belongs to a changed field."""
    alone = type(frame)(encoding=_UTF8, people=[entry])
    return bool(from_id3({alone.HashKey: alone}).keys() & changed)


def _add(tag: Any, frame: Any) -> None:
    """Add a frame; people and texts of the same kind are put together."""
    present = tag.get(frame.HashKey)
    if present is not None and hasattr(frame, "people"):
        present.people.extend(frame.people)
    elif present is not None and isinstance(frame, TXXX):
        present.text.extend(frame.text)
        present.encoding = _UTF8
    else:
        tag.add(frame)


def _frames_of(field: str, tags: Tags, removed: dict[str, list[Any]]) -> list[Any]:
    """The frames that give back exactly these values when they are read."""
    for frames, wanted in (_candidate(field, tags), _as_before(field, tags, removed)):
        if frames and _read(frames) == {name: _plain(tags[name]) for name in wanted}:
            return frames
    wanted = (field, _PAIRS[field][0]) if field in _PAIRS else (field,)
    return [_free_text(name, tags[name], removed) for name in wanted if name in tags]


def _read(frames: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    read = from_id3({f"{frame.HashKey}#{place}": frame for place, frame in enumerate(frames)})
    return {field: _plain(values) for field, values in read.items()}


def _plain(values: tuple[str, ...]) -> tuple[str, ...]:
    """A timestamp may have a "T" between day and time (ID3v2.4 structure, section 4)."""
    return tuple(_TIMESTAMP.sub(r"\1 \2", value) for value in values)


_TIMESTAMP = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d)")


def _candidate(field: str, tags: Tags) -> tuple[list[Any], tuple[str, ...]]:
    """The frames that the vocabulary names, and the fields that they are to give."""
    if field in _PAIRS:
        return _pair(field, tags)
    if field in _TOTALS:
        number = _TOTALS[field]
        return [_PAIRS[number][1](encoding=_UTF8, text=[f"/{tags[field][0]}"])], (field,)
    name = BY_FIELD[field].id3 if field in BY_FIELD else ""
    kind, _, detail = name.partition(":")
    make = _MAKERS.get(kind, _text)
    return (make(kind, detail, tags[field]) if kind else []), (field,)


def _pair(number: str, tags: Tags) -> tuple[list[Any], tuple[str, ...]]:
    """ "3/12"; more numbers follow as values of their own."""
    total, frame = _PAIRS[number]
    first, *others = tags[number]
    if total not in tags:
        return [frame(encoding=_UTF8, text=[first, *others])], (number,)
    return [frame(encoding=_UTF8, text=[f"{first}/{tags[total][0]}", *others])], (number, total)


def _as_before(
    field: str, tags: Tags, removed: dict[str, list[Any]]
) -> tuple[list[Any], tuple[str, ...]]:
    """A comment described like the one that is gone, or the frame that the field is named after."""
    frames = removed.get(field, ())
    if len(frames) == 1 and isinstance(frames[0], COMM) and field not in BY_FIELD:
        old = frames[0]
        text = list(tags[field])
        return [COMM(encoding=_UTF8, lang=old.lang, desc=old.desc, text=text)], (field,)
    name = field.upper()
    if name not in Frames or name in _OLD_FRAMES or field_of_id3(name) != field:
        return [], ()
    return _text(name, "", tags[field]), (field,)


def _free_text(field: str, values: tuple[str, ...], removed: dict[str, list[Any]]) -> Any:
    """TXXX with the description that the tag had, or the field's name in capitals."""
    names = [frame.desc for frame in removed.get(field, ()) if isinstance(frame, TXXX)]
    names += [BY_FIELD[field].vorbis if field in BY_FIELD else field.upper(), field]
    fitting = [name for name in names if field_of_id3(f"TXXX:{name}") == field]
    return TXXX(encoding=_UTF8, desc=(fitting or [field])[0], text=list(values))


def _text(kind: str, detail: str, values: tuple[str, ...]) -> list[Any]:
    frame = Frames[kind]
    if issubclass(frame, id3.UrlFrame):
        latin = all(value.isascii() for value in values)
        several = issubclass(frame, id3.UrlFrameU) or len(values) == 1
        return [frame(url=value) for value in values] if latin and several else []
    if not issubclass(frame, id3.TextFrame):
        return []
    described = {"desc": detail} if issubclass(frame, TXXX) else {}
    return [frame(encoding=_UTF8, text=list(values), **described)]


def _identifier(_: str, owner: str, values: tuple[str, ...]) -> list[Any]:
    single = len(values) == 1 and values[0].isascii()
    return [UFID(owner=owner, data=values[0].encode("ascii"))] if single else []


def _comment(_: str, __: str, values: tuple[str, ...]) -> list[Any]:
    return [COMM(encoding=_UTF8, lang=_LANGUAGE, desc="", text=list(values))]


def _lyrics(_: str, __: str, values: tuple[str, ...]) -> list[Any]:
    """One frame for each text; those of one language need different descriptions."""
    return [
        USLT(encoding=_UTF8, lang=_LANGUAGE, desc=str(place) if place else "", text=value)
        for place, value in enumerate(values)
    ]


def _involved(_: str, role: str, values: tuple[str, ...]) -> list[Any]:
    return [TIPL(encoding=_UTF8, people=[[role, value] for value in values])]


def _musicians(_: str, __: str, values: tuple[str, ...]) -> list[Any]:
    """ "Name (role)" is a credit; without a role the name stands alone."""
    credits_ = [(match, value) for value in values for match in [_CREDIT.match(value)]]
    people = [[match["role"], match["name"]] if match else ["", value] for match, value in credits_]
    return [TMCL(encoding=_UTF8, people=people)]


_MAKERS: dict[str, Callable[[str, str, tuple[str, ...]], list[Any]]] = {
    "UFID": _identifier,
    "COMM": _comment,
    "USLT": _lyrics,
    "TIPL": _involved,
    "TMCL": _musicians,
}
