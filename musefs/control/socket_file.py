"""The control socket's place in the file system.

A socket is made in a folder that nobody else can enter, given mode 0600 there, and then renamed to
its place: at no moment can another user connect, and what a dead service left is replaced in one
step. The folder is addressed through /proc/self/fd, so its name does not count for the 107 bytes
that a socket's path may have (unix(7)).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from musefs.errors import ConfigError, StateInUse

PATH_BYTES_MAX = 107
SOCKET_MODE = 0o600
_CONNECT_TIMEOUT_S = 1.0
_NAME = "control"


def check_length(path: Path) -> None:
    """See that a socket can have this path. Raises ConfigError."""
    length = len(os.fsencode(path))
    if length > PATH_BYTES_MAX:
        raise ConfigError(
            f"control.socket: {path} has {length} bytes, a socket's path may have "
            f"{PATH_BYTES_MAX}: set control.socket to a shorter path"
        )


def publish(path: Path, bind: Callable[[str], None]) -> int:
    """Have `bind` make a socket at a path it is given, and put it in place; its inode.

    Raises ConfigError, StateInUse when a service answers there already.
    """
    check_length(path)
    _see_that_it_is_free(path)
    try:
        private = Path(tempfile.mkdtemp(prefix=".control-", dir=path.parent))
        try:
            folder = os.open(private, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                bind(f"/proc/self/fd/{folder}/{_NAME}")
            finally:
                os.close(folder)
            made = private / _NAME
            made.chmod(SOCKET_MODE)
            inode = made.stat().st_ino
            made.rename(path)
        finally:
            shutil.rmtree(private, ignore_errors=True)
    except OSError as error:
        raise ConfigError(
            f"control.socket: {path}: {error.strerror}: make its folder writable, or set "
            "control.socket to another path"
        ) from error
    return inode


def withdraw(path: Path, inode: int) -> None:
    """Take a socket away, unless another one has taken its place."""
    with contextlib.suppress(OSError):
        if path.lstat().st_ino == inode:
            path.unlink()


def point(pointer: Path, path: Path) -> None:
    """Have a symbolic link lead to the socket for those who look in the usual place.

    Raises ConfigError.
    """
    beside = pointer.with_name(f".{pointer.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        beside.symlink_to(path)
        beside.rename(pointer)
    except OSError as error:
        raise ConfigError(
            f"{pointer}: {error.strerror}: make the folder writable, so that a link to the control "
            "socket can be put there"
        ) from error


def _see_that_it_is_free(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if stat.S_ISLNK(mode):
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(
            f"control.socket: {path} is there and no socket: remove it, or set control.socket to "
            "another path"
        )
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_CONNECT_TIMEOUT_S)
        try:
            probe.connect(os.fsencode(path))
        except OSError:
            return
    raise StateInUse(
        f"control.socket: another service answers at {path}: stop it, or set control.socket to "
        "another path"
    )
