"""Finds the running musefs that a command means: by its socket, configuration or mountpoint."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
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


def find_entry(wanted: ServiceOptions, path: str) -> tuple[Path, str]:
    """The socket of the musefs that shows a path, and the path below the root of its tree.

    A path is meant below a mountpoint when it lies there, as it is or seen from the working folder,
    otherwise in the tree. Raises as `find_socket` does.
    """
    if not path:
        raise typer.BadParameter('PATH is empty: name a track or a folder; "/" is the whole tree')
    return find_mounted(wanted, path) or (find_socket(wanted), _in_tree(path))


def find_mounted(wanted: ServiceOptions, path: str) -> tuple[Path, str] | None:
    """The same when a path lies below a mountpoint, otherwise None."""
    for candidate in _places(path):
        above = [m for m in mountpoints.mounts() if m.state and candidate.is_relative_to(m.path)]
        if above:
            # Of mounts in one another the innermost, of those at one place the uppermost.
            mounted = max(reversed(above), key=lambda mounted: len(mounted.path.parts))
            inside = candidate.relative_to(mounted.path).as_posix()
            return _socket_of(mounted, wanted), _in_tree(inside)
    return None


def _places(path: str) -> Iterator[Path]:
    """Where a path may lie. The first is had without touching a mount, which may hang."""
    place = Path(path).absolute()
    if ".." not in place.parts:
        yield place
    yield canonical(place)


def _in_tree(path: str) -> str:
    inside = posixpath.normpath(path).strip("/")
    return "" if inside == "." else inside


def _socket_of(mounted: mountpoints.Mounted, wanted: ServiceOptions) -> Path:
    """The socket of a mount, which has to be the one that the options name, if they do."""
    socket = (mounted.state or mounted.path) / SOCKET_NAME
    if (wanted.socket, wanted.config, wanted.mountpoint) == (None, None, None):
        return socket
    named = find_socket(wanted)
    if os.path.realpath(named) != os.path.realpath(socket):
        raise ServiceUnreachable(
            f"the path lies below {mounted.path}, which is not the musefs at {named}: give the "
            "path alone, or the path in the tree"
        )
    return named


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
