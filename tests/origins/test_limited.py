"""Limits around an origin: places, deadlines, bandwidth."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origins import Limits, OriginUnavailable, Version
from origins.limited import Limited, TokenBucket
from tests.fakes.origin import FakeOrigin, Troubled, delaying, hanging, no_trouble
from tests.origins.contract import listed


def fake() -> FakeOrigin:
    return FakeOrigin("x", {f"{n}": b"bytes" for n in range(20)})


class _Counted(FakeOrigin):
    """Counts how many reads are in it at once."""

    inside = 0
    inside_max = 0

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        self.inside += 1
        self.inside_max = max(self.inside_max, self.inside)
        await asyncio.sleep(0.01)
        self.inside -= 1
        return b""


async def test_no_more_operations_at_once_than_allowed() -> None:
    counted = _Counted()
    limited = Limited(counted, Limits(requests_max=3))
    await asyncio.gather(*(limited.read("f", Version(""), 0, 1) for _ in range(20)))
    assert counted.inside_max == 3


async def test_the_wait_for_a_place_counts() -> None:
    limited = Limited(Troubled(fake(), hanging("read")), Limits(requests_max=1, timeout_s=0.2))
    started = time.monotonic()
    outcomes = await asyncio.gather(
        *(limited.read("1", Version(""), 0, 1) for _ in range(5)), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [OriginUnavailable] * 5
    assert str(outcomes[0]).startswith("x: no answer within 0.2 s")
    assert time.monotonic() - started < 1


async def test_a_cancelled_call_frees_its_place() -> None:
    troubled = Troubled(fake(), hanging("stat"))
    limited = Limited(troubled, Limits(requests_max=1, timeout_s=5))
    hung = asyncio.create_task(limited.stat("1"))
    waiting = asyncio.create_task(limited.stat("1"))
    await asyncio.sleep(0.01)
    for call in (waiting, hung):
        call.cancel()
    await asyncio.gather(hung, waiting, return_exceptions=True)
    troubled.rule = no_trouble
    assert (await limited.stat("1")).size == 5


async def test_reads_go_on_while_a_listing_is_consumed() -> None:
    limited = Limited(fake(), Limits(requests_max=1, timeout_s=1))
    read = [await limited.read(info.path, info.version, 0, 5) async for info in limited.list()]
    assert read == [b"bytes"] * 20


async def test_listings_wait_for_each_other_and_let_go() -> None:
    limited = Limited(Troubled(fake(), delaying(0.001, "list item")), Limits(timeout_s=5))
    found = await asyncio.gather(*(listed(limited) for _ in range(6)))
    assert all(len(one) == 20 for one in found)


async def test_a_listing_that_stalls_is_unavailable() -> None:
    limited = Limited(Troubled(fake(), hanging("list item")), Limits(timeout_s=0.05))
    with pytest.raises(OriginUnavailable, match="no answer"):
        await listed(limited)
    with pytest.raises(OriginUnavailable, match="no answer"):
        await listed(limited)


async def test_bandwidth_slows_reads_without_failing_them() -> None:
    origin = fake()
    info = origin.put("big", bytes(3000))
    limits = Limits(bandwidth_bytes_per_s=10_000, timeout_s=0.1)
    limited = Limited(origin, limits)
    started = time.monotonic()
    await asyncio.gather(*(limited.read("big", info.version, 0, 3000) for _ in range(6)))
    assert 0.4 < time.monotonic() - started < 2  # 18,000 bytes, of which one second's worth free


async def test_bytes_that_did_not_come_are_not_charged() -> None:
    origin = fake()
    limited = Limited(origin, Limits(bandwidth_bytes_per_s=10))
    version = (await origin.stat("1")).version
    started = time.monotonic()
    for _ in range(20):
        assert await limited.read("1", version, 5, 1_000_000) == b""
    assert time.monotonic() - started < 1


@given(
    rate=st.integers(1, 10_000),
    requests=st.lists(st.tuples(st.integers(0, 20_000), st.floats(0, 3)), max_size=40),
)
def test_no_more_bytes_start_than_the_rate_allows(
    rate: int, requests: list[tuple[int, float]]
) -> None:
    now_s = 0.0
    bucket = TokenBucket(rate, now_s)
    taken_before = 0
    for size, pause_s in requests:
        now_s += pause_s
        starts_s = now_s + bucket.take(size, now_s)
        assert taken_before <= rate * (starts_s + 1) + 1e-3
        taken_before += size
