"""How the origins are watched over, and what is told of them."""

from __future__ import annotations

import asyncio
import logging
from itertools import pairwise

import pytest

from musefs.federation.events import (
    AllOriginsUnhealthy,
    FederationEvent,
    HealthChanged,
    ReplicaFailed,
)
from musefs.federation.health import HealthState
from musefs.kit.topic import Missed
from origins.errors import OriginUnavailable
from tests.federation.peers import Club

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_when_none_is_healthy_the_least_bad_is_still_tried() -> None:
    club = Club("nas", remote=False)
    club.origins["nas"].down = True
    await club.federation.check()
    assert club.federation.health_of()["nas"].state is HealthState.OFFLINE
    club.origins["nas"].down = False
    await club.read()
    assert club.federation.health_of()["nas"].state is HealthState.HEALTHY


async def test_checks_run_side_by_side_each_with_its_own_timeout() -> None:
    club = Club("nas", "box", "bucket")
    club.origins["nas"].outcomes.append(1000.0)
    club.origins["box"].outcomes.append(1000.0)
    start = now()
    await club.federation.check()
    assert now() - start == pytest.approx(10, abs=0.1)
    assert "nas degraded, box degraded, bucket healthy" in repr(club.federation)


async def test_origins_are_checked_every_half_minute_and_less_often_when_all_are_down() -> None:
    club = Club("nas", remote=False)
    checking = asyncio.create_task(club.federation.run())
    await asyncio.sleep(45)
    club.origins["nas"].down = True
    await asyncio.sleep(145)
    checking.cancel()
    await asyncio.wait([checking])
    times = [time for _, time in club.origins["nas"].calls]
    assert [round(after - before) for before, after in pairwise(times)] == [30, 30, 60, 60]


async def test_changes_are_published_and_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    club = Club("nas", "box")
    healthy, unknown = HealthState.HEALTHY, HealthState.UNKNOWN
    degraded, unhealthy = HealthState.DEGRADED, HealthState.UNHEALTHY
    with club.federation.changes.subscribe() as news, caplog.at_level(logging.INFO):
        for down in (False, True, True, True, True, False):
            for origin in club.origins.values():
                origin.down = down
            await club.federation.check()
        club.federation.changes.close()
        published: list[FederationEvent | Missed] = [change async for change in news]

    assert published == [
        HealthChanged("nas", unknown, healthy),
        HealthChanged("box", unknown, healthy),
        HealthChanged("nas", healthy, degraded),
        HealthChanged("box", healthy, degraded),
        HealthChanged("nas", degraded, unhealthy),
        HealthChanged("box", degraded, unhealthy),
        AllOriginsUnhealthy(began=True),
        HealthChanged("nas", unhealthy, healthy),
        AllOriginsUnhealthy(began=False),
        HealthChanged("box", unhealthy, healthy),
    ]
    levels = ["WARNING"] * 3 + ["INFO"] * 3
    assert [record.levelname for record in caplog.records] == levels


async def test_people_are_told_offline_only_while_all_are_down() -> None:
    club = Club("nas", "box", remote=False)
    club.origins["nas"].down = True
    await club.federation.check()
    states = {name: status.state for name, status in club.federation.health_of().items()}
    assert states == {"nas": HealthState.UNHEALTHY, "box": HealthState.HEALTHY}
    club.origins["box"].down = True
    await club.federation.check()
    states = {name: status.state for name, status in club.federation.health_of().items()}
    assert states == dict.fromkeys(["nas", "box"], HealthState.OFFLINE)
    club.origins["box"].down = False
    await club.read()
    assert club.federation.health_of()["nas"].state is HealthState.UNHEALTHY


async def test_a_replica_that_fails_is_told_of_once_in_a_while() -> None:
    club = Club("nas", "box")
    with club.federation.changes.subscribe() as news:
        for _ in range(3):
            club.origins["nas"].outcomes.append(OriginUnavailable("nas: reset\nby peer"))
            club.origins["box"].outcomes.append(OriginUnavailable("box: reset"))
            await club.read()
        await asyncio.sleep(31)
        club.origins["nas"].version = None
        await club.read()
        club.federation.changes.close()
        told = [change async for change in news if isinstance(change, ReplicaFailed)]
    assert told == [
        ReplicaFailed("nas", "song", "nas: reset by peer"),
        ReplicaFailed("box", "song", "box: reset"),
        ReplicaFailed("nas", "song", "nas: song is gone"),
    ]
