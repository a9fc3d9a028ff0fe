"""Path templates: parsed once, rendered for every track. Pure.

    template := item*
    item     := text | "/" | "$$" | "$[" | "$]" | field | "[" item* "]"
    field    := "$" name | "${" name ("|" name)* "}"

A field is the first of its names that is set, then their fallbacks. What is between brackets is
left out when a field directly in it is missing; outside, a missing field is the default, but a
missing number is nothing. "/" separates folders where the template has it, never in a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musefs.errors import TemplateError

_TEMPLATE_CHARACTERS_MAX = 4096
_DEPTH_MAX = 16

_TOKEN = re.compile(
    r"\$(?P<escaped>[$\[\]])"
    r"|\$(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|\$\{(?P<names>[^${}\[\]/]*)\}"
    r"|(?P<mark>[\[\]/])"
    r"|(?P<text>[^$\[\]/]+)"
)

_NUMBERS = frozenset({"track", "disc", "year"})
"""Fields for which a default word would be noise ("Unknown Title")."""

_LAST_RESORT = {"title": ("filename",)}
"""Every file has a name, so a track without a title takes that."""


@dataclass(frozen=True, slots=True)
class _Text:
    text: str


@dataclass(frozen=True, slots=True)
class _Field:
    names: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class _Section:
    items: tuple[_Item, ...]


@dataclass(frozen=True, slots=True)
class _Separator:
    pass


_Item = _Text | _Field | _Section | _Separator


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed template."""

    text: str
    _items: tuple[_Item, ...]

    @classmethod
    def parse(
        cls,
        text: str,
        fallbacks: Mapping[str, Sequence[str]] | None = None,
        default: str = "Unknown",
    ) -> Template:
        """Raises TemplateError, which names the position (the first character is 1)."""
        if not text or len(text) > _TEMPLATE_CHARACTERS_MAX:
            raise TemplateError(f"template: should have 1 to {_TEMPLATE_CHARACTERS_MAX} characters")
        if text.endswith("/"):
            raise TemplateError('template: ends with "/"; a name for the file has to follow')
        return cls(text, _Parser(text, fallbacks or {}, default).items())

    def render(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """The names of the folders and, last, of the file, without its extension.

        They are trimmed, but not yet safe for a filesystem. Empty folders are left out; a file that
        is left without a name has an empty one.
        """
        components = [""]
        for piece in _rendered(self._items, fields):
            if isinstance(piece, str):
                components[-1] += piece
            else:
                components.append("")
        *folders, file = (component.strip() for component in components)
        return (*filter(None, folders), file)


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str, fallbacks: Mapping[str, Sequence[str]], default: str) -> None:
        self._text = text
        self._position = 0
        self._default = default
        self._fallbacks = {
            name.lower(): tuple(other.lower() for other in names)
            for name, names in fallbacks.items()
        }

    def items(self, depth: int = 0) -> tuple[_Item, ...]:
        """Everything up to the bracket that closes this depth, or to the end."""
        opening = self._position
        items: list[_Item] = []
        while self._position < len(self._text):
            token = _TOKEN.match(self._text, self._position)
            if token is None:
                text = '"$" needs a field after it, such as $title or ${a|b}; a dollar sign is "$$"'
                raise self._error(text)
            if token["mark"] == "]" and depth:
                self._position = token.end()
                return tuple(items)
            items.append(self._item(token, depth))
        if depth:
            self._position = opening - 1
            raise self._error('"[" is never closed; a literal bracket is "$["')
        return tuple(items)

    def _item(self, token: re.Match[str], depth: int) -> _Item:
        if token["mark"] == "]":
            raise self._error('"]" was never opened; a literal bracket is "$]"')
        if token["mark"] == "[" and depth == _DEPTH_MAX:
            raise self._error(f'"[" is nested more than {_DEPTH_MAX} deep')
        field = self._field(token)
        self._position = token.end()
        if token["mark"] == "[":
            return _Section(self.items(depth + 1))
        if token["mark"] == "/":
            return _Separator()
        return field or _Text(token["escaped"] or token["text"])

    def _field(self, token: re.Match[str]) -> _Field | None:
        listed = token["name"] if token["names"] is None else token["names"]
        if listed is None:
            return None
        names = [name.strip().lower() for name in listed.split("|")]
        if not all(names):
            raise self._error("${} needs names with | between them, such as ${albumartist|artist}")
        default = "" if _NUMBERS & set(names) else self._default
        chain = [*names]
        for name in names:
            chain += self._fallbacks.get(name, ())
        for name in names:
            chain += _LAST_RESORT.get(name, ())
        return _Field(tuple(dict.fromkeys(chain)), default)

    def _error(self, text: str) -> TemplateError:
        return TemplateError(f"template: position {self._position + 1}: {text}")


def _rendered(items: Sequence[_Item], fields: Mapping[str, str]) -> list[str | _Separator]:
    pieces: list[str | _Separator] = []
    for item in items:
        match item:
            case _Text(text):
                pieces.append(text)
            case _Field(names, default):
                pieces.append(_value(names, fields) or default)
            case _Section(inner):
                if not _lacks_a_field(inner, fields):
                    pieces += _rendered(inner, fields)
            case _:
                pieces.append(item)
    return pieces


def _lacks_a_field(items: Sequence[_Item], fields: Mapping[str, str]) -> bool:
    return any(isinstance(item, _Field) and not _value(item.names, fields) for item in items)


def _value(names: Sequence[str], fields: Mapping[str, str]) -> str:
    for name in names:
        value = fields.get(name, "")
        if value and not value.isspace():
            return value
    return ""
