"""Which replica is asked first: by health, then by priority, then by speed. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from musefs.federation.health import HealthState
from musefs.federation.replicas import Replica

READS_REMEMBERED = 100


class Latencies:
    """How long the last reads took, in seconds."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=READS_REMEMBERED)
        self._p50_s: float | None = 0.0

    def add(self, seconds: float) -> None:
        """A read has succeeded."""
        self._last.append(seconds)
        self._p50_s = None

    @property
    def p50_s(self) -> float:
        """Their median; 0 before the first, so that a new origin gets its try."""
        if self._p50_s is None:
            self._p50_s = median(self._last)
        return self._p50_s


@dataclass(frozen=True, slots=True)
class Standing:
    """What an origin is ranked by; a lower priority comes first."""

    state: HealthState
    priority: int
    p50_s: float


def ranked(replicas: Iterable[Replica], standings: Mapping[str, Standing]) -> list[Replica]:
    """Best first; replicas at origins without a standing are left out."""

    def key(replica: Replica) -> tuple[int, int, float]:
        standing = standings[replica.origin_id]
        return standing.state, standing.priority, standing.p50_s

    return sorted((one for one in replicas if one.origin_id in standings), key=key)
