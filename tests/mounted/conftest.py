"""Servers and a library that the mounted tests share, and a place for mounts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.samples import shared_samples
from tests.lab.three_origins import ThreeOrigins, three_origins

TRACKS = 60


@pytest.fixture(scope="session")
def samples() -> Path:
    """One small file of every format."""
    return next(iter(shared_samples().values())).parent


@pytest.fixture(scope="package")
def library(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeOrigins]:
    """A library at three origins, which no test changes."""
    with three_origins(samples, tmp_path_factory.mktemp("library"), TRACKS) as made:
        yield made
