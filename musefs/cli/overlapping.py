"""Folders that must not lie within each other: the mountpoint, local origins, the state."""

from __future__ import annotations

import os
from pathlib import Path

from musefs.config import Config, LocalOrigin
from musefs.errors import MountFailed


def refuse_overlap(config: Config, mountpoint: Path) -> None:
    """See that the mount neither hides what musefs works with nor shows itself to its own scan.

    Raises MountFailed.
    """
    folders = {"state": config.state, "control.socket": config.control_socket.parent}
    folders |= {
        f"origin {origin.id}": origin.path
        for origin in config.origins
        if isinstance(origin, LocalOrigin)
    }
    for name, folder in folders.items():
        # Not of the mountpoint: what hangs there must not be touched, and it is canonical.
        real = Path(os.path.realpath(folder))
        if real == mountpoint or mountpoint in real.parents:
            raise MountFailed(
                f"{mountpoint}: the mount would hide {folder} ({name}): choose another mountpoint"
            )
        if real in mountpoint.parents and name != "control.socket":
            raise MountFailed(
                f"{mountpoint}: lies inside {folder} ({name}): choose a mountpoint outside of it"
            )
