"""Turns whatever leaves a handler into an errno: an exception that escapes would hang its caller.

The only place that knows which error has which number, and where requests are counted.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import pyfuse3

from musefs.errors import (
    IsAFolder,
    MusefsError,
    NoSuchAttribute,
    NoSuchEntry,
    NotAFolder,
    ReadOnly,
)
from musefs.mount.request_counts import RequestCounts

log = logging.getLogger(__name__)


class Counting(Protocol):
    """Whose handlers can be made total: `requests` counts what they are asked."""

    requests: RequestCounts


_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S", bound=Counting)

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
    """Make a handler total: it returns, or raises FUSEError and nothing else. Each call counts."""
    kind = handler.__name__.lstrip("_")

    @functools.wraps(handler)
    async def answered(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        counts = self.requests
        counts.by_kind[kind] += 1
        try:
            return await handler(self, *args, **kwargs)
        except pyfuse3.FUSEError as error:
            counts.failed[error.errno] += 1
            raise
        except (MusefsError, asyncio.CancelledError) as error:
            number = errno_of(error)
            counts.failed[number] += 1
            raise pyfuse3.FUSEError(number) from error
        except BaseException as error:  # the caller waits for an answer, whatever broke
            counts.failed[errno.EIO] += 1
            log.exception("%s failed: please report it", handler.__name__)
            raise pyfuse3.FUSEError(errno.EIO) from error

    return answered
