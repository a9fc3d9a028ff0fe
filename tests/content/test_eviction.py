"""SIEVE against a slow one written down from its definition."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from musefs.content.eviction import Sieve


@dataclass
class SlowSieve:
    """Keys oldest first; the hand is a position, None for the tail."""

    keys: list[int] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    touched: set[int] = field(default_factory=set)
    hand: int | None = None

    def insert(self, key: int, size: int) -> None:
        self.remove(key)
        self.keys.append(key)
        self.sizes[key] = size

    def touch(self, key: int) -> None:
        if key in self.sizes:
            self.touched.add(key)

    def remove(self, key: int) -> int:
        if key not in self.sizes:
            return 0
        position = self.keys.index(key)
        del self.keys[position]
        self.touched.discard(key)
        if self.hand is not None:
            if position < self.hand:
                self.hand -= 1
            elif self.hand >= len(self.keys):
                self.hand = None
        return self.sizes.pop(key)

    def evict(self, pinned: frozenset[int]) -> int | None:
        position = self.hand or 0
        for _ in range(2 * len(self.keys)):
            key = self.keys[position]
            if key in self.touched:
                self.touched.discard(key)
            elif key not in pinned:
                self.hand = position
                self.remove(key)
                return key
            position = (position + 1) % len(self.keys)
        self.hand = position if self.keys else None
        return None


KEYS = st.integers(0, 9)
STEPS = st.one_of(
    st.tuples(st.just("insert"), KEYS, st.integers(0, 100)),
    st.tuples(st.just("touch"), KEYS, st.just(0)),
    st.tuples(st.just("remove"), KEYS, st.just(0)),
    st.tuples(st.just("evict"), st.frozensets(KEYS), st.just(0)),
)


@given(st.lists(STEPS, max_size=80))
def test_it_does_what_the_definition_says(
    steps: list[tuple[str, int | frozenset[int], int]],
) -> None:
    sieve: Sieve[int] = Sieve()
    slow = SlowSieve()
    for name, what, size in steps:
        if isinstance(what, frozenset):
            assert sieve.evict(what.__contains__) == slow.evict(what)
        elif name == "insert":
            sieve.insert(what, size)
            slow.insert(what, size)
        elif name == "touch":
            sieve.touch(what)
            slow.touch(what)
        else:
            assert sieve.remove(what) == slow.remove(what)
        assert sieve.bytes == sum(slow.sizes.values())
        assert len(sieve) == len(slow.keys)
        assert all(key in sieve for key in slow.keys)
    order = [sieve.evict() for _ in range(len(sieve))]
    assert order == [slow.evict(frozenset()) for _ in range(len(slow.keys))]
    assert sieve.evict() is None


def test_a_scan_does_not_push_out_what_is_used_again() -> None:
    sieve: Sieve[str] = Sieve()
    for track in range(10):
        sieve.insert(f"played {track}", 1)
        sieve.touch(f"played {track}")
    for scanned in range(1000):
        sieve.insert(f"scanned {scanned}", 1)
        while sieve.bytes > 20:
            sieve.evict()
        for track in range(10):
            sieve.touch(f"played {track}")

    assert all(f"played {track}" in sieve for track in range(10))
