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
        self._sorted: list[float] | None = []

    def add(self, seconds: float) -> None:
        """A read has succeeded."""
        self._last.append(seconds)
        self._sorted = None

    @property
    def p50_s(self) -> float:
        """Their median; 0 before the first, so that a new origin gets its try."""
        ascending = self._ascending()
        return median(ascending) if ascending else 0.0

    @property
    def p95_s(self) -> float:
        """What 95 % of them did not exceed; 0 before the first."""
        ascending = self._ascending()
        return ascending[-(-95 * len(ascending) // 100) - 1] if ascending else 0.0

    def _ascending(self) -> list[float]:
        if self._sorted is None:
            self._sorted = sorted(self._last)
        return self._sorted


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
