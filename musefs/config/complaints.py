"""What validation found wrong, as one line: place, key, what is wrong, what is allowed.

A rejected value is never repeated: it may be a secret that slipped into the wrong place.
"""

from __future__ import annotations

from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from musefs.config.document import Document, KeyPath, Place
from musefs.config.origin_settings import KINDS
from musefs.config.settings import keys_at

_TEXTS = {
    "missing": "is missing; it has to be given",
    "string_type": "should be text; put it in quotes",
    "string_too_short": "should not be empty",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "int_type": "should be a whole number",
    "int_parsing": "should be a whole number",
    "int_from_float": "should be a whole number",
    "model_type": "should be a mapping such as {key: value}",
    "model_attributes_type": "should be a mapping such as {key: value}",
    "dict_type": "should be a mapping such as {key: value}",
    "tuple_type": "should be a list such as [first, second]",
    "union_tag_not_found": "needs a kind; allowed: " + ", ".join(KINDS),
    "union_tag_invalid": "has an unknown kind; allowed: " + ", ".join(KINDS),
}


def describe(error: ValidationError, document: Document) -> str:
    """The error that stands first in the file, and how many more there are."""
    details = error.errors(include_url=False, include_input=False)
    complaints = sorted(_complaint(detail, document) for detail in details)
    place, text = complaints[0]
    more = f" (and {len(complaints) - 1} more)" if len(complaints) > 1 else ""
    return " ".join(f"{place}: {text}{more}".split())


def _complaint(detail: ErrorDetails, document: Document) -> tuple[Place, str]:
    path = _path(detail)
    if detail["type"] in ("extra_forbidden", "invalid_key"):
        text = _unknown_key(detail["loc"])
    elif detail["type"] in _TEXTS:
        text = _TEXTS[detail["type"]]
    elif "ctx" in detail and isinstance(detail["ctx"].get("error"), ValueError):
        text = str(detail["ctx"]["error"])
    else:
        text = detail["msg"].removeprefix("Input ")
    return document.place(path), f"{_dotted(path, document)}: {text}"


def _path(detail: ErrorDetails) -> KeyPath:
    """The way to the value in the file: without the kind that a union puts into it."""
    path = detail["loc"]
    if path[:1] == ("origins",):
        path = path[:2] + path[3:]
    if path[-1:] == ("[key]",):
        path = path[:-1]
    if detail["type"] == "invalid_key":
        path = (*path[:-1], str(path[-1]))
    if "index" in detail.get("ctx", {}):
        path = (*path, detail["ctx"]["index"], "id")
    if detail["type"].startswith("union_tag"):
        path = (*path, "kind")
    return path


def _dotted(path: KeyPath, document: Document) -> str:
    """The path for people; an origin goes by its id when it has one."""
    if len(path) > 1 and path[0] == "origins":
        origin = document.values["origins"][path[1]]
        name = origin.get("id") if isinstance(origin, dict) else None
        if isinstance(name, str) and name:
            path = ("origins", name, *path[2:])
    return ".".join(str(step) for step in path)


def _unknown_key(path: KeyPath) -> str:
    allowed = keys_at(path[:-1])
    near = get_close_matches(str(path[-1]), allowed, n=1)
    guess = f'; did you mean "{near[0]}"?' if near else ";"
    return f"unknown key{guess} allowed: {', '.join(allowed)}"
