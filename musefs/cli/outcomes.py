"""How a command ends: its exit code, and one line on stderr for everything that was foreseen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import IntEnum
from typing import ParamSpec

import typer

from musefs.cli.output import complain
from musefs.errors import MusefsError
from origins import OriginError

P = ParamSpec("P")


class ExitCode(IntEnum):
    """What the shell is told. Wrong usage is 2, too."""

    DONE = 0
    ERROR = 1
    FILES_FAILED = 2
    INTERRUPTED = 130


def ends_with_code(command: Callable[P, ExitCode]) -> Callable[P, None]:
    """A command that exits with what the function returns, and explains the errors it raises."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            code = command(*args, **kwargs)
        except (MusefsError, OriginError) as error:
            complain(str(error))
            code = ExitCode.ERROR
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        raise typer.Exit(code)

    return run
