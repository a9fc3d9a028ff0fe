"""Finds the running musefs that a command means: by its socket, configuration or mountpoint."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from musefs.cli.configuration import from_file
from musefs.cli.options import ServiceOptions
from musefs.config import is_config
from musefs.errors import ServiceUnreachable
from musefs.mount import mountpoint as mountpoints

DEFAULT_STATE = Path("~/.local/share/musefs")
SOCKET_NAME = "control.sock"


def find_socket(wanted: ServiceOptions, target: str | None = None) -> Path:
    """Where the wanted musefs can be asked; `target` is a configuration or a mountpoint.

    Raises ServiceUnreachable, ConfigError, and typer.BadParameter when it is named twice.
    """
    named = (target, wanted.socket, wanted.config, wanted.mountpoint)
    if sum(name is not None for name in named) > 1:
        raise typer.BadParameter("name the musefs once: as argument, or by one of the options")
    if wanted.socket is not None:
        return wanted.socket
    config, mountpoint = wanted.config, wanted.mountpoint
    if target is not None and is_config(target):
        config = Path(target)
    elif target is not None:
        mountpoint = Path(target)
    if config is not None:
        return from_file(config).control_socket
    if mountpoint is not None:
        return mounted_state(canonical(mountpoint)) / SOCKET_NAME
    return _only_mounted() or _default()


def mounted_state(mountpoint: Path) -> Path:
    """The state folder of the musefs at a canonical mountpoint. Raises ServiceUnreachable."""
    mounted = mountpoints.mounted_at(mountpoint)
    if mounted is None:
        raise ServiceUnreachable(
            f"{mountpoint}: nothing is mounted here: see `findmnt -t fuse.musefs` for what is"
        )
    if mounted.state is None:
        raise ServiceUnreachable(
            f"{mountpoint}: {mounted.source} ({mounted.kind}) is mounted here, no musefs: name the "
            "mountpoint of a musefs"
        )
    return mounted.state


def canonical(path: Path) -> Path:
    """A mountpoint as the kernel writes it. What is mounted there, or hangs, is not touched."""
    path = path.expanduser().absolute()
    beside = Path(os.path.realpath(path.parent)) / path.name if path.name != ".." else path
    if mountpoints.mounted_at(beside) is not None:
        return beside
    return Path(os.path.realpath(path))


def _only_mounted() -> Path | None:
    found = [mounted for mounted in mountpoints.mounts() if mounted.state is not None]
    if len(found) > 1:
        listed = ", ".join(str(mounted.path) for mounted in found)
        raise ServiceUnreachable(f"several libraries are mounted ({listed}): name one of them")
    state = found[0].state if found else None
    return state / SOCKET_NAME if state is not None else None


def _default() -> Path:
    socket = os.environ.get("MUSEFS_CONTROL__SOCKET")
    if socket:
        return Path(socket).expanduser()
    state = Path(os.environ.get("MUSEFS_STATE") or DEFAULT_STATE)
    return state.expanduser() / SOCKET_NAME
