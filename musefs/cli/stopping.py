"""Asks a running musefs to end, and sees that it does."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from musefs.control.client import Client
from musefs.errors import MusefsError, ServiceUnreachable
from musefs.state import is_claimed

_POLL_S = 0.05


async def stop_and_wait(socket: Path, drain_s: float, timeout_s: float) -> None:
    """Returns when the service has ended. Raises ServiceUnreachable, MusefsError."""
    async with Client(socket) as client:
        state = await _state(client) or socket.parent
        await client.shutdown(drain_s)
    deadline_s = time.monotonic() + drain_s + timeout_s
    while _runs(socket, state):
        if time.monotonic() > deadline_s:
            raise ServiceUnreachable(
                f"{socket}: the musefs was asked to end and has not after "
                f"{drain_s + timeout_s:g} s: look into its log, or kill it"
            )
        await asyncio.sleep(_POLL_S)


def _runs(socket: Path, state: Path) -> bool:
    """The socket goes first and the lock last.

    Where the state is not to be seen, from outside of a container, the socket has to do.
    """
    return socket.exists() or is_claimed(state)


async def _state(client: Client) -> Path | None:
    """The service's state folder; None when it is too broken to tell, and needs an end the more."""
    try:
        return Path((await client.status()).state)
    except ServiceUnreachable:
        raise
    except MusefsError:
        return None
