"""The mountpoint before and after: is it usable, is it stale, is it gone."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from musefs.errors import MountFailed
from musefs.state import is_claimed

FUSE_DEVICE = Path("/dev/fuse")
_MOUNTS = Path("/proc/self/mounts")
_UNMOUNT_TIMEOUT_S = 5.0
_PROBE_S = 2.0
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")


@dataclass(frozen=True, slots=True)
class Mounted:
    """A line of /proc/self/mounts, see proc(5) and fstab(5)."""

    source: str
    path: Path
    kind: str

    @property
    def state(self) -> Path | None:
        """The state folder of a musefs mount, None for others."""
        if self.kind != "fuse.musefs" or not self.source.startswith("musefs:"):
            return None
        quoted = self.source.removeprefix("musefs:")
        return Path(os.fsdecode(urllib.parse.unquote_to_bytes(quoted)))


def source_name(state: Path) -> str:
    """What `mount` shows as the source; the state folder can be read from it."""
    return "musefs:" + urllib.parse.quote(os.fsencode(state), safe="/")


def mounts() -> Iterator[Mounted]:
    """Everything that is mounted."""
    # Of all that Python takes for the end of a line, only "\n" ends one here.
    for line in filter(None, _MOUNTS.read_bytes().split(b"\n")):
        source, path, kind, *_ = (_OCTAL.sub(_byte, part) for part in line.split(b" "))
        yield Mounted(os.fsdecode(source), Path(os.fsdecode(path)), os.fsdecode(kind))


def mounted_at(path: Path) -> Mounted | None:
    """What is mounted at a path: the uppermost, or None. Never touches the path itself."""
    found = None
    for mounted in mounts():
        if mounted.path == path:
            found = mounted
    return found


def prepare(mountpoint: Path, state: Path) -> None:
    """See that the library of `state` can be mounted here; clear what a crash left.

    The caller holds the state folder's lock. Raises MountFailed.
    """
    if not FUSE_DEVICE.exists():
        raise MountFailed(
            f"{FUSE_DEVICE} is missing: load the kernel's fuse module (modprobe fuse), or give the "
            "container --device /dev/fuse --cap-add SYS_ADMIN"
        )
    mounted = mounted_at(mountpoint)
    if mounted is not None and is_stale(mounted, state):
        detach(mountpoint)
        mounted = mounted_at(mountpoint)
    if mounted is not None:
        raise MountFailed(
            f"{mountpoint}: {mounted.source} ({mounted.kind}) is mounted here already: unmount it "
            f"first (musefs unmount {mountpoint}), or choose another mountpoint"
        )
    try:
        entries = os.listdir(mountpoint)
    except FileNotFoundError as error:
        raise MountFailed(
            f"{mountpoint}: there is no such folder: mkdir -p {mountpoint}"
        ) from error
    except NotADirectoryError as error:
        raise MountFailed(f"{mountpoint}: it is not a folder: choose one to mount on") from error
    except OSError as error:
        raise MountFailed(f"{mountpoint}: {error.strerror}: choose another mountpoint") from error
    if entries:
        raise MountFailed(
            f"{mountpoint}: the folder is not empty ({len(entries)} entries), mounting would hide "
            "them: choose an empty folder"
        )


def is_stale(mounted: Mounted, own_state: Path) -> bool:
    """Whether a musefs mount is left of a server that has ended."""
    if mounted.state is None:
        return False
    if mounted.state != own_state and is_claimed(mounted.state):
        return False
    return _is_disconnected(mounted.path)


def _is_disconnected(path: Path) -> bool:
    """Whether the kernel knows that a mount's server is gone.

    statvfs is never answered from a cache, as stat would be. A server that hangs (in another
    container, whose lock is not to be seen here) must not hang us.
    """
    answers: list[int] = []

    def ask() -> None:
        try:
            os.statvfs(path)
        except OSError as error:
            answers.append(error.errno or 0)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PROBE_S)
    return bool(answers) and answers[0] in (errno.ENOTCONN, errno.ECONNABORTED)


def detach(mountpoint: Path) -> None:
    """Take a mount away, even while it is in use. Raises MountFailed when it stays."""
    helper = shutil.which("fusermount3")
    commands = [[helper, "-u", "-z", str(mountpoint)]] if helper else []
    commands.append(["umount", "-l", str(mountpoint)])
    reasons = []
    for command in commands:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_UNMOUNT_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reasons.append(str(error))
            continue
        if done.returncode == 0:
            return
        reasons.append(done.stderr.strip().splitlines()[0] if done.stderr.strip() else "refused")
    raise MountFailed(
        f"{mountpoint}: cannot unmount ({'; '.join(reasons)}): umount -l {mountpoint} as root"
    )


def abort_connection(mountpoint_device: int) -> None:
    """Have the kernel answer every waiting request of a mount with an error, and stop using it.

    See the kernel's Documentation/filesystems/fuse.rst, "control filesystem".
    """
    control = Path(f"/sys/fs/fuse/connections/{os.minor(mountpoint_device)}/abort")
    control.write_text("1")


def _byte(octal: re.Match[bytes]) -> bytes:
    return bytes([int(octal.group(1), 8)])
