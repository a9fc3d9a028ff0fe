"""One round of a request over several replicas: the first that answers wins.

The best is asked first. The next one is asked at once when that fails, and beside it when it is
late: as a hedge once, within the budget, and as a rescue whenever the last one asked hangs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from musefs.federation.health import HealthState
from musefs.federation.hedging import HedgeBudget, hedge_after_s, rescue_after_s
from musefs.federation.monitor import HealthMonitor
from musefs.federation.replica_reader import ReplicaReader
from musefs.federation.replicas import Replica
from musefs.federation.request import Request
from musefs.kit.race import Race

CLOCK_S = 0.001
"""A timer may go off so much before its time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the contests of one federation share."""

    monitor: HealthMonitor
    reader: ReplicaReader
    budget: HedgeBudget
    hedge_min_s: float


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A replica that was asked; times are the loop's."""

    replica: Replica
    start: float
    hedge_at: float
    rescue_at: float


class Contest:
    """Serves one round."""

    def __init__(self, rules: Rules, request: Request, order: Sequence[Replica]) -> None:
        """`order`: the replicas to ask, best first."""
        self._rules = rules
        self._request = request
        self._waiting = deque(order)
        self._running: dict[asyncio.Task[bytes | None], _Attempt] = {}
        self._hedge_decided = False

    async def winner(self) -> bytes | None:
        """The first answer; None when no replica has one."""
        async with Race[bytes | None]() as race:
            self._ask_next(race)
            while self._running:
                ended = await race.ended(self._wait_s())
                data = self._first_answer(ended)
                if data is not None:
                    self._note_those_that_hang()
                    return data
                if ended or self._is_next_wanted():
                    self._ask_next(race)
        return None

    def _ask_next(self, race: Race[bytes | None]) -> None:
        now = _now()
        # one that hangs must leave time for those after it
        seconds = (self._request.deadline - now) / max(len(self._waiting), 1)
        if seconds <= 0:
            self._waiting.clear()
        if not self._waiting:
            return
        replica = self._waiting.popleft()
        p95_s = self._rules.monitor.record(replica.origin_id).p95_s
        attempt = _Attempt(
            replica,
            now,
            now + hedge_after_s(p95_s, self._rules.hedge_min_s),
            now + rescue_after_s(p95_s, self._rules.hedge_min_s),
        )
        self._running[race.start(self._rules.reader.read(self._request, replica, seconds))] = (
            attempt
        )

    def _first_answer(self, ended: Sequence[asyncio.Task[bytes | None]]) -> bytes | None:
        answers = []
        for task in ended:
            del self._running[task]
            answers.append(task.result())
        return next((data for data in answers if data is not None), None)

    def _wait_s(self) -> float | None:
        """How long nothing is to be decided unless a replica answers or fails."""
        if not self._waiting:
            return None
        newest = self._newest()
        until = newest.rescue_at if self._hedge_decided else newest.hedge_at
        return max(0.0, until - _now())

    def _is_next_wanted(self) -> bool:
        """The replica that was asked last is late: whether the next one is asked too."""
        if self._hedge_decided:
            return True
        self._hedge_decided = True
        next_one = self._rules.monitor.record(self._waiting[0].origin_id)
        is_fit = next_one.health.state is not HealthState.UNHEALTHY
        return is_fit and self._rules.budget.take()

    def _newest(self) -> _Attempt:
        return next(reversed(self._running.values()))

    def _note_those_that_hang(self) -> None:
        """A loser that was merely late says nothing about its origin; one that hangs does."""
        now = _now()
        for attempt in self._running.values():
            if now >= attempt.rescue_at - CLOCK_S:
                self._rules.reader.late(attempt.replica, now - attempt.start)


def _now() -> float:
    return asyncio.get_running_loop().time()
