"""How long a scan waits for a file that nobody has opened, with every origin away."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from mutagen.flac import FLAC

from tests.lab.mounting import Mount, musefs, write_config
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins

FIRST_BYTES = 16 << 10
"""The header and the first frames."""

MEDIAN_S_MAX = 0.005


def test_header_and_first_audio_come_from_the_disk(library: ThreeOrigins, tmp_path: Path) -> None:
    config = write_config(tmp_path / "musefs.yaml", library.far_config(tmp_path / "state"))
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        done = musefs("tags", "set", mount.mountpoint, "genre=Re-tagged")
        assert done.returncode == 0, done.stderr
        mount.stop()
        library.sshd.stop()
        library.s3.pause()
        try:
            mount.start()
            files = [path for path in mount.files() if path.suffix in (".flac", ".mp3", ".ogg")]
            taken_s = [_first_read_s(path) for path in files]
            print(f"{len(files)} files: median {statistics.median(taken_s) * 1e3:.2f} ms")
            assert statistics.median(taken_s) <= MEDIAN_S_MAX
            flac = next(path for path in files if path.suffix == ".flac")
            assert FLAC(flac)["genre"] == ["Re-tagged"]
        finally:
            library.s3.resume()
            library.sshd.start()


def _first_read_s(path: Path) -> float:
    began_s = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        assert file.read(FIRST_BYTES)
    return time.perf_counter() - began_s
