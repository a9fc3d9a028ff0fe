"""Health and ranking: pure rules."""

from __future__ import annotations

import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.federation.health import Health, HealthState, seen_together
from musefs.federation.ranking import Latencies, Standing, ranked
from musefs.federation.replicas import Replica
from origins.base import Version

HEALTHY, UNKNOWN = HealthState.HEALTHY, HealthState.UNKNOWN
DEGRADED, UNHEALTHY = HealthState.DEGRADED, HealthState.UNHEALTHY


@pytest.mark.parametrize(
    ("failures_max", "states"),
    [(1, [UNHEALTHY] * 3), (3, [DEGRADED, DEGRADED, UNHEALTHY])],
)
def test_so_many_failures_in_a_row_make_an_origin_unhealthy(
    failures_max: int, states: list[HealthState]
) -> None:
    health = Health()
    assert health.state is UNKNOWN
    for state in states:
        health = health.after_failure(1.0, failures_max)
        assert health.state is state


@given(st.lists(st.booleans(), max_size=30))
def test_only_the_failures_since_the_last_success_count(outcomes: list[bool]) -> None:
    health = Health()
    in_a_row = 0
    for good in outcomes:
        health = health.after_success(0) if good else health.after_failure(0, 3)
        in_a_row = 0 if good else in_a_row + 1
        assert health.failures == in_a_row
        assert (health.state is UNHEALTHY) == (in_a_row >= 3)
        assert (health.state is HEALTHY) == (in_a_row == 0)


def test_the_time_of_the_last_change_of_state_is_kept() -> None:
    health = Health().after_success(5.0).after_success(6.0)
    assert health.since == 5.0
    assert health.after_failure(7.0, 3).after_failure(8.0, 3).since == 7.0


def test_health_comes_before_priority_and_priority_before_speed() -> None:
    standings = {
        "slow": Standing(HEALTHY, 1, 0.5),
        "fast": Standing(HEALTHY, 1, 0.1),
        "best": Standing(HEALTHY, 0, 9.0),
        "new": Standing(UNKNOWN, 0, 0.0),
        "shaky": Standing(DEGRADED, 0, 0.0),
        "down": Standing(UNHEALTHY, 0, 0.0),
    }
    replicas = [Replica(name, "song", Version("1")) for name in (*standings, "not configured")]
    random.Random(1).shuffle(replicas)
    order = [replica.origin_id for replica in ranked(replicas, standings)]
    assert order == ["best", "fast", "slow", "new", "shaky", "down"]


@given(st.lists(st.floats(0, 100), max_size=250))
def test_the_median_is_that_of_the_last_hundred_reads(seconds: list[float]) -> None:
    latencies = Latencies()
    for one in seconds:
        latencies.add(one)
    assert latencies.p50_s == (median(seconds[-100:]) if seconds else 0.0)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=250))
def test_the_p95_is_the_least_that_covers_95_percent_of_them(seconds: list[float]) -> None:
    latencies = Latencies()
    assert latencies.p95_s == 0.0
    for one in seconds:
        latencies.add(one)
    last = seconds[-100:]
    covering = [s for s in last if sum(other <= s for other in last) >= 0.95 * len(last)]
    assert latencies.p95_s == min(covering)


@given(st.dictionaries(st.text(max_size=3), st.sampled_from(list(HealthState)[:4])))
def test_origins_are_seen_offline_when_all_are_unhealthy(states: dict[str, HealthState]) -> None:
    seen = seen_together(states)
    offline = bool(states) and set(states.values()) == {UNHEALTHY}
    assert seen == (dict.fromkeys(states, HealthState.OFFLINE) if offline else states)
