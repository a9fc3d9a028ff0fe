"""Reads that hang: rescued by the next replica whatever the budget, and held against the origin."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from musefs.errors import ContentChanged, ContentUnavailable
from musefs.federation.health import HealthState
from musefs.federation.patience import Patience
from origins.errors import AccessDenied, FileChanged, OriginUnavailable
from tests.federation.peers import Club

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def took(club: Club) -> float:
    start = now()
    await club.read()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert [origin.running for origin in club.origins.values()] == [0] * len(club.origins)
    return now() - start


async def test_a_stalled_origin_costs_two_seconds_once() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.extend([1000.0] * 9)
    assert await took(club) == pytest.approx(2)
    nas = club.federation.health_of()["nas"]
    assert (nas.state, nas.failures) == (HealthState.DEGRADED, 1)
    assert "while another origin had one" in str(nas.last_error)
    assert await took(club) == 0
    assert len(club.reads("nas")) == 1


async def test_three_readers_who_hang_make_the_origin_unhealthy() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.extend([1000.0] * 9)
    start = now()
    await asyncio.gather(*(club.read() for _ in range(3)))
    assert now() - start <= 2.2
    assert club.federation.health_of()["nas"].state is HealthState.UNHEALTHY
    assert await took(club) == 0


async def test_each_replica_gets_its_time_before_the_next_is_asked() -> None:
    club = Club("nas", "box", "bucket")
    club.origins["nas"].outcomes.append(1000.0)
    club.origins["box"].outcomes.append(1000.0)
    assert await took(club) == pytest.approx(4)
    failures = [status.failures for status in club.federation.health_of().values()]
    assert failures == [1, 1, 0]


async def test_a_rescue_that_loses_holds_nothing_against_the_slow_origin() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.append(3.0)
    club.origins["box"].outcomes.append(5.0)
    assert await took(club) == pytest.approx(3)
    assert [status.errors for status in club.federation.health_of().values()] == [0, 0]


async def test_an_origin_that_is_slow_as_a_rule_is_not_rescued_from_so_soon() -> None:
    club = Club("nas", "box", patience=Patience(hedge_min_s=1.9))
    for seconds in (1.0, 1.0, 6.0, 1000.0):
        club.origins["nas"].outcomes.append(seconds)
    assert [await took(club) for _ in range(3)] == pytest.approx([1, 1, 6])
    assert club.reads("box") == []


async def test_the_patience_that_was_set_holds_for_rescues_too() -> None:
    club = Club("nas", "box", patience=Patience(hedge_min_s=4.0))
    club.origins["nas"].outcomes.append(1000.0)
    assert await took(club) == pytest.approx(4)


async def test_a_replica_that_fails_beside_one_that_hangs_is_tried_again() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.extend([1000.0] * 9)
    club.origins["box"].outcomes.append(OriginUnavailable("box: reset"))
    start = now()
    await club.read()
    assert now() - start < 20


async def test_leaving_while_two_are_asked_ends_both() -> None:
    club = Club("nas", "box")
    for origin in club.origins.values():
        origin.outcomes.append(1000.0)
    reader = asyncio.create_task(club.read())
    await asyncio.sleep(3)
    assert [origin.running for origin in club.origins.values()] == [1, 1]
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert [origin.running for origin in club.origins.values()] == [0, 0]
    assert [status.errors for status in club.federation.health_of().values()] == [0, 0]


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_a_read_ends_in_time_with_right_bytes_or_an_error(seed: int) -> None:
    chance = random.Random(seed)
    club = Club("nas", "box", "bucket")

    def outcome() -> Exception | float | None:
        return chance.choice(
            [
                None,
                chance.uniform(0, 4),
                1000.0,
                OriginUnavailable("reset"),
                AccessDenied("denied"),
                FileChanged("replaced"),
                KeyError("broken"),
            ]
        )

    async def reader() -> None:
        start = now()
        with contextlib.suppress(ContentUnavailable, ContentChanged):
            await club.read(chance.randrange(9000), 1000)
        assert now() - start <= 30.001

    for _ in range(10):
        for origin in club.origins.values():
            origin.outcomes.clear()
            origin.outcomes.extend(outcome() for _ in range(12))
        await asyncio.gather(*(reader() for _ in range(4)))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert [origin.running for origin in club.origins.values()] == [0, 0, 0]
