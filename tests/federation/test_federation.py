"""The federation: failing over, retrying, giving up in time, and keeping count of health."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from musefs.errors import ContentChanged, ContentUnavailable
from musefs.federation.patience import Patience
from musefs.federation.recent_failures import RECENT_S
from origins.base import Version
from origins.errors import AccessDenied, FileChanged, OriginUnavailable
from tests.federation.peers import SONG, Club

pytestmark = pytest.mark.looptime

DOWN = OriginUnavailable("nas: no route to host; is it on?")


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_the_first_origin_answers_and_the_others_are_left_alone() -> None:
    club = Club("nas", "box")
    await club.read(100, 50)
    await club.read(SONG.size - 10, 100)
    assert await club.federation.read(SONG, SONG.size, 10) == b""
    assert len(club.reads("nas")) == 2
    assert club.reads("box") == []
    assert club.federation.health_of()["nas"].reads == 2


async def test_short_answers_are_put_together() -> None:
    club = Club("nas")
    club.origins["nas"].read_bytes_max = 3000
    await club.read()
    assert len(club.reads("nas")) == 4


async def test_a_failure_goes_to_the_next_replica_at_once() -> None:
    club = Club("nas", "box", "bucket")
    club.origins["nas"].down = club.origins["box"].down = True
    start = now()
    await club.read()
    assert now() == start
    assert [len(club.reads(name)) for name in club.origins] == [1, 1, 1]


async def test_all_three_pauses_are_used_before_giving_up() -> None:
    club = Club("nas")
    club.origins["nas"].down = True
    with pytest.raises(ContentUnavailable) as unavailable:
        await club.read()

    pauses = [after - before for before, after in pairwise(club.reads("nas"))]
    assert len(pauses) == 3
    for pause, expected in zip(pauses, (0.1, 0.5, 2.0), strict=True):
        assert 0.75 * expected - 0.01 <= pause <= 1.25 * expected + 0.01
    assert "refused the connection" in str(unavailable.value)
    assert isinstance(unavailable.value.__cause__, OriginUnavailable)


async def test_readers_do_not_come_back_all_at_once() -> None:
    club = Club("nas")
    club.origins["nas"].outcomes.extend([DOWN] * 20)
    await asyncio.gather(*(club.read() for _ in range(20)))
    assert len({round(time, 3) for time in club.reads("nas")[20:]}) > 5


async def test_an_origin_that_has_been_away_for_a_while_is_asked_once() -> None:
    club = Club("nas")
    club.origins["nas"].outcomes.extend([DOWN] * 20)
    with pytest.raises(ContentUnavailable):
        await club.read()
    await asyncio.sleep(5)
    asked, start = len(club.reads("nas")), now()
    with pytest.raises(ContentUnavailable, match="no route"):
        await club.read()
    assert (len(club.reads("nas")) - asked, now()) == (1, start)


async def test_an_outage_that_passes_is_not_noticed_by_the_reader() -> None:
    club = Club("nas", "box")
    for origin in club.origins.values():
        origin.outcomes.extend([DOWN, DOWN])
    await club.read()
    assert [len(club.reads(name)) for name in club.origins] == [3, 2]


async def test_what_cannot_pass_is_not_tried_again() -> None:
    club = Club("nas", "box")
    for name, origin in club.origins.items():
        origin.outcomes.extend([AccessDenied(f"{name}: permission denied\nask root")] * 9)
    start = now()
    with pytest.raises(ContentUnavailable) as unavailable:
        await club.read()
    assert now() == start
    assert [len(club.reads(name)) for name in club.origins] == [1, 1]
    assert "\n" not in str(unavailable.value)


async def test_a_retry_leaves_out_the_replicas_that_refused_for_good() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.append(AccessDenied("nas: permission denied"))
    club.origins["box"].outcomes.extend([DOWN, DOWN])
    await club.read()
    assert [len(club.reads(name)) for name in club.origins] == [1, 3]


@pytest.mark.parametrize("version", [None, Version("2")])
async def test_a_stale_replica_is_told_and_another_serves(version: Version | None) -> None:
    club = Club("nas", "box")
    club.origins["nas"].version = version
    await club.federation.check()
    for _ in range(5):
        await club.read()
    assert club.stale == [("nas", "song")]
    assert club.places.queries >= 5
    await asyncio.sleep(31)
    await club.read()
    assert club.stale == [("nas", "song")] * 2
    assert club.federation.health_of()["nas"].failures == 0


async def test_when_every_replica_is_stale_the_content_has_changed() -> None:
    club = Club("nas", "box")
    for origin in club.origins.values():
        origin.version = Version("2")
    start = now()
    with pytest.raises(ContentChanged) as changed:
        await club.read()
    assert now() == start
    assert sorted(club.stale) == [("box", "song"), ("nas", "song")]
    assert isinstance(changed.value.__cause__, FileChanged)


async def test_a_stale_replica_beside_one_that_is_down_is_no_change() -> None:
    club = Club("nas", "box")
    club.origins["nas"].version = None
    club.origins["box"].down = True
    with pytest.raises(ContentUnavailable):
        await club.read()
    assert [len(club.reads(name)) for name in club.origins] == [1, 4]


async def test_a_content_without_replicas_has_gone() -> None:
    club = Club("nas")
    club.places.found = []
    with pytest.raises(ContentChanged):
        await club.read()


async def test_a_content_at_an_origin_that_is_not_configured_is_unavailable() -> None:
    club = Club("nas")
    other = Club("elsewhere")
    club.places.found = other.places.found
    with pytest.raises(ContentUnavailable, match="no configured origin has it"):
        await club.read()


async def test_a_file_shorter_than_recorded_counts_as_changed() -> None:
    club = Club("nas")
    club.origins["nas"].read_bytes_max = 0
    with pytest.raises(ContentChanged):
        await club.read()
    assert club.stale == [("nas", "song")]


async def test_an_origin_that_hangs_leaves_time_for_the_next() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.append(1000.0)
    start = now()
    await club.read()
    assert now() - start == pytest.approx(2)
    assert club.federation.health_of()["nas"].failures == 1


async def test_everything_ends_within_the_deadline() -> None:
    club = Club("nas", "box", patience=Patience(deadline_s=12))
    for origin in club.origins.values():
        origin.outcomes.extend([1000.0] * 20)
    start = now()
    with pytest.raises(ContentUnavailable, match="no answer"):
        await club.read()
    assert now() - start == pytest.approx(12, abs=0.1)


async def test_an_origin_that_breaks_its_contract_does_not_break_the_rest() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.append(KeyError("ETag"))
    await club.read()
    assert "KeyError" in str(club.federation.health_of()["nas"].last_error)


async def test_the_healthy_come_first_whatever_their_priority() -> None:
    club = Club("nas", "box", remote=False)
    club.origins["nas"].down = True
    await club.read()
    await club.read()
    assert [len(club.reads(name)) for name in club.origins] == [1, 2]


async def test_who_asks_again_at_once_does_not_wait_as_long_again() -> None:
    club = Club("nas", patience=Patience(retries_s=(), deadline_s=12, again_s=2))
    club.origins["nas"].outcomes.extend([1000.0] * 3)
    waited = []
    for pause_s in (0, 0, RECENT_S + 1):
        await asyncio.sleep(pause_s)
        start = now()
        with pytest.raises(ContentUnavailable):
            await club.read()
        waited.append(now() - start)
    assert waited == pytest.approx([12, 2, 12], abs=0.1)


async def test_a_pause_that_would_end_after_the_deadline_is_not_begun() -> None:
    club = Club("nas", patience=Patience(deadline_s=0.3))
    club.origins["nas"].down = True
    start = now()
    with pytest.raises(ContentUnavailable):
        await club.read()
    assert now() - start < 0.3
    assert len(club.reads("nas")) == 2


async def test_no_origin_is_blamed_for_a_catalogue_that_took_all_the_time() -> None:
    club = Club("nas")
    club.places.seconds = 100.0
    with pytest.raises(ContentUnavailable, match="none had time"):
        await club.read()
    assert club.reads("nas") == []
    assert club.federation.health_of()["nas"].errors == 0
