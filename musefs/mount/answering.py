"""Turns whatever leaves a handler into an errno: an exception that escapes would hang its caller.

The only place that knows which error has which number.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, TypeVar

import pyfuse3

from musefs.errors import (
    IsAFolder,
    MusefsError,
    NoSuchAttribute,
    NoSuchEntry,
    NotAFolder,
    ReadOnly,
)

log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S")

_NUMBERS: dict[type[MusefsError], int] = {
    NoSuchEntry: errno.ENOENT,
    NoSuchAttribute: errno.ENODATA,
    NotAFolder: errno.ENOTDIR,
    IsAFolder: errno.EISDIR,
    ReadOnly: errno.EROFS,
}


def errno_of(error: BaseException) -> int:
    """The number that a caller gets. EIO for all that has none of its own."""
    if isinstance(error, MusefsError):
        return _NUMBERS.get(type(error), errno.EIO)
    return errno.EIO


def answering(
    handler: Callable[Concatenate[_S, _P], Awaitable[_R]],
) -> Callable[Concatenate[_S, _P], Awaitable[_R]]:
    """Make a handler total: it returns, or raises FUSEError and nothing else."""

    @functools.wraps(handler)
    async def answered(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return await handler(self, *args, **kwargs)
        except pyfuse3.FUSEError:
            raise
        except (MusefsError, asyncio.CancelledError) as error:
            raise pyfuse3.FUSEError(errno_of(error)) from error
        except BaseException as error:  # the caller waits for an answer, whatever broke
            log.exception("%s failed: please report it", handler.__name__)
            raise pyfuse3.FUSEError(errno.EIO) from error

    return answered
