"""Tags as a user gives them: names resolved, values checked and brought into one form. Pure.

What passes here can be written into every kind of tag. Times are those of ID3v2.4 (id3.org,
id3v2.4.0-structure, section 4: "timestamps"), numbers fit into the 16 bits that MP4 has for them.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType

from musefs.errors import InvalidTags
from musefs.layout.vocabulary import BY_FIELD, field_of_vorbis

VALUE_BYTES_MAX = 512 << 10
LINE_BYTES_MAX = 48 << 10
"""Of all values of a field that is no long text: readers of ID3 stop at 64 KiB."""
VALUES_MAX = 256
FIELDS_MAX = 200
NUMBER_MAX = 65_535

_NAME_CHARACTERS_MAX = 256
_LIKENESS_MIN = 0.5
_SHOWN_CHARACTERS_MAX = 60
_TOTALS = MappingProxyType(
    {"tracknumber": "tracktotal", "discnumber": "disctotal", "movementnumber": "movementtotal"}
)
_TEXTS = frozenset({"lyrics", "comment", "description"})
_FLAGS = MappingProxyType(
    {"1": "1", "true": "1", "yes": "1", "0": "0", "false": "0", "no": "0"},
)
_DIGITS = re.compile(r"[0-9]{1,9}")
_TEMPO = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_YEAR = re.compile(r"[0-9]{4}")
_TIMESTAMP = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?)?)?)?)?"
)

Changes = dict[str, tuple[str, ...]]


def checked(changes: Mapping[str, Sequence[str]], present: Collection[str]) -> Changes:
    """The changes by the vocabulary's names, each value in the form that tags have.

    No value means that the field goes. `present` are the names that the file has now: of names
    outside the vocabulary, only those can be changed. "3/12" for a number sets its total, too;
    values of several names for one field add up. Raises InvalidTags.
    """
    if len(changes) > FIELDS_MAX:
        raise InvalidTags(f"{len(changes)} fields at once: give at most {FIELDS_MAX}")
    given: dict[str, list[str]] = {}
    for name, values in changes.items():
        field = _field(name, present)
        given.setdefault(field, []).extend(_texts(field, values))
    for number, total in _TOTALS.items():
        _split(given, number, total)
    return {field: _formed(field, values) for field, values in given.items()}


def _field(name: str, present: Collection[str]) -> str:
    """The field that a name stands for. Vorbis' MOVEMENT is a number, the vocabulary's a name."""
    lower = _unicode("field name", name).strip().lower()
    for known in (lower, field_of_vorbis(lower)):
        if known in BY_FIELD or known in present:
            return known
    names = sorted({*BY_FIELD, *present})
    short = len(lower) <= _NAME_CHARACTERS_MAX
    nearest = get_close_matches(lower, names, 3, _LIKENESS_MIN) if short else []
    choice = ", ".join(map(_shown, nearest)) or "title, artist, album, date and the like"
    raise InvalidTags(f"{_shown(name)}: there is no such field: choose one such as {choice}")


def _texts(field: str, values: Iterable[str]) -> Iterable[str]:
    """The values that are not empty, as text that tags can hold."""
    for value in values:
        text = _unicode(_shown(field), value).strip()
        if len(text.encode()) > VALUE_BYTES_MAX:
            raise InvalidTags(
                f"{_shown(field)}: has a value of more than {VALUE_BYTES_MAX >> 10} KiB: "
                "make it shorter"
            )
        if field in _TEXTS:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        _see_that_it_is_plain(field, text)
        if text:
            yield text


def _unicode(place: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidTags(f"{place}: {_shown(text)} is not valid Unicode: give UTF-8") from error
    return text


def _see_that_it_is_plain(field: str, text: str) -> None:
    """No control characters: a NUL ends a value in ID3, a line break ends one in INFO and APEv2."""
    allowed = "\n\t" if field in _TEXTS else ""
    # str.isprintable is quick, and False for more than control characters.
    if text.isprintable():
        return
    for character in text:
        if unicodedata.category(character) == "Cc" and character not in allowed:
            also = "" if not allowed else ", line breaks and tabs apart"
            raise InvalidTags(
                f"{_shown(field)}: has the control character U+{ord(character):04X}: give text "
                f"without any{also}"
            )


def _split(given: dict[str, list[str]], number: str, total: str) -> None:
    """ "3/12" is a number and a total."""
    for place, value in enumerate(given.get(number, ())):
        first, slash, second = (part.strip() for part in value.partition("/"))
        if slash and first and second:
            given[number][place] = first
            if total in given and second not in given[total]:
                raise InvalidTags(
                    f"{total}: is given twice: as part of {number} and by itself: give it once"
                )
            given[total] = [second]


def _formed(field: str, values: Iterable[str]) -> tuple[str, ...]:
    """The values of one field, none of them twice, as readers tell them."""
    form = _FORMS.get(field)
    formed = tuple(dict.fromkeys(form(field, value) if form else value for value in values))
    if len(formed) > (1 if form in _SINGLE else VALUES_MAX):
        most = "one value" if form in _SINGLE else f"at most {VALUES_MAX}"
        raise InvalidTags(f"{_shown(field)}: has {len(formed)} values: give {most}")
    if field not in _TEXTS and sum(len(value.encode()) + 1 for value in formed) > LINE_BYTES_MAX:
        raise InvalidTags(
            f"{_shown(field)}: has more than {LINE_BYTES_MAX >> 10} KiB: make it shorter"
        )
    return formed


def _number(field: str, value: str) -> str:
    if not _DIGITS.fullmatch(value) or int(value) > NUMBER_MAX:
        also = ', or such as "3/12"' if field in _TOTALS else ""
        raise _wrong(field, value, f"no whole number from 0 to {NUMBER_MAX}: give one{also}")
    return str(int(value))


def _tempo(field: str, value: str) -> str:
    if not _TEMPO.fullmatch(value) or float(value) > NUMBER_MAX:
        raise _wrong(field, value, f"no number from 0 to {NUMBER_MAX}: give one, such as 120")
    return value if "." in value else str(int(value))


def _flag(field: str, value: str) -> str:
    flag = _FLAGS.get(value.lower())
    if flag is None:
        raise _wrong(field, value, "neither yes nor no: give 1 or 0")
    return flag


def _year(field: str, value: str) -> str:
    if not _YEAR.fullmatch(value):
        raise _wrong(field, value, "no year: give YYYY")
    return value


def _timestamp(field: str, value: str) -> str:
    match = _TIMESTAMP.fullmatch(value)
    if match is None or not _is_in_calendar(*(int(part or 1) for part in match.groups())):
        raise _wrong(field, value, "no date: give YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS")
    return value


def _is_in_calendar(*parts: int) -> bool:
    year, month, day, hour, minute, second = parts
    if not 1 <= month <= 12 or hour > 23 or minute > 59 or second > 59:
        return False
    return 1 <= day <= calendar.monthrange(year, month)[1]


def _wrong(field: str, value: str, reason: str) -> InvalidTags:
    return InvalidTags(f"{_shown(field)}: {_shown(value)} is {reason}")


def _shown(text: str) -> str:
    """Text of a user in a line about it: short, and nothing that a terminal would obey."""
    shown = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii")
        for c in text[:_SHOWN_CHARACTERS_MAX]
    )
    if len(text) > _SHOWN_CHARACTERS_MAX or len(shown) > _SHOWN_CHARACTERS_MAX:
        shown = shown[:_SHOWN_CHARACTERS_MAX] + "…"
    return shown or '""'


_FORMS: Mapping[str, Callable[[str, str], str]] = MappingProxyType(
    {
        **dict.fromkeys((*_TOTALS, *_TOTALS.values()), _number),
        **dict.fromkeys(("date", "originaldate", "releasedate"), _timestamp),
        "originalyear": _year,
        "bpm": _tempo,
        "compilation": _flag,
    }
)
_SINGLE = (_number, _tempo, _flag)
