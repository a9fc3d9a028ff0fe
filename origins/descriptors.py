"""Open descriptors, kept for the next read of the same version of the same file.

Bounded, least recently used first out. A descriptor in use is closed when its last user gives it
back, never before. Used from the event loop and from threads.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

Key = tuple[str, str]
"""A path and a version."""


@dataclass(slots=True, eq=False)
class Descriptor:
    """One open file, its users, and when it was last taken."""

    fd: int
    users: int = 0
    kept: bool = True
    taken_s: float = 0.0


class Descriptors:
    """The open files of one origin, at most `descriptors_max` of them idle."""

    def __init__(self, descriptors_max: int) -> None:
        self._descriptors_max = descriptors_max
        self._kept: OrderedDict[Key, Descriptor] = OrderedDict()
        self._lock = threading.Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<Descriptors {len(self)} open of {self._descriptors_max}>"

    def borrow(self, key: Key) -> Descriptor | None:
        """The open file of that version; give it back. None when it is not open."""
        with self._lock:
            descriptor = self._kept.get(key)
            if descriptor is not None:
                self._kept.move_to_end(key)
                self._take(descriptor)
            return descriptor

    def keep(self, key: Key, fd: int) -> Descriptor:
        """Take over a descriptor just opened, and borrow it."""
        with self._lock:
            descriptor = Descriptor(fd)
            self._take(descriptor)
            if self._closed or key in self._kept:
                descriptor.kept = False
                return descriptor
            self._kept[key] = descriptor
            while len(self._kept) > self._descriptors_max:
                self._drop(self._kept.popitem(last=False)[1])
            return descriptor

    def give_back(self, descriptor: Descriptor) -> None:
        """The end of a use: closes the file when it is not kept any more."""
        with self._lock:
            descriptor.users -= 1
            self._close_unused(descriptor)

    def forget(self, key: Key) -> None:
        """Keep that file no longer."""
        with self._lock:
            if (descriptor := self._kept.pop(key, None)) is not None:
                self._drop(descriptor)

    def close_idle(self, idle_s: float) -> None:
        """Close what nobody has read for so long: an open file keeps a deleted one's space."""
        with self._lock:
            before_s = time.monotonic() - idle_s
            for key in [key for key, one in self._kept.items() if one.taken_s <= before_s]:
                self._drop(self._kept.pop(key))

    def close(self) -> None:
        """Close everything, and from now on whatever is given back."""
        with self._lock:
            self._closed = True
            while self._kept:
                self._drop(self._kept.popitem()[1])

    def _take(self, descriptor: Descriptor) -> None:
        descriptor.users += 1
        descriptor.taken_s = time.monotonic()

    def _drop(self, descriptor: Descriptor) -> None:
        descriptor.kept = False
        self._close_unused(descriptor)

    @staticmethod
    def _close_unused(descriptor: Descriptor) -> None:
        if not descriptor.kept and not descriptor.users:
            os.close(descriptor.fd)
