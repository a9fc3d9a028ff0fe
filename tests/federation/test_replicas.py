"""The memory of where contents are: bounded, shared, and never older than a change."""

from __future__ import annotations

import asyncio

import pytest

from musefs.federation.replicas import Quiet, Replica, Replicas
from musefs.model import ContentId
from origins.base import Version
from tests.federation.peers import V1, Places

HERE = Replica("nas", "song", V1)


async def test_a_content_is_looked_up_once() -> None:
    places = Places([HERE])
    replicas = Replicas(places)
    first = await asyncio.gather(*(replicas.of(ContentId(1)) for _ in range(10)))
    assert {*first, await replicas.of(ContentId(1))} == {(HERE,)}
    assert places.queries == 1


async def test_a_forgotten_content_is_looked_up_again() -> None:
    places = Places([HERE])
    replicas = Replicas(places)
    await replicas.of(ContentId(1))
    there = Replica("box", "song", Version("2"))
    places.found = [there]
    assert await replicas.of(ContentId(1)) == (HERE,)
    replicas.forget(ContentId(1))
    assert await replicas.of(ContentId(1)) == (there,)


async def test_an_answer_from_before_a_change_is_not_remembered() -> None:
    places = Places([HERE])
    replicas = Replicas(places)
    asking = asyncio.create_task(replicas.of(ContentId(1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert places.queries == 1
    replicas.forget(ContentId(1))
    await asking
    await replicas.of(ContentId(1))
    assert places.queries == 2


async def test_the_memory_is_bounded_and_nothing_is_not_remembered() -> None:
    places = Places([HERE])
    replicas = Replicas(places, contents_max=2)
    for number in (1, 2, 1, 3, 1, 2):
        await replicas.of(ContentId(number))
    assert places.queries == 4
    places.found = []
    for _ in range(2):
        assert await replicas.of(ContentId(9)) == ()
    assert places.queries == 6


async def test_closing_ends_a_look_up() -> None:
    class Hanging:
        async def replicas(self, content_id: ContentId) -> list[Replica]:
            await asyncio.Event().wait()
            return []

    replicas = Replicas(Hanging())
    asking = asyncio.create_task(replicas.of(ContentId(1)))
    await asyncio.sleep(0.01)
    await replicas.aclose()
    with pytest.raises(asyncio.CancelledError):
        await asking


def test_news_of_a_replica_is_let_through_once_in_a_while() -> None:
    quiet = Quiet(quiet_s=30, replicas_max=2)
    others = [Replica("nas", name, V1) for name in "ab"]
    assert quiet.is_news(HERE, 0.0)
    assert not quiet.is_news(HERE, 29.0)
    assert quiet.is_news(HERE, 30.0)
    assert [quiet.is_news(other, 31.0) for other in others] == [True, True]
    assert quiet.is_news(HERE, 32.0)


async def test_everything_can_be_forgotten_at_once() -> None:
    places = Places([HERE])
    replicas = Replicas(places)
    for _ in range(2):
        for number in (1, 2):
            await replicas.of(ContentId(number))
        replicas.forget_all()
    assert places.queries == 4
