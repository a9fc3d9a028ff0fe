"""One file of a local folder: its version, opening it without leaving the root, and its errors."""

from __future__ import annotations

import errno
import os
import stat

from origins.base import FileInfo, Version
from origins.errors import AccessDenied, FileMissing, OriginError, OriginUnavailable
from origins.paths import decoded, lies_in

_MISSING = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EISDIR, errno.ENXIO}
)
_DENIED = frozenset({errno.EACCES, errno.EPERM})


def translated(error: OSError, what: str) -> OriginError:
    """What an OSError means to the caller; ESTALE, ENOTCONN, EIO and the unexpected may pass."""
    if error.errno in _MISSING:
        return FileMissing(f"{what}: there is no such file")
    if error.errno in _DENIED:
        return AccessDenied(f"{what}: may not be read: give this user read access")
    return OriginUnavailable(f"{what}: {error.strerror or error}: check the disk and its mount")


def version_of(found: os.stat_result) -> Version:
    """Size, modification time and inode: a rewrite or a replacement changes one of them."""
    return Version(f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}")


def info_of(path: bytes, found: os.stat_result) -> FileInfo:
    """A regular file's FileInfo from its stat."""
    return FileInfo(decoded(path), found.st_size, found.st_mtime_ns, version_of(found))


def open_below(root: bytes, path: bytes, flags: int = os.O_RDONLY) -> tuple[int, os.stat_result]:
    """Open a regular file below the root. The caller closes the descriptor.

    Where the descriptor really leads is looked up after opening: no symbolic link that is exchanged
    meanwhile gets around the check. Raises FileMissing when it leads outside or to no regular file,
    OSError.
    """
    fd = os.open(os.path.join(root, path), flags | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    try:
        found = _inspect(root, path, fd)
    except BaseException:
        os.close(fd)
        raise
    return fd, found


def _inspect(root: bytes, path: bytes, fd: int) -> os.stat_result:
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode):
        raise FileMissing(f"{decoded(path)!r} is not a regular file")
    if not lies_in(os.path.realpath(root), os.readlink(b"/proc/self/fd/%d" % fd)):
        raise FileMissing(f"{decoded(path)!r} leads out of the origin's root")
    return found
