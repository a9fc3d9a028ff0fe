"""Which ranges are asked for: all of the bytes once, in parts that are worth a request."""

from __future__ import annotations

import pytest

from origins.s3_ranges import (
    LONE_PART_BYTES_MIN,
    LONE_PARTS_MAX,
    PART_BYTES_MIN,
    PARTS_MAX,
    split,
)


@pytest.mark.parametrize("is_lone", [False, True])
def test_parts_cover_the_range_and_are_not_small(is_lone: bool) -> None:
    smallest = LONE_PART_BYTES_MIN if is_lone else PART_BYTES_MIN
    assert split(5, 100, 16, 0, is_lone=is_lone) == [(5, 100)]
    assert split(0, 8 * smallest, 0, 16, is_lone=is_lone) == [(0, 8 * smallest)]
    parts = split(7, 3 * smallest + 1, 16, 0, is_lone=is_lone)
    assert [at for at, _ in parts] == [7, *(at + length for at, length in parts[:-1])]
    assert sum(length for _, length in parts) == 3 * smallest + 1
    assert len(parts) == 3


def test_no_more_parts_than_idle_connections_or_than_there_may_be() -> None:
    size = 64 * PART_BYTES_MIN
    assert len(split(0, size, 16, 0, is_lone=True)) == LONE_PARTS_MAX
    assert len(split(0, size, 2, 0, is_lone=True)) == 2
    assert len(split(0, size, 14, 2, is_lone=False)) == PARTS_MAX - 2
    assert len(split(0, size, 12, PARTS_MAX, is_lone=False)) == 1
