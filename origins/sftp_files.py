"""What an SFTP server tells about a file, as the origin's values.

Protocol version 3 (draft-ietf-secsh-filexfer-02), which OpenSSH speaks, has whole seconds: a file
that is rewritten with the same size within one second keeps its version.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import asyncssh
from asyncssh.constants import (
    FILEXFER_TYPE_DIRECTORY,
    FILEXFER_TYPE_REGULAR,
    FILEXFER_TYPE_SYMLINK,
    FILEXFER_TYPE_UNKNOWN,
)

from origins.base import FileInfo, Version
from origins.paths import decoded

T = TypeVar("T")
S = TypeVar("S")


def version_of(attrs: asyncssh.SFTPAttrs) -> Version:
    """Size and modification time."""
    return Version(f"{attrs.size or 0}-{_mtime_ns(attrs)}")


def size_in(version: Version) -> int | None:
    """The size in bytes that a version of `version_of` holds; None for a strange one."""
    size = version.partition("-")[0]
    return int(size) if size.isdecimal() else None


def info_of(path: bytes, attrs: asyncssh.SFTPAttrs) -> FileInfo:
    """A regular file's FileInfo from its attributes."""
    return FileInfo(decoded(path), attrs.size or 0, _mtime_ns(attrs), version_of(attrs))


def is_file(attrs: asyncssh.SFTPAttrs) -> bool:
    """Whether it is a regular file."""
    return attrs.type == FILEXFER_TYPE_REGULAR


def is_folder(attrs: asyncssh.SFTPAttrs) -> bool:
    """Whether it is a folder."""
    return attrs.type == FILEXFER_TYPE_DIRECTORY


def is_link(attrs: asyncssh.SFTPAttrs) -> bool:
    """Whether it is a symbolic link, or so poorly described that it is looked at like one."""
    known = attrs.size is not None and attrs.mtime is not None
    return attrs.type in (FILEXFER_TYPE_SYMLINK, FILEXFER_TYPE_UNKNOWN) or not known


def _mtime_ns(attrs: asyncssh.SFTPAttrs) -> int:
    return (attrs.mtime or 0) * 1_000_000_000 + (attrs.mtime_ns or 0)


async def both(
    first: Coroutine[Any, Any, T], second: Coroutine[Any, Any, S]
) -> tuple[T | BaseException, S | BaseException]:
    """Two requests in flight together; both have ended afterwards, however each of them did."""
    one, other = await asyncio.gather(first, second, return_exceptions=True)
    return one, other


def result(outcome: T | BaseException) -> T:
    """What a request gave, or raise what it raised."""
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
