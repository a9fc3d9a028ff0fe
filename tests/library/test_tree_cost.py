"""What it costs to place tracks, in statements: a number that no machine's speed changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from musefs.catalog.database import Transaction
from musefs.catalog.nodes import ROOT
from tests.library.trees import Grove, song


async def test_new_folders_cost_no_statements_of_their_own(
    grove: Grove, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def counted(kind: str, of_all: Iterable[tuple[str, ...]]) -> int:
        songs = [song(f"{kind}/{n:03}/x.flac", *names) for n, names in enumerate(of_all)]
        await grove.record("nas", *songs)
        asked.clear()
        await grove.refresh()
        return len(asked)

    for name in ("rows", "run", "run_many"):
        asking = getattr(Transaction, name)

        def noted(tx: Transaction, sql: str, *rest: Any, asking: Any = asking) -> Any:
            asked.append(sql)
            return asking(tx, sql, *rest)

        monkeypatch.setattr(Transaction, name, noted)
    few = await counted("few", ((f"few {n % 2}", f"t{n}") for n in range(100)))
    many = await counted("many", ((f"many {n}", "t") for n in range(100)))
    assert many <= few
    assert (await grove.entries())[ROOT].node.subfolders == 102
