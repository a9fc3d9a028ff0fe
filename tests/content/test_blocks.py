"""The table of blocks: pins keep blocks and the sums stay right."""

from __future__ import annotations

from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from musefs.content import verification
from musefs.content.blocks import Block, BlockTable
from musefs.content.verification import Verification
from musefs.model import ContentId

KEYS = st.tuples(st.integers(1, 3), st.integers(0, 3))
STEPS = st.tuples(st.sampled_from(["insert", "pin", "unpin", "evict", "drop", "hit"]), KEYS)


@given(st.lists(STEPS, max_size=60))
def test_the_sums_equal_a_recount_whatever_happens(
    steps: list[tuple[str, tuple[int, int]]],
) -> None:
    table = BlockTable()
    held: list[Block] = []
    for step, (content, index) in steps:
        key = (ContentId(content), index)
        if step == "insert":
            table.insert(Block(key, bytes(10 * content + index)))
        elif step == "pin" and (block := table.hit(key)) is not None:
            table.pin(block)
            held.append(block)
        elif step == "unpin" and held:
            table.unpin(held.pop(index % len(held)))
        elif step == "evict":
            free = len(table) > table.pinned
            assert table.evict() == free
        elif step == "drop":
            table.drop(ContentId(content))
        there = [
            block
            for one in range(1, 4)
            for other in range(4)
            if (block := table.hit((ContentId(one), other))) is not None
        ]
        assert len(table) == len(there)
        assert table.bytes == sum(block.view.nbytes for block in there)
        assert table.pinned == sum(block.pins > 0 for block in there)
        assert table.pinned_bytes == sum(block.view.nbytes for block in there if block.pins)
        assert all(block.pins == held.count(block) for block in there)


def test_what_has_been_proven_is_remembered_up_to_a_bound() -> None:
    doubts = Verification(unclean=True)
    assert doubts.due(b"one")
    doubts.passed(b"one")
    assert not doubts.due(b"one")
    doubts.forget(b"one")
    assert doubts.due(b"one")
    with mock.patch.object(verification, "PASSED_MAX", 2):
        for name in (b"one", b"two", b"three"):
            doubts.passed(name)
    assert [doubts.vouches_for(name) for name in (b"one", b"two", b"three")] == [False, False, True]


def test_one_read_in_so_many_is_verified_after_a_clean_start() -> None:
    doubts = Verification(unclean=False)
    due = [doubts.due(b"any") for _ in range(3 * verification.SAMPLED_EVERY)]
    assert due.count(True) == 3
