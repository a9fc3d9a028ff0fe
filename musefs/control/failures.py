"""Errors on their way over the control socket: a status code, one line, and the kind's name."""

from __future__ import annotations

from typing import NoReturn

import grpc

from musefs import errors
from musefs.errors import MusefsError
from origins import AccessDenied, FileMissing, OriginError, OriginUnavailable

KIND_KEY = "musefs-error"
"""The trailing metadata that names the kind; without it, the failure is one of the transport."""
TEXT_BYTES_MAX = 2000
"""gRPC's clients refuse more than 8 KiB of metadata, where each byte may be written as three."""

_CODES: tuple[tuple[type[Exception], grpc.StatusCode], ...] = (
    (errors.UnknownOrigin, grpc.StatusCode.NOT_FOUND),
    (errors.NoSuchEntry, grpc.StatusCode.NOT_FOUND),
    (errors.NotAFolder, grpc.StatusCode.NOT_FOUND),
    (errors.NotATrack, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.InvalidTags, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.UnknownTier, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.BackupFailed, grpc.StatusCode.FAILED_PRECONDITION),
    (errors.InvalidImage, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.InvalidQuery, grpc.StatusCode.INVALID_ARGUMENT),
    (errors.UnknownPin, grpc.StatusCode.NOT_FOUND),
    (FileMissing, grpc.StatusCode.NOT_FOUND),
    (AccessDenied, grpc.StatusCode.PERMISSION_DENIED),
    (OriginUnavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.ContentUnavailable, grpc.StatusCode.UNAVAILABLE),
    (errors.StateBroken, grpc.StatusCode.DATA_LOSS),
)
_KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind for kind, _ in _CODES if kind is not FileMissing
}


def code_of(error: MusefsError | OriginError) -> grpc.StatusCode:
    """The status code that tells a caller best what it can do about an error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return code
    return grpc.StatusCode.FAILED_PRECONDITION


async def refuse(context: grpc.aio.ServicerContext, error: MusefsError | OriginError) -> NoReturn:
    """Answer a call with an error."""
    await context.abort(
        code_of(error),
        _short(str(error).encode("utf-8", "backslashreplace")),
        trailing_metadata=((KIND_KEY, type(error).__name__),),
    )
    raise AssertionError("abort() raises")


def told(error: grpc.aio.AioRpcError) -> Exception | None:
    """The error that a service answered with; None when the transport failed instead."""
    for key, value in error.trailing_metadata() or ():
        if key == KIND_KEY:
            return _KINDS.get(str(value), MusefsError)(error.details())
    return None


def _short(text: bytes) -> str:
    if len(text) <= TEXT_BYTES_MAX:
        return text.decode()
    return text[:TEXT_BYTES_MAX].decode(errors="ignore") + "…"
