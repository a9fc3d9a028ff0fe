"""What a process holds: descriptors, threads, and its connections to a port."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from origins.specs import S3_LIMITS, SFTP_LIMITS

ESTABLISHED, CLOSE_WAIT = "01", "08"
"""States of a connection in /proc/net/tcp, see the kernel's include/net/tcp_states.h."""

CONNECTIONS_MAX = {"sftp": SFTP_LIMITS.connections_max, "s3": S3_LIMITS.requests_max}
"""By kind of origin."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Counts at one moment; `files` are the descriptors that are no sockets."""

    files: int
    sockets: int
    threads: int


def footprint(pid: int) -> Footprint:
    """What that process holds now."""
    links = _links(pid)
    sockets = sum(link.startswith("socket:") for link in links)
    threads = len(os.listdir(f"/proc/{pid}/task"))
    return Footprint(len(links) - sockets, sockets, threads)


def connections(pid: int, port: int) -> int:
    """How many of its TCP connections go to that port and were not closed by it."""
    own = {link[8:-1] for link in _links(pid) if link.startswith("socket:")}
    count = 0
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        remote_port = int(fields[2].partition(":")[2], 16)
        count += remote_port == port and fields[9] in own and fields[3] in (ESTABLISHED, CLOSE_WAIT)
    return count


def _links(pid: int) -> list[str]:
    found = []
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue  # closed meanwhile
    return found
