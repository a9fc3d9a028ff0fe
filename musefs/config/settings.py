"""Every setting of musefs.yaml, its type, its default and its bounds.

An attribute carries its unit (`memory_bytes`), the key in the file does not (`memory`), because the
value there has one.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from musefs.config.origin_settings import KINDS, AnyOrigin, Settings, Text
from musefs.config.paths import AbsolutePath
from musefs.config.units import (
    BandwidthOrNone,
    Duration,
    Interval,
    PositiveDuration,
    Size,
    at_least,
    parse_size,
)

DEFAULT_TEMPLATE = "$albumartist/[$year - ]$album/[$disc-]$track $title"
SOCKET_PATH_BYTES_MAX = 107
"""See unix(7)."""

_MODE_MAX = 0o777
_ID_MAX = (1 << 32) - 2  # the largest one means "no change" to chown(2)


def _listed(value: object) -> object:
    """A list that an environment variable has to give as one text."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _mapped(value: object) -> object:
    """A mapping that an environment variable has to give as one text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError('should be a mapping; as text, JSON such as {"name": "value"}') from error


def _octal(value: object) -> int:
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        try:
            mode = int(value, 8)
        except ValueError:
            mode = _MODE_MAX + 1
        if mode <= _MODE_MAX:
            return mode
    raise ValueError('should be an octal mode in quotes, from "0000" to "0777"')


def _pattern(value: str) -> str:
    if "/" in value:
        raise ValueError('should be a pattern for file names, without "/"')
    return value


def _view_name(value: str) -> str:
    if "/" in value or not value.isprintable() or value.startswith("."):
        raise ValueError('a view\'s name should be printable, without "/" and a leading "."')
    return value


def _address(value: object) -> object:
    if value is False:  # a bare `off` of YAML 1.1
        return None
    if not isinstance(value, str):
        return value
    host, _, port = value.rpartition(":")
    if not host or not port.isascii() or not port.isdecimal() or int(port) > 65535:
        raise ValueError('should be an address such as "127.0.0.1:9464", or null')
    return value


def _distinct(origins: tuple[AnyOrigin, ...]) -> tuple[AnyOrigin, ...]:
    if not origins:
        raise ValueError("is empty; name at least one origin")
    seen: set[str] = set()
    for index, origin in enumerate(origins):
        if origin.id in seen:
            text = "an earlier origin has this id too; ids should be distinct"
            raise PydanticCustomError("same_id", text, {"index": index})
        seen.add(origin.id)
    return origins


class Tree(Settings):
    """How tracks become folders and files."""

    template: Text = DEFAULT_TEMPLATE
    fallbacks: Annotated[Mapping[str, tuple[Text, ...]], BeforeValidator(_mapped)] = Field(
        default={"albumartist": ("artist",), "artist": ("albumartist",)}
    )
    default: Text = "Unknown"
    case_insensitive: bool = False
    names: Literal["unix", "windows"] = "unix"
    sidecars: Annotated[
        tuple[Annotated[Text, AfterValidator(_pattern)], ...], BeforeValidator(_listed)
    ] = ("cover.*", "folder.*", "*.cue", "*.lrc", "*.log", "*.m3u8", "*.pdf")
    views: Annotated[
        Mapping[Annotated[Text, AfterValidator(_view_name)], Text], BeforeValidator(_mapped)
    ] = Field(default={})


class Mount(Settings):
    """How the tree is shown. `uid` and `gid` of None: those of the process."""

    mode: Literal["synthesis", "structure-only"] = "synthesis"
    allow_other: bool = False
    uid: int | None = Field(default=None, ge=0, le=_ID_MAX)
    gid: int | None = Field(default=None, ge=0, le=_ID_MAX)
    file_mode: Annotated[int, BeforeValidator(_octal)] = 0o444
    dir_mode: Annotated[int, BeforeValidator(_octal)] = 0o555


class Cache(Settings):
    """Bounds of what is kept, in bytes. `readahead_bytes_max` is per open file.

    `scrub_bytes_per_s` of 0: the disk cache is not looked through.
    """

    memory_bytes_max: Annotated[Size, at_least("1 MiB", parse_size)] = Field(
        default=256 << 20, alias="memory"
    )
    disk_bytes_max: Size = Field(default=10 << 30, alias="disk")
    pins_bytes_max: Size = Field(default=5 << 30, alias="pins")
    heads_bytes: Size = Field(default=64 << 10, alias="heads")
    tails_bytes: Size = Field(default=72 << 10, alias="tails")
    readahead_bytes_max: Size = Field(default=8 << 20, alias="readahead")
    scrub_bytes_per_s: BandwidthOrNone = Field(default=4 << 20, alias="scrub")


class Federation(Settings):
    """How origins are watched over, in seconds."""

    check_every_s: Interval = Field(default=30.0, alias="check_every")
    patience_s: PositiveDuration = Field(default=0.2, alias="patience")
    retries_s: Annotated[tuple[Duration, ...], BeforeValidator(_listed), Field(max_length=10)] = (
        Field(default=(0.1, 0.5, 2.0), alias="retries")
    )


class Control(Settings):
    """How a running musefs is spoken to."""

    socket: AbsolutePath | None = None
    web: bool = False
    metrics: Annotated[str | None, BeforeValidator(_address)] = "127.0.0.1:9464"

    @property
    def metrics_address(self) -> tuple[str, int] | None:
        """Host and port that serve the metrics; None when they are off."""
        if self.metrics is None:
            return None
        host, _, port = self.metrics.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)


class Log(Settings):
    """What is logged, and in which form."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Config(Settings):
    """A whole musefs.yaml."""

    state: AbsolutePath = Field(
        default="~/.local/share/musefs",  # validated into a path
        validate_default=True,
    )
    origins: Annotated[tuple[AnyOrigin, ...], AfterValidator(_distinct)]
    tree: Tree = Tree()
    mount: Mount = Mount()
    cache: Cache = Cache()
    federation: Federation = Federation()
    control: Control = Control()
    log: Log = Log()

    @property
    def control_socket(self) -> Path:
        """Where the control socket is: in the state folder, if a socket's path may be so long.

        The service leaves a link to it in the state folder when it is elsewhere.
        """
        usual = self.control.socket or self.state / "control.sock"
        if self.control.socket is not None or len(os.fsencode(usual)) <= SOCKET_PATH_BYTES_MAX:
            return usual
        digest = blake2b(os.fsencode(self.state), digest_size=8).hexdigest()
        return Path(tempfile.gettempdir()) / f"musefs-{os.getuid()}-{digest}.sock"


SECTIONS: Mapping[str, type[Settings]] = {
    "tree": Tree,
    "mount": Mount,
    "cache": Cache,
    "federation": Federation,
    "control": Control,
    "log": Log,
}


def keys_of(settings: type[Settings]) -> tuple[str, ...]:
    """The keys that this part of the configuration has in the file."""
    return tuple(field.alias or name for name, field in settings.model_fields.items())


def keys_at(path: Sequence[str | int]) -> tuple[str, ...]:
    """The keys allowed at a place in the file: (), (section,) or ("origins", index, kind)."""
    match tuple(path):
        case ():
            return keys_of(Config)
        case ("origins", int(), str(kind)) if kind in KINDS:
            return keys_of(KINDS[kind])
        case (str(section),) if section in SECTIONS:
            return keys_of(SECTIONS[section])
    return ()
