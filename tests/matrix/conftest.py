"""The bench is set up once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.matrix.bench import Bench, prepare


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """All cases of the originals that the selected tests name."""
    items = (item for item in request.session.items if Path(__file__).parent in item.path.parents)
    calls = (item.callspec for item in items if hasattr(item, "callspec"))
    names = sorted({call.params["name"] for call in calls if "name" in call.params})
    with tempfile.TemporaryDirectory(prefix="musefs-matrix-") as folder:
        yield prepare(Path(folder), names)
