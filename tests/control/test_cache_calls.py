"""The caches over the socket: what arrives, and what is refused."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import pytest

from musefs.control.client import Client
from musefs.control.v1 import musefs_pb2
from musefs.errors import BackupFailed, StateBroken, UnknownTier
from musefs.status import BackedUp, CacheStats, Cleared, VerifyProgress
from tests.control.service import CACHE_STATS, SmallService

pytestmark = pytest.mark.usefixtures("server")


async def test_counts_arrive_as_they_were_sent(socket: Path) -> None:
    async with Client(socket) as client:
        assert await client.cache_stats() == CACHE_STATS


async def test_clearing_passes_what_it_was_given(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        assert await client.clear_cache("chunks", dry_run=True) == Cleared(1 << 20, 3 << 30)
        assert await client.clear_cache("all", dry_run=False) == Cleared(1 << 20, 3 << 30)
        with pytest.raises(UnknownTier, match="choose one of"):
            await client.clear_cache("odd", dry_run=False)
    assert service.caching.asked[:2] == [("clear", "chunks", True), ("clear", "all", False)]


async def test_progress_arrives_to_its_end(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        told = [progress async for progress in client.verify_cache()]
        assert told == service.caching.progresses
        assert isinstance(told[0], VerifyProgress)


async def test_who_stops_listening_ends_the_call(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client, aclosing(client.verify_cache()) as progresses:  # type: ignore[type-var]
        async for _ in progresses:
            break
    await service.caching.verify_ended.wait()


async def test_a_failure_while_verifying_is_told(socket: Path, service: SmallService) -> None:
    service.caching.progresses = []
    async with Client(socket) as client:
        with pytest.raises(StateBroken, match="plug it in"):
            [_ async for _ in client.verify_cache()]


async def test_backups_pass_their_path(socket: Path, service: SmallService) -> None:
    async with Client(socket) as client:
        assert await client.back_up("/a/ü.db") == BackedUp("/a/ü.db", 4096)
        assert (await client.back_up(None)).path == "/state/backups/catalogue.db"
        with pytest.raises(BackupFailed, match="name another file"):
            await client.back_up("/taken")
        with pytest.raises(BackupFailed, match="not valid UTF-8"):
            await client.back_up("/caf\udce9")
    assert service.caching.asked == [("back_up", p) for p in ("/a/ü.db", None, "/taken")]


def test_every_field_of_a_value_has_its_field_in_the_message() -> None:
    for value, message in (
        (CacheStats, musefs_pb2.CacheStats),
        (Cleared, musefs_pb2.ClearCacheResponse),
        (VerifyProgress, musefs_pb2.VerifyProgress),
        (BackedUp, musefs_pb2.BackUpResponse),
    ):
        names = {field.name for field in message.DESCRIPTOR.fields}
        assert names == set(value.__dataclass_fields__)
