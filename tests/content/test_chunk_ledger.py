"""The ledger: kept chunks go last, and what is counted can be recounted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from musefs.content.chunk_ledger import ChunkLedger


def digest(number: int) -> bytes:
    return bytes([number]) * 32


def test_kept_chunks_are_evicted_when_no_other_is_left_the_oldest_first() -> None:
    ledger = ChunkLedger()
    for number in range(6):
        ledger.add(digest(number), 10, kept=number % 2 == 0)
    for number in range(6):
        ledger.touch(digest(number))
    assert ledger.evict(25) == [digest(1), digest(3), digest(5)]
    assert ledger.evict(15) == [digest(0), digest(2)]
    assert ledger.evict(100) == [digest(4)]
    assert (len(ledger), ledger.stored_bytes, ledger.kept_bytes, ledger.logical_bytes) == (0,) * 4


def test_a_chunk_that_is_ordinary_audio_elsewhere_stays_kept() -> None:
    ledger = ChunkLedger()
    ledger.add(digest(1), 10)
    ledger.add(digest(1), 10, kept=True)
    ledger.add(digest(1), 10)
    ledger.add(digest(2), 10)
    assert ledger.is_kept(digest(1))
    assert (ledger.stored_bytes, ledger.kept_bytes, ledger.logical_bytes) == (20, 10, 40)
    assert ledger.evict(10) == [digest(2)]
    assert ledger.digests() == {digest(1)}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add kept", "keep", "touch", "remove", "evict"]), st.integers(0, 9)
    ),
    max_size=60,
)


@given(STEPS)
def test_counts_equal_what_can_be_recounted(steps: list[tuple[str, int]]) -> None:
    ledger = ChunkLedger()
    references: dict[bytes, int] = {}
    kept: set[bytes] = set()
    for step, number in steps:
        name, size = digest(number), number + 1
        if step.startswith("add"):
            ledger.add(name, size, kept=step == "add kept")
            references[name] = references.get(name, 0) + 1
        elif step == "evict":
            for victim in ledger.evict(size):
                assert victim not in kept or not set(references) - kept
                del references[victim]
                kept.discard(victim)
        else:
            getattr(ledger, step)(name)
        if step == "remove":
            references.pop(name, None)
            kept.discard(name)
        elif step in ("add kept", "keep") and name in references:
            kept.add(name)
        assert ledger.digests() == set(references)
        assert len(ledger) == len(references)
        assert ledger.stored_bytes == sum(name[0] + 1 for name in references)
        assert ledger.kept_bytes == sum(name[0] + 1 for name in kept)
        assert ledger.logical_bytes == sum((n[0] + 1) * c for n, c in references.items())
