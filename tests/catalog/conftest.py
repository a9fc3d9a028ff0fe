"""A catalogue of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from musefs.catalog.database import Database
from tests.catalog.records import opened


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with opened(tmp_path / "catalogue.db") as database:
        yield database
