"""How well an origin does, from what its reads and checks came to. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum

LOCAL_FAILURES_MAX = 1
REMOTE_FAILURES_MAX = 3
"""Failures in a row that make an origin unhealthy."""


class HealthState(IntEnum):
    """Best first. An origin nobody has asked yet is unknown, and may be used.

    Offline is how people see an unhealthy one when all of them are.
    """

    HEALTHY = 0
    UNKNOWN = 1
    DEGRADED = 2
    UNHEALTHY = 3
    OFFLINE = 4


@dataclass(frozen=True, slots=True)
class Health:
    """`failures` in a row; `since` is the time of the last change of state, in seconds."""

    state: HealthState = HealthState.UNKNOWN
    failures: int = 0
    since: float = 0.0

    def after_success(self, now: float) -> Health:
        """One success makes it healthy."""
        return self._moved(HealthState.HEALTHY, 0, now)

    def after_failure(self, now: float, failures_max: int) -> Health:
        """A failure more: degraded, and unhealthy from `failures_max` in a row on."""
        failures = self.failures + 1
        bad = failures >= failures_max
        return self._moved(HealthState.UNHEALTHY if bad else HealthState.DEGRADED, failures, now)

    def _moved(self, state: HealthState, failures: int, now: float) -> Health:
        return Health(state, failures, self.since if state is self.state else now)


def all_unhealthy(states: Collection[HealthState]) -> bool:
    """Whether none is left that does well, or may."""
    return bool(states) and all(state is HealthState.UNHEALTHY for state in states)


def seen_together(states: Mapping[str, HealthState]) -> dict[str, HealthState]:
    """Each origin's state as people are told it: offline instead of unhealthy when all are."""
    if all_unhealthy(states.values()):
        return dict.fromkeys(states, HealthState.OFFLINE)
    return dict(states)
