"""One pair of servers for all tests of faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.bench import Bench, open_bench


@pytest.fixture(scope="package")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Servers with eight tracks each, behind proxies that forward everything."""
    with open_bench(tmp_path_factory.mktemp("bench")) as made:
        yield made
