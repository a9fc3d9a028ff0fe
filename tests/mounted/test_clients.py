"""The programs that people point at the mount find every track in it: mpd, beets, ffprobe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mounting import Mount, write_config
from tests.lab.processes import free_port, stop
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins

SIDECARS = {".jpg", ".cue", ".m3u8", ".lrc"}
UNKNOWN_TO_BEETS = {".tta", ".dsf", ".dff"}
UNKNOWN_TO_FFMPEG: set[str] = set()

# mpd hides songs that a cue sheet or playlist names: without the plugins it shows them all.
MPD_CONFIG = """
music_directory "{music}"
db_file "{folder}/db"
log_file "{folder}/log"
pid_file "{folder}/pid"
bind_to_address "127.0.0.1"
port "{port}"
auto_update "no"
filesystem_charset "UTF-8"
audio_output {{
  type "null"
  name "null"
}}
playlist_plugin {{
  name "cue"
  enabled "false"
}}
playlist_plugin {{
  name "m3u"
  enabled "false"
}}
playlist_plugin {{
  name "extm3u"
  enabled "false"
}}
"""


@pytest.fixture(scope="module")
def mount(library: ThreeOrigins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    folder = tmp_path_factory.mktemp("clients")
    config = write_config(folder / "musefs.yaml", library.config(folder / "state"))
    with Mount([config], folder / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        yield mount


@pytest.fixture(scope="module")
def tracks(mount: Mount) -> list[Path]:
    return [path for path in mount.files() if path.suffix not in SIDECARS]


def test_mpd_indexes_every_track(mount: Mount, tracks: list[Path], tmp_path: Path) -> None:
    port = free_port()
    config = tmp_path / "mpd.conf"
    config.write_text(MPD_CONFIG.format(music=mount.mountpoint, folder=tmp_path, port=port))
    mpd = subprocess.Popen(["mpd", "--no-daemon", str(config)], stdin=subprocess.DEVNULL)
    try:
        _mpc(port, "update", "--wait")
        songs = _mpc(port, "listall").splitlines()
        assert sorted(songs) == sorted(str(p.relative_to(mount.mountpoint)) for p in tracks)
        titles = _mpc(port, "-f", "%title%", "listall").splitlines()
        assert all(titles)
    finally:
        stop(mpd)


def test_beets_imports_every_track_that_it_can_read(
    mount: Mount, tracks: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(
        f"directory: {mount.mountpoint}\nlibrary: {tmp_path}/library.db\n"
        "import: {copy: no, move: no, write: no, autotag: no, resume: no}\n"
    )
    beet = [sys.executable, "-m", "beets"]
    environment = {**os.environ, "BEETSDIR": str(tmp_path)}
    subprocess.run(
        [*beet, "import", "-A", "-q", str(mount.mountpoint)],
        env=environment,
        check=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    listed = subprocess.run(
        [*beet, "ls", "-f", "$path"],
        env=environment,
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    expected = [str(path) for path in tracks if path.suffix not in UNKNOWN_TO_BEETS]
    assert sorted(listed) == sorted(expected)


def test_ffprobe_reads_every_track(tracks: list[Path]) -> None:
    for path in tracks:
        told = subprocess.run(
            ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)],
            capture_output=True,
            check=True,
            timeout=30,
        )
        answer = json.loads(told.stdout)
        assert any(stream["codec_type"] == "audio" for stream in answer["streams"]), path


def _mpc(port: int, *command: str) -> str:
    until_s = time.monotonic() + 20
    while True:
        done = subprocess.run(
            ["mpc", "-h", "127.0.0.1", "-p", str(port), *command],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        if time.monotonic() > until_s:
            raise TimeoutError(done.stderr)
        time.sleep(0.1)
