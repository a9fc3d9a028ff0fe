"""Network namespaces of a measurement: made, entered by the calling thread, deleted.

What a thread starts or connects inside is there; mounts stay visible everywhere, which they do not
with `ip netns exec`. Needs root.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000  # linux/sched.h
LINK_UP_S = 10.0

_libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """A new namespace of this name, for as long as the context lasts."""
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        yield name
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=False)


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Let this thread be in a namespace. Raises OSError."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        there = os.open(f"/run/netns/{name}", os.O_RDONLY)
        try:
            _enter(there)
        finally:
            os.close(there)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def _enter(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, f"setns: {os.strerror(number)}")


@contextmanager
def link(client: str, server: str, delay_ms: float, rate_mbit: float) -> Iterator[None]:
    """A link between two namespaces; `delay_ms` is that of one way. See delaynet."""
    command = [sys.executable, "-m", "benchmarks.delaynet", client, server]
    process = subprocess.Popen(
        [*command, str(delay_ms), str(rate_mbit)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if process.stdout.readline() != b"up\n":
            raise RuntimeError("there is no link: see the message above")
        yield
    finally:
        process.terminate()
        process.wait(LINK_UP_S)
        if process.stdout is not None:
            process.stdout.close()


def crossed_bytes(name: str, device: str) -> int:
    """What has passed a device of a namespace in both directions."""
    with inside(name):
        lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
    for line in lines:
        found, _, counts = line.partition(":")
        if found.strip() == device:
            numbers = counts.split()  # received first, what was sent starts with the ninth
            return int(numbers[0]) + int(numbers[8])
    raise RuntimeError(f"{name} has no device {device}")
