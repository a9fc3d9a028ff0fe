"""The origin in memory keeps the contract, so that other tests may rely on it."""

from __future__ import annotations

import pytest

from origins import Limits, Origin
from origins.base import WHOLE_ORIGIN
from origins.errors import OriginUnavailable
from origins.limited import Limited
from tests.fakes.origin import FakeOrigin, Troubled, delaying, failing, hanging, no_trouble
from tests.origins.contract import OriginContract, Peer, listed


class _FakePeer(FakeOrigin):
    def put(self, path: str, data: bytes) -> None:  # type: ignore[override]
        super().put(path, data)

    def open(self, limits: Limits) -> Origin:
        return Limited(self, limits)


class TestFakeOrigin(OriginContract):
    @pytest.fixture
    def peer(self) -> Peer:
        return _FakePeer()

    async def test_polling_tells_that_it_began_and_then_ticks(self, peer: Peer) -> None:
        # There is nothing to poll: the test below is about what it tells.
        await test_watchers_are_told_what_is_put()


async def test_a_rule_makes_trouble_where_it_says() -> None:
    origin = Troubled(FakeOrigin("x", {"f": b"bytes"}), failing(OriginUnavailable("no"), "stat"))
    with pytest.raises(OriginUnavailable):
        await origin.stat("f")
    assert set(await listed(origin)) == {"f"}
    origin.rule = no_trouble
    assert (await origin.stat("f")).size == 5


async def test_a_hang_ends_at_the_deadline() -> None:
    fake = FakeOrigin("x", {"f": b"bytes"})
    limited = Limited(Troubled(fake, hanging("check", "list item")), Limits(timeout_s=0.05))
    with pytest.raises(OriginUnavailable, match=r"x: no answer within 0.05 s"):
        await limited.check()
    with pytest.raises(OriginUnavailable, match="no answer"):
        await listed(limited)


async def test_a_delay_only_delays() -> None:
    origin = Troubled(FakeOrigin("x", {"f": b"bytes"}), delaying(0.01))
    assert set(await listed(origin)) == {"f"}


async def test_watchers_are_told_what_is_put() -> None:
    fake = FakeOrigin()
    batches = fake.watch()
    assert await anext(batches) == frozenset()
    fake.put("a", b"1")
    fake.tell_everything()
    assert await anext(batches) == {"a"}
    assert await anext(batches) == {WHOLE_ORIGIN}
    await batches.aclose()
