"""Whatever breaks in a handler, its caller gets a number."""

from __future__ import annotations

import asyncio
import errno
import logging

import pyfuse3
import pytest

from musefs import errors
from musefs.errors import MusefsError
from musefs.mount.answering import answering, errno_of
from musefs.mount.request_counts import RequestCounts

NUMBERS = {
    errors.NoSuchEntry: errno.ENOENT,
    errors.NoSuchAttribute: errno.ENODATA,
    errors.NotAFolder: errno.ENOTDIR,
    errors.IsAFolder: errno.EISDIR,
    errors.ReadOnly: errno.EROFS,
}


def all_kinds(kind: type[MusefsError] = MusefsError) -> list[type[MusefsError]]:
    """A kind of error and all below it."""
    return [kind, *(below for child in kind.__subclasses__() for below in all_kinds(child))]


class Handlers:
    """A handler that raises what it is told to."""

    def __init__(self, error: BaseException | None = None) -> None:
        self._error = error
        self.requests = RequestCounts()

    @answering
    async def read(self, handle: int, *, size: int = 0) -> tuple[int, int]:
        """Read."""
        if self._error is not None:
            raise self._error
        return handle, size

    @answering
    async def wait(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()


async def answer(error: BaseException) -> pyfuse3.FUSEError:
    with pytest.raises(pyfuse3.FUSEError) as caught:
        await Handlers(error).read(1)
    return caught.value


async def test_an_answer_passes_through() -> None:
    assert await Handlers().read(7, size=8) == (7, 8)
    assert (Handlers.read.__name__, Handlers.read.__doc__) == ("read", "Read.")


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.__name__)
async def test_every_error_of_musefs_has_its_number_and_is_not_logged(
    kind: type[MusefsError], caplog: pytest.LogCaptureFixture
) -> None:
    error = kind("why")
    answered = await answer(error)
    assert answered.errno == NUMBERS.get(kind, errno.EIO) == errno_of(error)
    assert answered.__cause__ is error
    assert caplog.records == []


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError(1), OSError(errno.ENOENT, "x"), KeyboardInterrupt(), SystemExit(3)],
    ids=lambda error: type(error).__name__,
)
async def test_any_other_exception_is_eio_and_logged_with_its_trace(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await answer(error)).errno == errno.EIO == errno_of(error)
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[1] is error
    assert "read failed" in record.getMessage()


async def test_a_cancelled_handler_answers_eio_and_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    task = asyncio.ensure_future(Handlers().wait())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(pyfuse3.FUSEError) as caught:
        await task
    assert caught.value.errno == errno.EIO
    assert caplog.records == []


async def test_a_number_that_the_handler_chose_is_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    chosen = pyfuse3.FUSEError(errno.ENOSYS)
    assert await answer(chosen) is chosen
    assert caplog.records == []
