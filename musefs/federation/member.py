"""An origin as a member of the federation: what it is set to be, and how it has done."""

from __future__ import annotations

from dataclasses import dataclass

from musefs.federation.health import (
    LOCAL_FAILURES_MAX,
    REMOTE_FAILURES_MAX,
    Health,
    HealthState,
)
from musefs.federation.ranking import Latencies, Standing
from origins.base import Origin, ReadsAtOnce


@dataclass(frozen=True, slots=True)
class Member:
    """An origin and its place: a lower priority is asked first."""

    origin: Origin
    priority: int
    remote: bool


@dataclass(frozen=True, slots=True)
class OriginStatus:
    """An origin for people: `since` in the loop's time, counts since the start."""

    state: HealthState
    failures: int
    since: float
    priority: int
    remote: bool
    p50_s: float
    p95_s: float
    reads: int
    errors: int
    last_error: str | None


class Record:
    """A member and its history. Every method is told the time, in seconds."""

    def __init__(self, member: Member) -> None:
        self.member = member
        self.at_once = member.origin if isinstance(member.origin, ReadsAtOnce) else None
        self.health = Health()
        self._latencies = Latencies()
        self._reads = self._errors = 0
        self.last_error: str | None = None

    @property
    def standing(self) -> Standing:
        """What it is ranked by."""
        return Standing(self.health.state, self.member.priority, self._latencies.p50_s)

    @property
    def p95_s(self) -> float:
        """95 % of its last reads took no longer; 0 before the first."""
        return self._latencies.p95_s

    def status(self, seen: HealthState) -> OriginStatus:
        """A snapshot for people, who see it in that state."""
        return OriginStatus(
            state=seen,
            failures=self.health.failures,
            since=self.health.since,
            priority=self.member.priority,
            remote=self.member.remote,
            p50_s=self._latencies.p50_s,
            p95_s=self._latencies.p95_s,
            reads=self._reads,
            errors=self._errors,
            last_error=self.last_error,
        )

    def read(self, now: float, seconds: float) -> None:
        """A read has succeeded."""
        self._reads += 1
        self._latencies.add(seconds)
        self.succeeded(now)

    def read_at_once(self) -> None:
        """A read has succeeded that took no time worth counting."""
        self._reads += 1

    def succeeded(self, now: float) -> None:
        """It answered."""
        self.health = self.health.after_success(now)

    def failed(self, now: float, error: Exception) -> None:
        """It did not."""
        failures_max = REMOTE_FAILURES_MAX if self.member.remote else LOCAL_FAILURES_MAX
        self._errors += 1
        self.last_error = " ".join(str(error).split())
        self.health = self.health.after_failure(now, failures_max)
