"""A catalogue with an empty tree for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.catalog.records import opened
from tests.library.trees import Grove


@pytest.fixture
async def grove(tmp_path: Path) -> AsyncIterator[Grove]:
    async with opened(tmp_path / "catalogue.db") as database:
        yield Grove(database)
