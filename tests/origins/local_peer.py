"""A folder as an origin, and scripts that look at one from another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from origins import Limits, LocalSpec, Origin, open_origin


class LocalPeer:
    """A folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def put(self, path: str, data: bytes) -> None:
        """Write a file as a tagger does: beside the old one, then in its place."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_name(".new")
        new.write_bytes(data)
        new.rename(file)

    def delete(self, path: str) -> None:
        """Delete a file."""
        (self.folder / path).unlink()

    def open(self, limits: Limits) -> Origin:
        """As an origin that polls."""
        return open_origin(LocalSpec("nas", self.folder, "poll", limits))


def run_script(name: str, folder: str, prefix: Sequence[str] = ()) -> str:
    """What a script beside this file prints."""
    command = [*prefix, sys.executable, "-m", f"tests.origins.{name}", folder]
    project = Path(__file__).parents[2]
    return subprocess.check_output(command, cwd=project, text=True, timeout=30)
