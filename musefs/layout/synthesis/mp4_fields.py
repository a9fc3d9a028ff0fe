"""Fields as atoms of an iTunes metadata list (moov/udta/meta/ilst), in terms of mutagen's MP4Tags.

An atom of a number or a flag holds nothing else: other values go to a free-form atom of the same
meaning, which every reader of free-form atoms knows. There is no specification; names and types
follow https://picard-docs.musicbrainz.org/en/appendices/tag_mapping.html and iTunes.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from musefs.layout.synthesis.changes import changed_fields
from musefs.layout.synthesis.own_names import own_name
from musefs.layout.tags import Tags, from_mp4
from musefs.layout.vocabulary import BY_FIELD, field_of_mp4

PICTURES = "covr"

_FREEFORM = "----:com.apple.iTunes:"
_PAIRS = (("tracknumber", "tracktotal"), ("discnumber", "disctotal"))
_NUMBERED = frozenset(number for number, _ in _PAIRS)
_FLAGS = frozenset({"cpil", "pgap", "pcst"})
_INTEGERS = frozenset(
    {"tmpo", "©mvi", "©mvc", "shwm", "stik", "hdvd", "rtng", "tves", "tvsn"}
    | {"plID", "cnID", "geID", "atID", "sfID", "cmID", "akID"}
)
_TEXTS = frozenset({"purl", "egid", "purd", "catg", "keyw", "sosn", "tvsh", "tvnn", "tven"})
# Atoms that the vocabulary has no field for: they are called as they are, in lower case.
_UNNAMED = {key.lower(): key for key in _FLAGS | _INTEGERS | _TEXTS}
_INTEGER_MAX = (1 << 31) - 1
_PAIR_MAX = (1 << 16) - 1


def set_atoms(atoms: Any, tags: Tags) -> None:
    """Have a mutagen MP4Tags say `tags`: atoms of fields that it says already stay.

    Pictures are not touched. Leading zeros of track and disc numbers are lost.
    """
    changed = changed_fields(from_mp4(atoms), tags)
    known: dict[str, str] = {}
    for key in list(atoms.keys()):
        field = field_of_mp4(key)
        if key != PICTURES and field in changed:
            known.setdefault(field, key)
            del atoms[key]
    left = {field: values for field, values in tags.items() if field in changed}
    for number, total in _PAIRS:
        _set_pair(atoms, number, total, left)
    for field, values in left.items():
        key = _key(field, known)
        encoded = _encoded(key, values)
        atoms[key if encoded else _free(field)] = encoded or _freeform(values)


def _set_pair(atoms: Any, number: str, total: str, left: dict[str, tuple[str, ...]]) -> None:
    """Take those of two fields that "trkn" or "disk" can hold out of what is left."""
    numbers, totals = (
        left.pop(field) if all(map(_fits_pair, left.get(field, ("",)))) else ()
        for field in (number, total)
    )
    if numbers or totals:
        pairs = zip_longest(map(int, numbers), map(int, totals), fillvalue=0)
        atoms[BY_FIELD[number].mp4] = list(pairs)


def _fits_pair(text: str) -> bool:
    """Zero means that there is no number."""
    return text.isascii() and text.isdigit() and 0 < int(text[-9:]) <= _PAIR_MAX and len(text) < 9


def _encoded(key: str, values: tuple[str, ...]) -> Any:
    """What mutagen writes to an atom, None when the atom cannot hold all of the values."""
    if key.startswith("----:"):
        return _freeform(values)
    if key in _FLAGS:
        return True if values == ("1",) else None
    if key in _INTEGERS:
        return [int(text) for text in values] if all(map(_fits_integer, values)) else None
    return list(values)


def _fits_integer(text: str) -> bool:
    digits = text.isascii() and text.isdigit() and len(text) <= 10
    return digits and int(text) <= _INTEGER_MAX and str(int(text)) == text


def _key(field: str, known: dict[str, str]) -> str:
    if field in _NUMBERED:
        return _free(field)
    if field in BY_FIELD and BY_FIELD[field].mp4:
        return BY_FIELD[field].mp4
    return known.get(field) or _UNNAMED.get(field) or _free(field)


def _free(field: str) -> str:
    """The free-form atom of a field. mutagen takes names as Latin-1, players as UTF-8."""
    name = BY_FIELD[field].vorbis if field in BY_FIELD else own_name(field)
    return (_FREEFORM + name).encode("utf-8").decode("latin-1")


def _freeform(values: tuple[str, ...]) -> list[bytes]:
    return [text.encode("utf-8") for text in values]
