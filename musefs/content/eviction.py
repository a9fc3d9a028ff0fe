"""Which entry goes when room is needed: SIEVE, weighed in bytes. Pure.

New entries enter at the head. A hand walks from the tail to the head: an entry touched since the
hand last passed stays and loses its mark, the first without one goes; the hand keeps its place. A
touch sets one bit, so a hit costs next to nothing, and a scan leaves before what is used again.
Source: Zhang et al., "SIEVE is Simpler than LRU", NSDI 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class _Node(Generic[K]):
    __slots__ = ("key", "newer", "older", "size", "touched")

    def __init__(self, key: K, size: int) -> None:
        self.key = key
        self.size = size
        self.touched = False
        self.newer: _Node[K] | None = None
        self.older: _Node[K] | None = None


class Sieve(Generic[K]):
    """Entries and their sizes; `bytes` is their sum."""

    def __init__(self) -> None:
        self._nodes: dict[K, _Node[K]] = {}
        self._head: _Node[K] | None = None
        self._tail: _Node[K] | None = None
        self._hand: _Node[K] | None = None
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, key: K) -> bool:
        return key in self._nodes

    def insert(self, key: K, size: int) -> None:
        """Add an entry of `size` bytes at the head; one of that key that is there is replaced."""
        self.remove(key)
        node = self._nodes[key] = _Node(key, size)
        node.older = self._head
        if self._head is not None:
            self._head.newer = node
        self._head = node
        if self._tail is None:
            self._tail = node
        self.bytes += size

    def touch(self, key: K) -> None:
        """Note a hit; an unknown key is nothing."""
        node = self._nodes.get(key)
        if node is not None:
            node.touched = True

    def remove(self, key: K) -> int:
        """Take an entry out; its size, or 0 when there is none."""
        node = self._nodes.pop(key, None)
        if node is None:
            return 0
        self._unlink(node)
        return node.size

    def evict(self, pinned: Callable[[K], bool] | None = None) -> K | None:
        """Take the victim out; None when there is nothing, or nothing that is not pinned."""
        node = self._hand or self._tail
        steps = 2 * len(self._nodes)  # one round to clear the marks, one to choose
        while node is not None and steps:
            steps -= 1
            if node.touched:
                node.touched = False
            elif pinned is None or not pinned(node.key):
                self._hand = node
                del self._nodes[node.key]
                self._unlink(node)
                return node.key
            node = node.newer or self._tail
        self._hand = node
        return None

    def _unlink(self, node: _Node[K]) -> None:
        if self._hand is node:
            self._hand = node.newer
        if node.newer is not None:
            node.newer.older = node.older
        else:
            self._head = node.older
        if node.older is not None:
            node.older.newer = node.newer
        else:
            self._tail = node.newer
        node.newer = node.older = None
        self.bytes -= node.size
