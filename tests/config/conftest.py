"""Writes a musefs.yaml, and tells why one is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from musefs.config import load
from musefs.errors import ConfigError

MINIMAL = "origins: [{id: nas, kind: local, path: /srv/music}]\n"
REMOTE = """\
origins:
  - {id: nas, kind: local, path: music, cache: on, watch: off}
  - id: my-box
    kind: sftp
    host: box.example.com
    path: /music
    user: me
    key: ~/.ssh/id_ed25519
  - {id: bucket, kind: s3, bucket: my-music, cache: off, bandwidth: 20 MiB/s, timeout: 1 min}
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    path = tmp_path / "musefs.yaml"

    def write(text: str) -> Path:
        path.write_text(text)
        return path

    return write


def refusal(path: Path, environment: dict[str, str] | None = None) -> str:
    """The one line that tells why a file is refused, from its line number on."""
    with pytest.raises(ConfigError) as caught:
        load(path, environment or {})
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(str(path)).removeprefix(":")
