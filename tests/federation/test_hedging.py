"""Reads that are late: sent to the next replica too, within a budget."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.federation.hedging import (
    HEDGES_SAVED_MAX,
    READS_PER_HEDGE,
    HedgeBudget,
    hedge_after_s,
    rescue_after_s,
)
from musefs.federation.patience import Patience
from origins.errors import OriginUnavailable
from tests.federation.peers import Club

virtual_time = pytest.mark.looptime

SECONDS = st.floats(0, 1000)


def now() -> float:
    return asyncio.get_running_loop().time()


async def reads_of(club: Club, seconds: list[float]) -> float:
    """Reads of which the first origin takes so long each; how long the last one took."""
    start = now()
    for one in seconds:
        club.origins["nas"].outcomes.append(one)
        start = now()
        await club.read()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert club.origins["nas"].running == 0
    return now() - start


@virtual_time
async def test_a_late_read_is_answered_by_the_next_replica() -> None:
    club = Club("nas", "box")
    took = await reads_of(club, [0.05] * READS_PER_HEDGE + [1.9])
    assert took == pytest.approx(0.2)
    assert len(club.reads("box")) == 1
    nas = club.federation.health_of()["nas"]
    assert (nas.failures, nas.errors, nas.reads) == (0, 0, READS_PER_HEDGE)


@virtual_time
async def test_late_is_what_takes_longer_than_the_p95_of_the_origin() -> None:
    club = Club("nas", "box")
    took = await reads_of(club, [0.7, 0.7] + [0.6] * 28 + [5.0])
    assert took == pytest.approx(0.7)
    assert len(club.reads("box")) == 1


@virtual_time
async def test_late_is_never_less_than_the_patience() -> None:
    club = Club("nas", "box", patience=Patience(hedge_min_s=0.5))
    assert await reads_of(club, [0.05] * READS_PER_HEDGE + [0.4]) == pytest.approx(0.4)
    assert await reads_of(club, [0.9]) == pytest.approx(0.5)


@virtual_time
async def test_the_first_answer_wins_even_when_it_is_the_late_one() -> None:
    club = Club("nas", "box")
    club.origins["box"].outcomes.append(1.0)
    took = await reads_of(club, [0.05] * READS_PER_HEDGE + [0.3])
    assert took == pytest.approx(0.3)
    assert len(club.reads("box")) == 1
    assert club.origins["box"].running == 0
    assert club.federation.health_of()["box"].errors == 0


@virtual_time
async def test_a_hedge_that_fails_leaves_the_late_one_running() -> None:
    club = Club("nas", "box")
    club.origins["box"].outcomes.append(OriginUnavailable("box: reset"))
    took = await reads_of(club, [0.05] * READS_PER_HEDGE + [0.8])
    assert took == pytest.approx(0.8)
    assert club.federation.health_of()["box"].errors == 1


@virtual_time
async def test_at_most_one_read_in_twenty_is_hedged() -> None:
    club = Club("nas", "box")
    # each is slower than all before it, and none hangs
    await reads_of(club, [0.3 + number / 1000 for number in range(1000)])
    assert len(club.reads("nas")) == 1000
    assert len(club.reads("box")) == 50


@virtual_time
async def test_nobody_hedges_to_an_origin_that_is_down() -> None:
    club = Club("nas", "box")
    club.origins["box"].down = True
    for _ in range(3):
        await club.federation.check()
    took = await reads_of(club, [0.05] * READS_PER_HEDGE + [0.8])
    assert took == pytest.approx(0.8)
    assert club.reads("box") == []


@virtual_time
async def test_a_single_replica_is_read_without_another_task() -> None:
    club = Club("nas")
    await club.read()
    assert club.origins["nas"].callers == [asyncio.current_task()]


@given(st.lists(st.booleans(), max_size=400))
def test_the_budget_is_kept_at_every_moment(wishes: list[bool]) -> None:
    budget = HedgeBudget()
    hedges = 0
    for reads, wish in enumerate(wishes, 1):
        budget.add_read()
        hedges += wish and budget.take()
        assert hedges * READS_PER_HEDGE <= reads
    saved = 0
    while budget.take():
        saved += 1
    assert saved <= HEDGES_SAVED_MAX


@given(SECONDS, SECONDS)
def test_a_rescue_never_comes_before_a_hedge(p95_s: float, hedge_min_s: float) -> None:
    assert hedge_min_s <= hedge_after_s(p95_s, hedge_min_s)
    assert hedge_after_s(p95_s, hedge_min_s) <= rescue_after_s(p95_s, hedge_min_s)
    assert rescue_after_s(p95_s, hedge_min_s) >= 2.0
