"""A mount that outlives the command: the command runs itself again, detached, and waits for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from musefs.cli.readiness import answer_from
from musefs.errors import MountFailed, StateBroken

LOG_NAME = "musefs.log"
READY_OPTION = "--ready-descriptor"
_FOLDER_MODE = 0o700
_LOG_MODE = 0o600
_END_TIMEOUT_S = 10.0


def start(arguments: Sequence[str], state: Path) -> int:
    """Run `musefs ARGUMENTS` in the background until it is ready; its process id.

    Raises MountFailed with its own words when it ends instead, StateBroken when it cannot log.
    """
    log_path = state / LOG_NAME
    log = _open_log(log_path)
    reader, writer = os.pipe()
    command = arguments.index("mount") + 1
    try:
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "musefs", *arguments[:command]),
                *(READY_OPTION, str(writer), *arguments[command:]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
        os.close(log)
    try:
        reason = answer_from(reader)
    except KeyboardInterrupt:
        child.terminate()
        raise
    if reason is None:
        # It lives on without us: nobody waits for its end.
        child.returncode = 0
        return child.pid
    _see_it_end(child)
    raise MountFailed(reason or f"the mount ended before it was ready: {log_path} says why")


def _see_it_end(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(_END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _open_log(path: Path) -> int:
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _LOG_MODE)
    except OSError as error:
        raise StateBroken(
            f"{path}: cannot be written ({error.strerror}): check the folder's permissions, or set "
            "another `state`"
        ) from error
