"""Keeps count of how every origin does: by its reads, and by checks for as long as it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from musefs.federation.events import AllOriginsUnhealthy, FederationEvent, HealthChanged
from musefs.federation.health import HealthState, all_unhealthy, seen_together
from musefs.federation.member import Member, OriginStatus, Record
from musefs.federation.patience import Patience
from musefs.federation.ranking import ranked
from musefs.federation.replicas import Replica
from musefs.kit.topic import Topic
from origins.errors import OriginUnavailable

log = logging.getLogger(__name__)

AWAY_AFTER_S = 5.0
"""An origin that has been unhealthy for so long is not merely out of breath."""


class HealthMonitor:
    """The origins' records; `changes` tells what became of them."""

    def __init__(self, members: Mapping[str, Member], patience: Patience) -> None:
        self._records = {name: Record(member) for name, member in members.items()}
        self._patience = patience
        self._offline = False
        self.changes: Topic[FederationEvent] = Topic()

    def __repr__(self) -> str:
        states = ", ".join(
            f"{name} {record.health.state.name.lower()}" for name, record in self._records.items()
        )
        return f"<HealthMonitor {states}>"

    def statuses(self) -> dict[str, OriginStatus]:
        """How every origin does, by its id."""
        seen = seen_together(self._states())
        return {name: record.status(seen[name]) for name, record in self._records.items()}

    def record(self, origin_id: str) -> Record:
        """An origin that is configured, and its history."""
        return self._records[origin_id]

    def ranked(self, replicas: Iterable[Replica]) -> list[Replica]:
        """Those at configured origins, best first."""
        standings = {name: record.standing for name, record in self._records.items()}
        return ranked(replicas, standings)

    def are_away(self, replicas: Iterable[Replica]) -> bool:
        """Whether each of their origins has been unhealthy for a while."""
        names = [replica.origin_id for replica in replicas]
        states = [self._records[name].health for name in names if name in self._records]
        unhealthy = all(health.state is HealthState.UNHEALTHY for health in states)
        since = max((health.since for health in states), default=_now())
        return unhealthy and _now() - since >= AWAY_AFTER_S

    def note(self, name: str, error: Exception | None, read_s: float | None = None) -> None:
        """Enter what a read or a check came to, and publish a change of state."""
        record = self._records[name]
        before = record.health.state
        if error is not None:
            record.failed(_now(), error)
        elif read_s is not None:
            record.read(_now(), read_s)
        else:
            record.succeeded(_now())
        if record.health.state is not before:
            self._tell(name, record, before)

    async def run(self) -> None:
        """Check the origins for ever, less often while none can be reached."""
        while True:
            await self.check()
            await asyncio.sleep(
                self._patience.check_offline_every_s
                if self._offline
                else self._patience.check_every_s
            )

    async def check(self) -> None:
        """Check every origin now, side by side. Never raises."""
        await asyncio.gather(*(self._check(name) for name in self._records))

    async def _check(self, name: str) -> None:
        try:
            async with asyncio.timeout(self._patience.check_timeout_s):
                await self._records[name].member.origin.check()
        except TimeoutError:
            late = f"{name}: no answer to a check in {self._patience.check_timeout_s:.0f} s"
            self.note(name, OriginUnavailable(late))
        except Exception as error:  # noqa: BLE001 - whatever it is, the origin cannot serve
            self.note(name, error)
        else:
            self.note(name, None)

    def _tell(self, name: str, record: Record, before: HealthState) -> None:
        after = record.health.state
        if after is HealthState.UNHEALTHY:
            log.warning("origin %s cannot serve: %s", name, record.last_error)
        elif before is HealthState.UNHEALTHY:
            log.info("origin %s serves again", name)
        self.changes.publish(HealthChanged(name, before, after))
        offline = all_unhealthy(self._states().values())
        if offline is self._offline:
            return
        self._offline = offline
        if offline:
            log.warning("no origin can serve: only what is cached can be read")
        else:
            log.info("not all origins are down any more")
        self.changes.publish(AllOriginsUnhealthy(began=offline))

    def _states(self) -> dict[str, HealthState]:
        return {name: record.health.state for name, record in self._records.items()}


def _now() -> float:
    return asyncio.get_running_loop().time()
