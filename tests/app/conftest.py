"""All parts of a musefs over two folders, without a mount."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from musefs.app.parts import Parts, assembled
from musefs.config import Config, load
from tests.indexing.music import flac


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Two origins: three tracks in one of them, one of these in the other as well."""
    found = {name: tmp_path / name for name in ("nas", "box")}
    for folder in found.values():
        folder.mkdir()
        (folder / "both.flac").write_bytes(flac("both"))
    for title in ("one", "two"):
        (found["nas"] / f"{title}.flac").write_bytes(flac(title))
    return found


@pytest.fixture
def config(tmp_path: Path, folders: dict[str, Path]) -> Config:
    """A configuration with both."""
    origins = [
        {"id": name, "kind": "local", "path": str(path), "watch": "off", "priority": number}
        for number, (name, path) in enumerate(folders.items())
    ]
    path = tmp_path / "musefs.yaml"
    path.write_text(yaml.safe_dump({"state": str(tmp_path / "state"), "origins": origins}))
    return load(path, {})


@pytest.fixture
async def parts(config: Config) -> AsyncIterator[Parts]:
    """Everything, open and at rest."""
    async with assembled(config, "test") as parts:
        yield parts
