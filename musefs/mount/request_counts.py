"""How many requests the kernel has sent since the start, by kind, and how many failed, by errno."""

from __future__ import annotations

import errno
from collections import Counter


class RequestCounts:
    """Counted by `answering` alone, in the event loop. A failed request counts in both."""

    __slots__ = ("by_kind", "failed")

    def __init__(self) -> None:
        self.by_kind: Counter[str] = Counter()
        """By the handler's name; those that every change is refused by, as `refuse`."""
        self.failed: Counter[int] = Counter()
        """By the number that the caller got."""

    def failed_by_name(self) -> dict[str, int]:
        """`failed` by the symbols of errno(3); a number without one is its own name."""
        return {
            errno.errorcode.get(number, str(number)): count for number, count in self.failed.items()
        }
