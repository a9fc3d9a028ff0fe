"""A copy of the catalogue while it is in use: whole, of one moment, and never half written.

The copy is made beside its place and linked there when it is on the disk, so that the name is only
ever a whole catalogue's, and never replaces what somebody else has put there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from datetime import datetime
from pathlib import Path

from musefs.catalog.database import copy_database
from musefs.errors import BackupFailed

_MODE = 0o600


def backup_name(now: datetime) -> str:
    """The file name of a backup made at this time."""
    return f"catalogue-{now:%Y%m%d-%H%M%S}.db"


async def back_up(catalogue: Path, target: Path) -> int:
    """Copy a catalogue to a file that is not there yet; the copy's size in bytes.

    Raises BackupFailed.
    """
    unfinished = target.with_name(f".{target.name}.part")
    # In threads, all of it: the target may lie in the mount that this very loop serves.
    beginning = asyncio.get_running_loop().run_in_executor(None, _begin, unfinished, target)
    try:
        await asyncio.shield(beginning)
        await copy_database(catalogue, unfinished)
        return await asyncio.to_thread(_finish, unfinished, target)
    finally:
        await asyncio.wait([beginning])
        await asyncio.to_thread(_discard, unfinished)


def _begin(unfinished: Path, target: Path) -> None:
    try:
        if os.path.lexists(target):
            raise _is_there(target)
        unfinished.unlink(missing_ok=True)
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE))
    except OSError as error:
        raise _refused(target, error) from error


def _finish(unfinished: Path, target: Path) -> int:
    try:
        size = _sync(unfinished)
        try:
            target.hardlink_to(unfinished)
        except FileExistsError as error:
            raise _is_there(target) from error
        except OSError:
            # A file system without links, such as FAT.
            if os.path.lexists(target):
                raise _is_there(target) from None
            unfinished.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise _refused(target, error) from error
    return size


def _discard(unfinished: Path) -> None:
    with contextlib.suppress(OSError):
        unfinished.unlink(missing_ok=True)


def _sync(path: Path) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _is_there(target: Path) -> BackupFailed:
    return BackupFailed(f"{target}: there is something already: name another file")


def _refused(target: Path, error: OSError) -> BackupFailed:
    return BackupFailed(
        f"{target}: no backup can be written there ({error.strerror}): check the folder and the "
        "disk, or name another file"
    )
