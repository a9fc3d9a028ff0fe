"""How long a library is away after its server was killed."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from tests.lab.bulk import write_albums
from tests.lab.mounting import Mount, write_config
from tests.lab.samples import shared_samples

TRACKS = 2000
START_S_MAX = 3.0
"""Where nothing else runs it takes less than one, most of it for loading the program."""


def test_a_killed_library_is_soon_back(tmp_path: Path) -> None:
    folder = tmp_path / "music"
    write_albums(shared_samples()["plain.flac"], folder, TRACKS)
    origin = {"id": "nas", "kind": "local", "path": str(folder), "cache": "on", "watch": "off"}
    config = write_config(
        tmp_path / "musefs.yaml", {"state": str(tmp_path / "state"), "origins": [origin]}
    )
    with Mount([config], tmp_path / "mnt") as mount:
        assert mount.wait_indexed()["tracks"] == TRACKS
        mount.stop(signal.SIGKILL)
        began = time.monotonic()
        mount.start()
        took_s = time.monotonic() - began
        shown = mount.status()["tracks"]
        artist = next(path for path in mount.mountpoint.iterdir() if path.name != ".musefs")
        assert len(next(path for path in artist.rglob("*.flac")).read_bytes()) > 0
    print(f"{TRACKS} tracks are back {took_s:.2f} s after a kill")
    assert shown == TRACKS
    assert took_s < START_S_MAX
