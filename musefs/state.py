"""The state folder: one service at a time, and a mark that tells a clean end from a crash."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from pathlib import Path

from musefs.errors import StateBroken, StateInUse

FOLDER_MODE = 0o700


class StateFolder:
    """A state folder that this process holds the lock of. Make one with `claim`."""

    def __init__(self, path: Path, lock: int, unclean: bool) -> None:
        self.path = path
        self.unclean = unclean
        self._lock = lock

    @property
    def catalogue(self) -> Path:
        """The catalogue's file."""
        return self.path / "catalogue.db"

    @property
    def chunks(self) -> Path:
        """The chunk store's folder."""
        return self.path / "chunks"

    def release(self, *, clean: bool) -> None:
        """Give the folder back; `clean` when everything was written."""
        if clean:
            with contextlib.suppress(OSError):
                _mark(self.path).unlink(missing_ok=True)
        os.close(self._lock)


def claim(path: Path, purpose: str) -> StateFolder:
    """Make the folder if needed and take its lock. `purpose` is told to whoever comes second.

    Raises StateInUse, StateBroken.
    """
    try:
        path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = _holder(lock)
        os.close(lock)
        raise StateInUse(
            f"{path}: the state folder is in use by {holder}: stop it (musefs shutdown), or give "
            "this one another `state`"
        ) from error
    try:
        unclean = _mark(path).exists()
        _mark(path).touch(mode=0o600)
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps({"pid": os.getpid(), "purpose": purpose}).encode(), 0)
    except OSError as error:
        os.close(lock)
        raise _unusable(path, error) from error
    return StateFolder(path, lock, unclean)


def is_claimed(path: Path) -> bool:
    """Whether some process holds the lock of a state folder; False where there is none."""
    try:
        lock = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def _mark(path: Path) -> Path:
    """There while a service runs, and after one that was killed."""
    return path / "running"


def _holder(lock: int) -> str:
    try:
        told = json.loads(os.pread(lock, 4096, 0))
        return f"process {told['pid']} ({told['purpose']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _unusable(path: Path, error: OSError) -> StateBroken:
    return StateBroken(
        f"{path}: the state folder cannot be used ({error.strerror}): check its permissions and "
        "the disk, or set another `state`"
    )
