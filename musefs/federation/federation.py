"""Content from whichever origin can give it: the one place that fails over and that retries.

A read asks the best replica, and the next one at once when that fails. When all have failed, and
one of them in a way that may pass, it waits and goes round again, within one deadline for all. A
replica that turns out to be another version is left out and told, so that somebody looks at it.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from musefs.errors import ContentChanged, ContentUnavailable
from musefs.federation.health import HealthChanged, HealthState
from musefs.federation.member import Member, OriginStatus, Record
from musefs.federation.ranking import ranked
from musefs.federation.replicas import Quiet, Replica, Replicas
from musefs.kit.topic import Topic
from musefs.model import Buffer, Content
from origins.errors import FileChanged, FileMissing, OriginError, OriginUnavailable

log = logging.getLogger(__name__)

JITTER = 0.25
"""A pause is up to this share longer or shorter, so that readers do not all come back at once."""

AWAY_AFTER_S = 5.0
"""An origin that has been unhealthy for so long is not merely out of breath."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the federation waits, in seconds."""

    retries_s: tuple[float, ...] = (0.1, 0.5, 2.0)
    deadline_s: float = 30.0
    check_every_s: float = 30.0
    check_offline_every_s: float = 60.0
    check_timeout_s: float = 10.0


@dataclass(slots=True)
class _Trouble:
    """What went wrong during one read."""

    stale: set[Replica] = field(default_factory=set)
    refused: set[Replica] = field(default_factory=set)
    last: OriginError | None = None
    retryable: bool = False

    def leaves(self, replica: Replica) -> bool:
        """Whether it is worth asking again."""
        return replica not in self.stale and replica not in self.refused


class Federation:
    """The content source at the bottom: the origins, as one."""

    def __init__(
        self,
        members: Mapping[str, Member],
        replicas: Replicas,
        patience: Patience,
        on_stale: Callable[[str, str], None],
    ) -> None:
        """`on_stale` is called with an origin's id and a path whose file is not as recorded."""
        self._records = {name: Record(member) for name, member in members.items()}
        self._replicas = replicas
        self._patience = patience
        self._on_stale = on_stale
        self._stale_news = Quiet()
        self.changes: Topic[HealthChanged] = Topic()

    def __repr__(self) -> str:
        states = ", ".join(
            f"{name} {record.health.state.name.lower()}" for name, record in self._records.items()
        )
        return f"<Federation {states}>"

    def health_of(self) -> dict[str, OriginStatus]:
        """How every origin does, by its id."""
        return {name: record.status for name, record in self._records.items()}

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size), fewer only at the end of the content.

        Raises ContentUnavailable, ContentChanged.
        """
        size = min(size, content.size - offset)
        if size <= 0:
            return b""
        trouble = _Trouble()
        deadline = _now() + self._patience.deadline_s
        # Whose origins are known to be away is told so at once: a check finds out when one is back.
        retries_s = () if await self._is_away(content) else self._patience.retries_s
        for pause_s in (0.0, *retries_s):
            if pause_s:
                pause_s *= random.uniform(1 - JITTER, 1 + JITTER)
                if _now() + pause_s >= deadline:
                    break
                await asyncio.sleep(pause_s)
            data = await self._round(content, (offset, size), deadline, trouble)
            if data is not None:
                return data
            if not trouble.retryable:
                break
        raise await self._explained(content, trouble) from trouble.last

    async def run(self) -> None:
        """Check the origins for ever, less often while none can be reached."""
        while True:
            await self.check()
            offline = self._all_unhealthy()
            await asyncio.sleep(
                self._patience.check_offline_every_s if offline else self._patience.check_every_s
            )

    async def check(self) -> None:
        """Check every origin now, side by side. Never raises."""
        await asyncio.gather(*(self._check(name) for name in self._records))

    async def _round(
        self, content: Content, span: tuple[int, int], deadline: float, trouble: _Trouble
    ) -> bytes | None:
        """Ask each replica once, best first; None when none could answer."""
        trouble.retryable = False
        known = await self._replicas.of(content.id)
        standings = {name: record.standing for name, record in self._records.items()}
        order = ranked(filter(trouble.leaves, known), standings)
        for position, replica in enumerate(order):
            # one that hangs must leave time for those after it
            seconds = (deadline - _now()) / (len(order) - position)
            if seconds <= 0:
                break
            try:
                return await self._ask(replica, span, seconds)
            except (FileChanged, FileMissing) as error:
                trouble.stale.add(replica)
                trouble.last = error
                self._tell_stale(content, replica)
            except OriginError as error:
                trouble.last = error
                trouble.retryable |= error.retryable
                if not error.retryable:
                    trouble.refused.add(replica)
        return None

    async def _ask(self, replica: Replica, span: tuple[int, int], seconds: float) -> bytes:
        """Read from one replica. Raises OriginError, and keeps count of how its origin does."""
        record = self._records[replica.origin_id]
        start = _now()
        try:
            async with asyncio.timeout(seconds):
                data = await _read_whole(record.member, replica, span)
        except OriginUnavailable as error:
            self._note(replica.origin_id, error)
            raise
        except OriginError:
            raise  # about this file alone: the origin did answer
        except TimeoutError as error:
            late = OriginUnavailable(f"{replica.origin_id}: no answer within {seconds:.1f} s")
            self._note(replica.origin_id, late)
            raise late from error
        except Exception as error:  # a third party's origin must not break the rest
            broken = OriginError(f"{replica.origin_id}: {error!r}; please report it")
            self._note(replica.origin_id, broken)
            raise broken from error
        self._note(replica.origin_id, None, _now() - start)
        return data

    async def _is_away(self, content: Content) -> bool:
        known = await self._replicas.of(content.id)
        states = [
            self._records[replica.origin_id].health
            for replica in known
            if replica.origin_id in self._records
        ]
        unhealthy = all(health.state is HealthState.UNHEALTHY for health in states)
        since = max((health.since for health in states), default=_now())
        return unhealthy and _now() - since >= AWAY_AFTER_S

    async def _explained(self, content: Content, trouble: _Trouble) -> Exception:
        known = await self._replicas.of(content.id)
        if all(replica in trouble.stale for replica in known):
            return ContentChanged(
                f"content {content.id} was replaced or removed at its origin; open the file again"
            )
        reason = " ".join(
            str(trouble.last or "no configured origin has it, or none had time to answer").split()
        )
        return ContentUnavailable(
            f"content {content.id} cannot be read now: {reason}; see `musefs origins`"
        )

    def _tell_stale(self, content: Content, replica: Replica) -> None:
        self._replicas.forget(content.id)
        if self._stale_news.is_news(replica, _now()):
            self._on_stale(replica.origin_id, replica.path)

    async def _check(self, name: str) -> None:
        try:
            async with asyncio.timeout(self._patience.check_timeout_s):
                await self._records[name].member.origin.check()
        except TimeoutError:
            late = f"{name}: no answer to a check in {self._patience.check_timeout_s:.0f} s"
            self._note(name, OriginUnavailable(late))
        except Exception as error:  # noqa: BLE001 - whatever it is, the origin cannot serve
            self._note(name, error)
        else:
            self._note(name, None)

    def _note(self, name: str, error: Exception | None, read_s: float | None = None) -> None:
        """Enter what a read or a check came to, and publish a change of state."""
        record = self._records[name]
        before = record.health.state
        if error is not None:
            record.failed(_now(), error)
        elif read_s is not None:
            record.read(_now(), read_s)
        else:
            record.succeeded(_now())
        after = record.health.state
        if after is before:
            return
        if after is HealthState.UNHEALTHY:
            log.warning("origin %s cannot serve: %s", name, record.status.last_error)
        elif before is HealthState.UNHEALTHY:
            log.info("origin %s serves again", name)
        self.changes.publish(HealthChanged(name, before, after, self._all_unhealthy()))

    def _all_unhealthy(self) -> bool:
        states = [record.health.state for record in self._records.values()]
        return bool(states) and all(state is HealthState.UNHEALTHY for state in states)


def _now() -> float:
    return asyncio.get_running_loop().time()


async def _read_whole(member: Member, replica: Replica, span: tuple[int, int]) -> bytes:
    """All bytes of a span: an origin may answer with fewer at a time."""
    offset, size = span
    data = await member.origin.read(replica.path, replica.version, offset, size)
    parts = [data]
    got = len(data)
    while data and got < size:
        data = await member.origin.read(replica.path, replica.version, offset + got, size - got)
        parts.append(data)
        got += len(data)
    if got != size:
        raise FileChanged(f"{replica.origin_id}: {replica.path} is not as long as it was")
    return parts[0] if len(parts) == 1 else b"".join(parts)
