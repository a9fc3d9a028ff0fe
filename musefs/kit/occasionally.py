"""A log line for the first of many like it, then one in a while with the count of the others."""

from __future__ import annotations

from collections.abc import Callable


class Occasionally:
    """Lets one through every `every_s` seconds."""

    def __init__(self, every_s: float, clock: Callable[[], float]) -> None:
        self._every_s = every_s
        self._clock = clock
        self._next = float("-inf")
        self._held_back = 0

    def due(self) -> int | None:
        """How many since the last time, this one included; None: say nothing yet."""
        self._held_back += 1
        now = self._clock()
        if now < self._next:
            return None
        self._next = now + self._every_s
        count, self._held_back = self._held_back, 0
        return count
