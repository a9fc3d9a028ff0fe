"""When a read also goes to the next replica. Pure.

A hedge is for a read that is late as its origin goes; hedges cost the origins work, so there is a
budget for them. A rescue is for a read that hangs; no budget keeps a reader waiting for that, and
there are at most as many as there are replicas.
"""

from __future__ import annotations

RESCUE_MIN_S = 2.0
RESCUE_P95S = 10
"""A read that takes so many times its origin's p95 is not merely late."""

READS_PER_HEDGE = 20
HEDGES_SAVED_MAX = 4
"""So many may follow each other at once, after a time without any."""


def hedge_after_s(p95_s: float, hedge_min_s: float) -> float:
    """How long an origin with that p95 has before the next replica is asked too."""
    return max(p95_s, hedge_min_s)


def rescue_after_s(p95_s: float, hedge_min_s: float) -> float:
    """The same when there is no budget; never less than a hedge would wait."""
    return max(RESCUE_MIN_S, RESCUE_P95S * p95_s, hedge_min_s)


class HedgeBudget:
    """At most one hedge in READS_PER_HEDGE reads, counted from the first read."""

    def __init__(self) -> None:
        self._reads = 0

    def __repr__(self) -> str:
        return f"<HedgeBudget {self._reads / READS_PER_HEDGE:.2f} hedges>"

    def add_read(self) -> None:
        """A read has begun."""
        self._reads = min(self._reads + 1, HEDGES_SAVED_MAX * READS_PER_HEDGE)

    def take(self) -> bool:
        """Whether there may be a hedge; if so, it is spent."""
        if self._reads < READS_PER_HEDGE:
            return False
        self._reads -= READS_PER_HEDGE
        return True
