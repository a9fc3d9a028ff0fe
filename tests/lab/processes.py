"""Starting and ending server processes: each by its own pid, and only those started here."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

LOOPBACK = "127.0.0.1"
START_S = 20.0
STOP_S = 5.0


def free_port() -> int:
    """A TCP port of the loopback that nobody uses now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
    return port


def wait_until_it_accepts(
    address: tuple[str, int], process: subprocess.Popen[bytes], log: Path
) -> None:
    """Return when host and port can be connected to. Raises RuntimeError with the log's end."""
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s:
        if process.poll() is not None:
            break
        try:
            with socket.create_connection(address, timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"no server at {address}: {log.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End one process and wait for it."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
