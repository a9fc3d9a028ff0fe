"""What a mount did for somebody, in numbers that no machine's speed changes: from its status file.

Reading that file is work too, always the same: it is measured first, and taken off.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.mounting import Mount

AT_REST_S = 15.0
STILL_S = 0.2
STATEMENTS = "statements"
FORGET = "forget"


@dataclass(frozen=True)
class Work:
    """Requests of the kernel by kind, none that are 0, and statements of the catalogue.

    FORGET is left out: the kernel sends it when it likes.
    """

    requests: Mapping[str, int]
    statements: int

    def __getitem__(self, kind: str) -> int:
        return self.requests.get(kind, 0)


class WorkMeter:
    """Tells how much work a mount has done since it was asked last."""

    def __init__(self, mount: Mount) -> None:
        """Returns once the mount is at rest. Raises TimeoutError."""
        self._mount = mount
        self._last: Counter[str] = Counter()
        self._cost: Counter[str] | None = None
        self._cost = self._cost_of_looking()

    def taken(self) -> Work:
        """The work since the last call."""
        return _work(self._since())

    def taken_at_rest(self) -> Work:
        """The same, with what is done afterwards: once there is nothing more. Raises TimeoutError.

        What is read is written to the disk behind its reader.
        """
        total = self._since()
        until_s = time.monotonic() + AT_REST_S
        while time.monotonic() < until_s:
            time.sleep(STILL_S)
            more = self._since()
            if not any(more.values()):
                return _work(total)
            total.update(more)
        raise TimeoutError(f"the mount is not at rest: {total}")

    def _cost_of_looking(self) -> Counter[str]:
        """What is the same three times, some time apart: nothing but the look itself."""
        costs = [self._since()]
        until_s = time.monotonic() + AT_REST_S
        while time.monotonic() < until_s:
            costs = [*costs[-2:], self._since()]
            if len(costs) == 3 and costs[0] == costs[1] == costs[2]:
                return costs[0]
            time.sleep(STILL_S)
        raise TimeoutError(f"the mount is not at rest: {costs}")

    def _since(self) -> Counter[str]:
        work: dict[str, Any] = self._mount.status()["work"]
        now = Counter({**work["requests"], STATEMENTS: work["statements"]})
        del now[FORGET]
        found = Counter(now)
        found.subtract(self._last)
        self._last = now
        if self._cost is not None:
            found.subtract(self._cost)
        return found


def _work(found: Counter[str]) -> Work:
    assert min(found.values(), default=0) >= 0, found
    requests = {kind: count for kind, count in found.items() if count and kind != STATEMENTS}
    return Work(requests, found[STATEMENTS])
