"""What a template may name of a track: its tags, numbers from them, and where its file lies. Pure.

Tags go by the lower-case names of Vorbis comments (tracknumber, date, ...), each with its values in
order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

_NUMBER = re.compile(r"\s*([0-9]{1,6})\s*(?:/\s*([0-9]{0,6})\s*)?")
_YEAR = re.compile(r"(?<![0-9])([0-9]{4})(?=[0-9]{4}(?![0-9])|(?![0-9]))")
_TRACK_DIGITS_MIN = 2
_DISC_DIGITS_MIN = 1


def template_fields(tags: Mapping[str, Sequence[str]], origin: str, path: str) -> dict[str, str]:
    """The fields of a track, missing ones left out.

    Every tag's first value (all artists, with "; " between them); `year`, four digits; `track` and
    `disc`, as wide as their totals, at least 2 and 1 digits; `origin`, its id; and of the file's
    path there `path`, its folders, `folder`, the last of them, `filename` without the extension,
    and `format`, the extension in lower case.
    """
    fields = {name.lower(): values[0] for name, values in tags.items() if values}
    if "artist" in fields:
        artists = next(values for name, values in tags.items() if name.lower() == "artist")
        fields["artist"] = "; ".join(filter(None, artists))
    file = PurePosixPath(path)
    derived = {
        "year": _year(fields),
        "track": _number(fields, "track", _TRACK_DIGITS_MIN),
        "disc": _number(fields, "disc", _DISC_DIGITS_MIN),
        "format": file.suffix[1:].lower(),
        "origin": origin,
        "path": "/".join(file.parts[:-1]),
        "folder": file.parent.name,
        "filename": file.stem,
    }
    for name, value in derived.items():
        if value:
            fields[name] = value
        else:
            fields.pop(name, None)
    return fields


def _year(fields: Mapping[str, str]) -> str:
    for name in ("date", "year", "originaldate"):
        match = _YEAR.search(fields.get(name, ""))
        if match and match[1] != "0000":
            return match[1]
    return ""


def _number(fields: Mapping[str, str], name: str, digits_min: int) -> str:
    """`tracknumber` or `discnumber` zero-padded; "" when it is 0 or no number."""
    match = _NUMBER.fullmatch(fields.get(f"{name}number", ""))
    if match is None or not int(match[1]):
        return ""
    totals = (match[2], fields.get(f"{name}total"), fields.get(f"total{name}s"))
    total = next((text for text in totals if text and text.isascii() and text.isdecimal()), "")
    return str(int(match[1])).zfill(max(digits_min, len(total.lstrip("0"))))
