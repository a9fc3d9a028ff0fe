"""One replica's answer to a request, checked, with its origin's record kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from musefs.federation.health import HealthState
from musefs.federation.monitor import HealthMonitor
from musefs.federation.replicas import Replica
from musefs.federation.request import Request, WrongBytes
from musefs.model import Buffer
from origins.base import Origin
from origins.errors import FileChanged, OriginError, OriginUnavailable

OnFailure = Callable[[Request, Replica, OriginError], None]


class ReplicaReader:
    """Reads from one replica at a time; `on_failure` is told why one did not answer."""

    def __init__(self, monitor: HealthMonitor, on_failure: OnFailure) -> None:
        self._monitor = monitor
        self._on_failure = on_failure

    def peek(self, replica: Replica, offset: int, size: int) -> Buffer | None:
        """All bytes of a span, when a healthy origin has them at hand; None otherwise."""
        record = self._monitor.record(replica.origin_id)
        if record.at_once is None or record.health.state is not HealthState.HEALTHY:
            return None
        try:
            data = record.at_once.read_now(replica.path, replica.version, offset, size)
        except OriginError:
            return None  # `read` meets it again, and tells
        if data is None or len(data) != size:
            return None
        record.read_at_once()
        return data

    async def read(self, request: Request, replica: Replica, seconds: float) -> bytes | None:
        """The bytes that are wanted, or None when they do not come from there.

        Who leaves early says nothing about the origin.
        """
        try:
            data = await self._answer(request, replica, seconds)
            if request.accepts is not None and not request.accepts(data):
                raise WrongBytes(
                    f"{replica.origin_id}: {replica.path} has other bytes than before, though its"
                    " version is the same"
                )
        except OriginError as error:
            self._on_failure(request, replica, error)
            return None
        return data

    def late(self, replica: Replica, seconds: float) -> None:
        """A replica has taken so long that another one had to be asked, and answered."""
        error = OriginUnavailable(
            f"{replica.origin_id}: no answer within {seconds:.1f} s, while another origin had one"
        )
        self._monitor.note(replica.origin_id, error)

    async def _answer(self, request: Request, replica: Replica, seconds: float) -> bytes:
        """Raises OriginError, and keeps count of how its origin does."""
        name = replica.origin_id
        origin = self._monitor.record(name).member.origin
        start = _now()
        try:
            async with asyncio.timeout(seconds):
                data = await _read_whole(origin, replica, request.offset, request.size)
        except OriginUnavailable as error:
            self._monitor.note(name, error)
            raise
        except OriginError:
            raise  # about this file alone: the origin did answer
        except TimeoutError as error:
            late = OriginUnavailable(f"{name}: no answer within {seconds:.1f} s")
            self._monitor.note(name, late)
            raise late from error
        except Exception as error:  # a third party's origin must not break the rest
            broken = OriginError(f"{name}: {error!r}; please report it")
            self._monitor.note(name, broken)
            raise broken from error
        self._monitor.note(name, None, _now() - start)
        return data


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _read_whole(origin: Origin, replica: Replica, offset: int, size: int) -> bytes:
    """All bytes of a span: an origin may answer with fewer at a time."""
    data = await origin.read(replica.path, replica.version, offset, size)
    parts = [data]
    got = len(data)
    while data and got < size:
        data = await origin.read(replica.path, replica.version, offset + got, size - got)
        parts.append(data)
        got += len(data)
    if got != size:
        raise FileChanged(f"{replica.origin_id}: {replica.path} is not as long as it was")
    return parts[0] if len(parts) == 1 else b"".join(parts)
