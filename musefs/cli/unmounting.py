"""The command `unmount`."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Annotated

import typer

from musefs.cli.locating import SOCKET_NAME, canonical
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import say
from musefs.cli.running import run
from musefs.cli.stopping import stop_and_wait
from musefs.errors import MountFailed, MusefsError
from musefs.mount import mountpoint as mountpoints

log = logging.getLogger(__name__)

TIMEOUT_S = 15.0
_POLL_S = 0.05


@ends_with_code
def unmount(
    mountpoint: Annotated[Path, typer.Argument(metavar="MOUNTPOINT", help="A mounted musefs.")],
) -> ExitCode:
    """Unmount a library: ask its musefs to end, or take away what a dead one left."""
    mountpoint = canonical(mountpoint)
    mounted = mountpoints.mounted_at(mountpoint)
    if mounted is None:
        raise MountFailed(f"{mountpoint}: nothing is mounted here: see findmnt -t fuse.musefs")
    if mounted.state is None:
        raise MountFailed(
            f"{mountpoint}: {mounted.source} ({mounted.kind}) is mounted here, no musefs: use "
            f"umount {mountpoint}"
        )
    try:
        run(stop_and_wait(mounted.state / SOCKET_NAME, 0.0, TIMEOUT_S))
    except MusefsError as error:
        log.info("no service answers, detaching: %s", error)
    if not _gone(mountpoint, _POLL_S):
        mountpoints.detach(mountpoint)
        if not _gone(mountpoint, TIMEOUT_S):
            raise MountFailed(f"{mountpoint}: is still mounted: umount -l {mountpoint} as root")
    say(f"unmounted {mountpoint}")
    return ExitCode.DONE


def _gone(mountpoint: Path, timeout_s: float) -> bool:
    """Whether nothing of musefs is mounted there, now or soon."""
    deadline_s = time.monotonic() + timeout_s
    while (mounted := mountpoints.mounted_at(mountpoint)) and mounted.state is not None:
        if time.monotonic() >= deadline_s:
            return False
        time.sleep(_POLL_S)
    return True
