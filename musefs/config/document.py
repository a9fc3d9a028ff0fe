"""A YAML text as plain values, with the place that each of them was written at.

YAML keeps the last of two equal keys silently, so they are refused here; so is a text that contains
itself by way of an alias. Errors quote no line of the text: it may hold a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from musefs.errors import ConfigError

_UNPLACED_ERRORS = (
    yaml.YAMLError,
    RecursionError,
    # PyYAML lets these out when a value does not suit its tag, such as "!!bool maybe".
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)

KeyPath = tuple[str | int, ...]
"""The keys and list positions that lead to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a value was written: a file and its line from 1, or a variable (line 0)."""

    line: int
    source: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Document:
    """Values that are still to be validated, and where they stand. () is the whole document."""

    values: dict[str, Any]
    places: dict[KeyPath, Place]

    def place(self, path: KeyPath) -> Place:
        """The place of this value, or of the nearest one around it."""
        while path not in self.places:
            path = path[:-1]
        return self.places[path]

    def replaced(self, path: KeyPath, value: object, place: Place) -> Document:
        """The document with another value at `path`.

        A path that leads through something that is no mapping changes nothing: validation tells.
        """
        values = _replaced(self.values, path, value)
        return Document(values, self.places | {path: place})


def parse(text: str, source: str) -> Document:
    """The document that a YAML text holds; `source` names it in errors. Raises ConfigError."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(f'{source}: should be a mapping that starts with "origins:"')
        _refuse_ambiguity(root, source)
        values = loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        # The error's own text quotes the line, and that line may hold a secret.
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1 if mark else 0, source)
        raise ConfigError(f"{place}: not valid YAML: {_problem(error)}") from None
    except _UNPLACED_ERRORS:
        text = "too deep, or a control character, a date or a !tag that makes no sense"
        raise ConfigError(f"{source}: not valid YAML: {text}; correct it") from None
    # A section whose keys are all commented out reads as null: its defaults are meant.
    present = {key: value for key, value in values.items() if value is not None}
    return Document(present, dict(_places(root, (), source)) | {(): Place(1, source)})


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "cannot be read"
    if any(word in problem for word in ("alias", "anchor", "tag")):
        # These repeat the text that was taken for one, and that may be a secret.
        return "a value starts with *, & or !; put it in quotes"
    return f"{problem}; correct the syntax"


def _replaced(around: Any, path: KeyPath, value: object) -> Any:
    key, *rest = path
    if isinstance(around, dict):
        inner = around.get(key)
        changed = _replaced({} if inner is None else inner, tuple(rest), value) if rest else value
        return around | {key: changed}
    if isinstance(around, list) and isinstance(key, int) and rest:
        changed = _replaced(around[key], tuple(rest), value)
        return [*around[:key], changed, *around[key + 1 :]]
    return around


def _refuse_ambiguity(node: yaml.Node, source: str, around: tuple[yaml.Node, ...] = ()) -> None:
    if any(node is outer for outer in around):
        place = Place(node.start_mark.line + 1, source)
        raise ConfigError(f"{place}: contains itself by an alias; write the value out")
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                place = Place(key.start_mark.line + 1, source)
                raise ConfigError(f"{place}: {key.value}: is given twice; keep one of them")
            seen.add(str(key.value))
    for _, child in _children(node):
        _refuse_ambiguity(child, source, (*around, node))


def _places(node: yaml.Node, path: KeyPath, source: str) -> Iterator[tuple[KeyPath, Place]]:
    for key, child in _children(node):
        key_node = key if isinstance(key, yaml.Node) else child
        step = str(key.value) if isinstance(key, yaml.Node) else key
        yield (*path, step), Place(key_node.start_mark.line + 1, source)
        yield from _places(child, (*path, step), source)


def _children(node: yaml.Node) -> Iterator[tuple[yaml.Node | int, yaml.Node]]:
    """The nodes directly below, each with its key or its position."""
    if isinstance(node, yaml.MappingNode):
        yield from node.value
    elif isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)
