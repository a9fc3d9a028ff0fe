"""Programs that people point at a library, run over a folder: mpd, beets, ffprobe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.lab.processes import free_port, stop

UNKNOWN_TO_BEETS = frozenset({".tta", ".dsf", ".dff"})
ANSWER_S = 20.0
COMMAND_S = 120.0

# mpd hides songs that a cue sheet or playlist names: without the plugins it shows them all.
_MPD_CONFIG = """
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


def indexed_by_mpd(music: Path, folder: Path) -> dict[str, str]:
    """The titles that a new mpd finds, by paths below the music folder."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "mpd.conf"
    config.write_text(_MPD_CONFIG.format(music=music, folder=folder, port=port))
    mpd = subprocess.Popen(["mpd", "--no-daemon", str(config)], stdin=subprocess.DEVNULL)
    try:
        _mpc(port, "update", "--wait")
        lines = _mpc(port, "-f", "%file%\t%title%", "listall").splitlines()
        return dict(line.split("\t", 1) for line in lines)
    finally:
        stop(mpd)


def imported_by_beets(music: Path, folder: Path) -> dict[str, str]:
    """The titles that a new library of beets finds, by paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(
        f"directory: {music}\nlibrary: {folder}/library.db\n"
        "import: {copy: no, move: no, write: no, autotag: no, resume: no}\n"
    )
    beet = [sys.executable, "-m", "beets"]
    environment = {**os.environ, "BEETSDIR": str(folder)}
    for command in (["import", "-A", "-q", str(music)], ["ls", "-f", "$path\t$title"]):
        done = subprocess.run(
            [*beet, *command],
            env=environment,
            check=True,
            timeout=COMMAND_S,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
    return dict(line.split("\t", 1) for line in done.stdout.splitlines())


def has_audio_for_ffprobe(path: Path) -> bool:
    """Whether ffprobe finds an audio stream. Raises CalledProcessError when it fails."""
    told = subprocess.run(
        ["ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", str(path)],
        capture_output=True,
        check=True,
        timeout=30,
    )
    return any(s["codec_type"] == "audio" for s in json.loads(told.stdout)["streams"])


def _mpc(port: int, *command: str) -> str:
    until_s = time.monotonic() + ANSWER_S
    while True:
        done = subprocess.run(
            ["mpc", "-h", "127.0.0.1", "-p", str(port), *command],
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        if time.monotonic() > until_s:
            raise TimeoutError(done.stderr)
        time.sleep(0.1)
