"""How long the federation waits for what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """In seconds. `hedge_min_s`: no read goes to another replica too before so long.

    `again_s`: the deadline of bytes that nobody could give a moment ago.
    """

    retries_s: tuple[float, ...] = (0.1, 0.5, 2.0)
    hedge_min_s: float = 0.2
    deadline_s: float = 30.0
    again_s: float = 3.0
    check_every_s: float = 30.0
    check_offline_every_s: float = 60.0
    check_timeout_s: float = 10.0
