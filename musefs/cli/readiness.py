"""How a mount in the background tells the command that started it: ready, or why not.

One JSON line over a pipe. A pipe that closes without one says that the process has ended.
"""

from __future__ import annotations

import contextlib
import json
import os
from types import TracebackType
from typing import Self

from musefs.errors import MusefsError
from origins import OriginError


class Readiness:
    """The end of the process in the background; does nothing for one in the foreground."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        if descriptor is not None:
            # Processes started from here must not keep the pipe open.
            os.set_inheritable(descriptor, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell an error that nobody has heard of yet."""
        if isinstance(error, MusefsError | OriginError):
            self.failed(str(error))

    def ready(self) -> None:
        """The tree can be walked."""
        self._tell({"ready": True})

    def failed(self, text: str) -> None:
        """It will not come to that; one line why."""
        self._tell({"error": text})

    def _tell(self, answer: dict[str, object]) -> None:
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        # Who started us may have gone: then nobody wants to know.
        with contextlib.suppress(OSError):
            os.write(descriptor, json.dumps(answer).encode() + b"\n")
        os.close(descriptor)


def answer_from(descriptor: int) -> str | None:
    """Wait at the other end, and close it: None when ready, else why not; "" for no answer."""
    with os.fdopen(descriptor, "rb") as pipe:
        line = pipe.readline()
    if not line:
        return ""
    answer = json.loads(line)
    return None if answer.get("ready") else str(answer.get("error"))
