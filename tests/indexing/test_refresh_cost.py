"""What following a change costs, in statements and listings: numbers of no machine's speed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from musefs.catalog.database import Transaction
from musefs.indexing.following import CHANGED_PATHS_MAX, Follower
from musefs.indexing.scanning import FILES_PER_BATCH
from musefs.kit.beside import beside
from tests.catalog.records import opened
from tests.fakes.origin import FakeOrigin
from tests.indexing.music import Indexed, album, flac
from tests.library.trees import Grove, rules_of

CHANGED = "album/0007.flac"
BURST = 10_000


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement from now on."""
    statements: list[str] = []
    for name in ("rows", "run", "run_many"):
        asking = getattr(Transaction, name)

        def noted(tx: Transaction, sql: str, *rest: Any, asking: Any = asking) -> Any:
            statements.append(sql)
            return asking(tx, sql, *rest)

        monkeypatch.setattr(Transaction, name, noted)
    return statements


async def cost_of_one_change(
    folder: Path, files: int, asked: list[str], *paths: str
) -> tuple[int, int]:
    """Statements of the scan and of the refresh after one of so many files has changed."""
    async with opened(folder / f"{files}{len(paths)}.db") as database:
        indexed = Indexed(database, FakeOrigin("nas", album(files)), at_once_max=32)
        grove = Grove(database, rules_of("$title"))
        await indexed.scan()
        await grove.refresh()
        indexed.fake.put(CHANGED, flac("changed"))
        indexed.take_reads()
        asked.clear()
        await indexed.scan(*paths)
        scanned = len(asked)
        await grove.refresh()
        refreshed = len(asked) - scanned
        assert set(indexed.take_reads()) == {CHANGED}
        return scanned, refreshed


async def test_one_changed_file_costs_the_same_in_any_library(
    tmp_path: Path, asked: list[str]
) -> None:
    small = await cost_of_one_change(tmp_path, 20, asked, CHANGED)
    large = await cost_of_one_change(tmp_path, 2_000, asked, CHANGED)
    assert large[0] == small[0]
    # In a large folder a name is asked for by itself.
    assert large[1] <= small[1] + 1
    assert sum(large) < 60


async def test_a_listing_adds_one_look_up_for_each_batch_of_files(
    tmp_path: Path, asked: list[str]
) -> None:
    small = await cost_of_one_change(tmp_path, FILES_PER_BATCH, asked)
    large = await cost_of_one_change(tmp_path, 2_000, asked)
    assert large[0] - small[0] <= 2 * (2_000 // FILES_PER_BATCH - 1)
    assert large[1] <= small[1] + 1


async def test_a_burst_of_changes_is_one_scan(tmp_path: Path) -> None:
    assert BURST > CHANGED_PATHS_MAX
    async with opened(tmp_path / "catalogue.db") as database:
        indexed = Indexed(database, FakeOrigin("nas", album(10)))
        follower = Follower(indexed.origin, indexed.scanner, indexed.verifier)
        failures: list[BaseException] = []
        async with beside([follower.run()], failures.append):
            async with asyncio.timeout(10):
                while not follower.progress.done:  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.005)
                indexed.troubled.calls.clear()
                first = follower.progress
                for n in range(BURST):
                    indexed.fake.put(f"burst/{n}.txt", b"no music")
                indexed.fake.put("burst/last.flac", flac("last"))
                while follower.progress is first or not follower.progress.done:  # noqa: ASYNC110
                    await asyncio.sleep(0.005)
        assert failures == []
        assert indexed.troubled.calls.count("list") == 1
        assert indexed.troubled.calls.count("stat") == 0
        assert follower.progress.inspected == 1
        assert "burst/last.flac" in await indexed.paths()
