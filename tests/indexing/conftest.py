"""An indexed origin of its own for every test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from musefs.indexing import scanning
from tests.catalog.records import opened
from tests.fakes.origin import FakeOrigin
from tests.indexing.music import Indexed, album


@pytest.fixture
async def indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Indexed]:
    """Ten tracks, not scanned yet; a batch is four files."""
    monkeypatch.setattr(scanning, "FILES_PER_BATCH", 4)
    async with opened(tmp_path / "catalogue.db") as database:
        yield Indexed(database, FakeOrigin("nas", album(10)))
