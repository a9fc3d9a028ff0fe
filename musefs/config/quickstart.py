"""A configuration from nothing but folders and URLs, in the order of their priority.

The state folder is named by the sources, so that the same command finds its catalogue again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from musefs.config.document import Document, KeyPath, Place
from musefs.config.environment import Overrides, with_environment, with_overrides
from musefs.config.loading import validated
from musefs.config.paths import Surroundings
from musefs.config.settings import Config
from musefs.errors import ConfigError

_PRIORITY_STEP = 10
_SOURCES_MAX = 64


def is_config(source: str) -> bool:
    """Whether a SOURCE of the command line names a configuration file."""
    return "://" not in source and source.lower().endswith((".yaml", ".yml"))


def from_sources(
    sources: Sequence[str],
    overrides: Overrides | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The configuration of a quick start: the defaults, and one origin for each source.

    Raises ConfigError for a source that is no folder, sftp:// or s3:// URL.
    """
    if not 0 < len(sources) <= _SOURCES_MAX:
        raise ConfigError(f"name 1 to {_SOURCES_MAX} folders or URLs, or one musefs.yaml")
    environment = environment or {}
    home = environment.get("HOME")
    here = Surroundings(Path.cwd(), Path(home) if home else None)
    origins = [_origin(source, here) for source in sources]
    digest = blake2b(repr(origins).encode(errors="surrogateescape"), digest_size=4).hexdigest()
    names: set[str] = set()
    for number, origin in enumerate(origins, start=1):
        origin["id"] = _distinct(str(origin["id"]), names)
        origin["priority"] = number * _PRIORITY_STEP
    values = {"state": f"~/.local/share/musefs/quick-{digest}", "origins": origins}
    places: dict[KeyPath, Place] = {(): Place(0, "command line")}
    for index, source in enumerate(sources):
        # Without the query: an endpoint that is refused may hold a password.
        places["origins", index] = Place(0, source.partition("?")[0])
    document = Document(values, places)
    document = with_overrides(with_environment(document, environment), overrides or {})
    return validated(document, environment, here.folder)


def _origin(source: str, here: Surroundings) -> dict[str, object]:
    if "://" not in source:
        return _local(source, here)
    try:
        url = urlsplit(source)
        port = url.port
    except ValueError:
        # The error's own text may hold a piece of a password that was meant to be in the URL.
        form = "sftp://user@host:port/path or s3://bucket/prefix"
        raise ConfigError(f"a source is not a valid URL; allowed: {form}") from None
    if url.scheme not in ("sftp", "s3"):
        raise ConfigError(f'unknown kind of source "{url.scheme}://"; allowed: folders, sftp, s3')
    if url.password is not None:
        text = "a password in a URL shows in the process list; put it into a musefs.yaml"
        raise ConfigError(f"{url.scheme}://{url.hostname}: {text}")
    if not url.hostname or url.fragment:
        form = "sftp://user@host/path or s3://bucket/prefix"
        raise ConfigError(f"{source}: is incomplete or has a fragment; allowed: {form}")
    return _sftp(source, url, port) if url.scheme == "sftp" else _s3(url)


def _local(source: str, here: Surroundings) -> dict[str, object]:
    try:
        path = here.absolute(source)
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from error
    if not path.is_dir():
        kinds = "name a folder, sftp://user@host/path or s3://bucket/prefix"
        alone = "a configuration file has to be the only source"
        raise ConfigError(f"{source}: no such folder; {alone if is_config(source) else kinds}")
    return {"id": "local", "kind": "local", "path": str(path)}


def _sftp(source: str, url: SplitResult, port: int | None) -> dict[str, object]:
    if not url.path or url.query:
        raise ConfigError(f"{source}: needs a path and no query: sftp://user@host/path")
    origin: dict[str, object] = {
        "id": url.hostname,
        "kind": "sftp",
        "host": url.hostname,
        "path": unquote(url.path),
    }
    if port is not None:
        origin["port"] = port
    if url.username:
        origin["user"] = unquote(url.username)
    return origin


def _s3(url: SplitResult) -> dict[str, object]:
    options = dict(parse_qsl(url.query, keep_blank_values=True))
    if url.netloc != url.netloc.rpartition("@")[2] or not options.keys() <= {"endpoint", "region"}:
        form = "s3://bucket/prefix?endpoint=https://host&region=name"
        raise ConfigError(f"s3://{url.hostname}: allowed: {form}; keys go into a musefs.yaml")
    prefix = unquote(url.path).strip("/")
    return {
        "id": url.hostname,
        "kind": "s3",
        "bucket": url.netloc,
        "prefix": f"{prefix}/" if prefix else "",
        **options,
    }


def _distinct(wanted: str, names: set[str]) -> str:
    """An id made of `wanted` that is not among `names` yet; it is added to them."""
    plain = re.sub("[^A-Za-z0-9_-]+", "-", wanted).strip("-") or "origin"
    name, number = plain, 1
    while name in names:
        number += 1
        name = f"{plain}{number}"
    names.add(name)
    return name
