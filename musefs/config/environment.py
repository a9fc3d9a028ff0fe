"""Settings from outside the file: environment variables, and over them the command line.

`MUSEFS_CACHE__DISK=50GiB` sets cache.disk, `MUSEFS_STATE` the state folder, and
`MUSEFS_ORIGINS__BOX__PORT` the port of the origin "box" ("-" in an id is written "_"). An empty
variable counts as not set, `null` is null; lists are separated by commas, mappings are JSON.

A variable that names no setting is an error when it has the form of one. Others are left alone:
Kubernetes makes up names such as MUSEFS_PORT for a service called musefs.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from musefs.config.document import Document, KeyPath, Place
from musefs.config.settings import SECTIONS, keys_at
from musefs.errors import ConfigError

PREFIX = "MUSEFS_"
_TEST_PREFIX = "MUSEFS_TEST_"
_ORIGINS_PREFIX = "MUSEFS_ORIGINS__"

Overrides = Mapping[str, object]
"""Values by section and key: {"state": ..., "mount": {"mode": ...}}; None means not given."""


def with_environment(document: Document, environment: Mapping[str, str]) -> Document:
    """The document with the variables over it. Raises ConfigError that names the variable."""
    paths = _paths(document)
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX) or name.startswith(_TEST_PREFIX):
            continue
        if name not in paths:
            _refuse_misspelled(name, paths)
        elif text:
            value = None if text == "null" else text
            document = document.replaced(paths[name], value, Place(0, name))
    return document


def with_overrides(document: Document, overrides: Overrides) -> Document:
    """The document with the command line's values over it."""
    place = Place(0, "command line")
    for section, given in overrides.items():
        pairs = given.items() if isinstance(given, Mapping) else ((None, given),)
        for key, value in pairs:
            if value is not None:
                path = (section,) if key is None else (section, key)
                document = document.replaced(path, value, place)
    return document


def _paths(document: Document) -> dict[str, KeyPath]:
    """Every variable that means something, and the setting it stands for."""
    paths: dict[str, KeyPath] = {f"{PREFIX}STATE": ("state",)}
    for section in SECTIONS:
        for key in keys_at((section,)):
            paths[f"{PREFIX}{section}__{key}".upper()] = (section, key)
    origins = document.values.get("origins")
    for index, origin in enumerate(origins if isinstance(origins, list) else ()):
        if isinstance(origin, dict):
            name = str(origin.get("id")).replace("-", "_")
            for key in keys_at(("origins", index, str(origin.get("kind")))):
                paths.setdefault(f"{_ORIGINS_PREFIX}{name}__{key}".upper(), ("origins", index, key))
    return paths


def _refuse_misspelled(name: str, paths: Mapping[str, KeyPath]) -> None:
    flattened = {path.replace("__", "_"): path for path in paths}
    if "__" not in name and name not in flattened:
        return
    near = [flattened.get(name, ""), *get_close_matches(name, paths, n=1, cutoff=0.8)]
    guess = next((f"did you mean {variable}?" for variable in near if variable), "")
    sections = ", ".join(f"{PREFIX}{section}__".upper() for section in ("origins", *SECTIONS))
    allowed = f"allowed: {PREFIX}STATE and variables that start with {sections}"
    raise ConfigError(f"{name}: no setting has this name; {guess or allowed}")
