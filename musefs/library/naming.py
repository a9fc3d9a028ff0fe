"""Names that every filesystem and its readers can take, made from any text. Pure.

Every name is NFC, encodes to UTF-8 in at most 255 bytes (NAME_MAX), and is not hidden. A byte that
was not UTF-8 (a surrogate escape, PEP 383) becomes readable, such as %FF. Windows rules follow
Microsoft's "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from musefs.library.template import Template

NAME_BYTES_MAX = 255
_EXTENSION_BYTES_MAX = 16
_REPLACEMENT = "_"
_ZERO_WIDTH_JOINER = "\u200d"

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSAFE = re.compile("[\0-\x1f\x7f-\x9f\u2028\u2029/]")
_UNSAFE_ON_WINDOWS = re.compile('[\0-\x1f\x7f-\x9f\u2028\u2029/<>:"\\\\|?*]')
_WINDOWS_END = re.compile(r"[\s.]+\Z")
_WINDOWS_DEVICE = re.compile(
    r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])(?= *(?:\.|\Z))", re.IGNORECASE
)
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z0-9]{1,8}\Z")
_NUMBER_AT_END = re.compile(r" \(([1-9][0-9]{0,8})\)\Z")


@dataclass(frozen=True, slots=True)
class NamingRules:
    """What names have to suit."""

    names: Literal["unix", "windows"] = "unix"
    case_insensitive: bool = False


def virtual_path(
    template: Template, fields: Mapping[str, str], extension: str, rules: NamingRules
) -> tuple[str, ...]:
    """Where a track appears: safe names of its folders and of its file."""
    *folders, stem = template.render(fields)
    return (
        *(safe_component(folder, rules) for folder in folders),
        file_name(stem, extension, rules),
    )


def file_name(stem: str, extension: str, rules: NamingRules) -> str:
    """A safe name whose extension ("flac", or "" for none) survives the cut."""
    bare = extension.strip(". ")
    suffix = "." + safe_component(bare, rules, _EXTENSION_BYTES_MAX) if bare else ""
    return safe_component(stem, rules, NAME_BYTES_MAX - len(suffix.encode())) + suffix


def safe_component(text: str, rules: NamingRules, bytes_max: int = NAME_BYTES_MAX) -> str:
    """A name for a file or folder as close to `text` as the rules allow. Idempotent."""
    windows = rules.names == "windows"
    name = unicodedata.normalize("NFC", _SURROGATE.sub(_readable, text))
    name = (_UNSAFE_ON_WINDOWS if windows else _UNSAFE).sub(_REPLACEMENT, name).strip()
    if name.startswith("."):
        name = _REPLACEMENT + name[1:]
    name = _trimmed(_cut(name, bytes_max), windows)
    if windows and (device := _WINDOWS_DEVICE.match(name)):
        name = f"{device[0]}{_REPLACEMENT}{name[device.end() :]}"
        name = _trimmed(_cut(name, bytes_max), windows)
    return name or _REPLACEMENT


def unique_name(name: str, taken: Callable[[str], bool]) -> str:
    """`name`, or with the first free of " (2)", " (3)", ... before its extension.

    Asks `taken` O(log n) times: the numbers in use are taken to be without gaps, and where they are
    not, the answer is still free.
    """
    used, free = 0, 1
    while taken(numbered(name, free)):
        used, free = free, free * 2
    while free - used > 1:
        middle = (used + free) // 2
        if taken(numbered(name, middle)):
            used = middle
        else:
            free = middle
    return numbered(name, free)


def numbered(name: str, number: int) -> str:
    """`name` with " (number)" before its extension, cut to fit; 1 is the name itself."""
    if number == 1:
        return name
    extension = _EXTENSION.search(name)
    stem, suffix = (name[: extension.start()], extension[0]) if extension else (name, "")
    ending = f" ({number}){suffix}"
    return _cut(stem, NAME_BYTES_MAX - len(ending.encode())).rstrip() + ending


def number_of(name: str) -> int:
    """The number that `numbered` may have put into this name; 1 when there is none."""
    extension = _EXTENSION.search(name)
    match = _NUMBER_AT_END.search(name, 0, extension.start() if extension else len(name))
    return int(match[1]) if match else 1


def fold(name: str, rules: NamingRules) -> str:
    """The key under which names collide: in a case-insensitive tree equal but for case."""
    if not rules.case_insensitive:
        return name
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _readable(surrogate: re.Match[str]) -> str:
    byte = ord(surrogate[0]) - 0xDC00
    return f"%{byte:02X}" if 0x80 <= byte <= 0xFF else _REPLACEMENT


def _cut(text: str, bytes_max: int) -> str:
    """At most so many bytes of UTF-8, cut in front of a character with its combining marks."""
    encoded = text.encode()
    if len(encoded) <= bytes_max:
        return text
    end = len(encoded[:bytes_max].decode(errors="ignore"))
    whole = end
    while whole and _joins(text[whole - 1], text[whole]):
        whole -= 1
    return text[: whole or end]


def _joins(before: str, character: str) -> bool:
    """Whether `character` belongs to the one before it (the common part of UAX 29)."""
    return (
        character == _ZERO_WIDTH_JOINER
        or before == _ZERO_WIDTH_JOINER
        or unicodedata.category(character) in ("Mn", "Mc", "Me")
    )


def _trimmed(name: str, windows: bool) -> str:
    """The name without the blanks (on Windows: and dots) that must not end it."""
    return _WINDOWS_END.sub("", name) if windows else name.rstrip()
