"""Scans of tags and art with real tools: nothing comes from the origins, which may all be away."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.flac import FLAC

from tests.indexing.music import flac_with_art
from tests.lab.mounting import Mount, write_config
from tests.lab.s3server import S3Server
from tests.lab.sshd import Sshd
from tests.lab.three_origins import ENVIRONMENT, PREFIX, ThreeOrigins

COVER = b"\xff\xd8\xff\xe0" + random.Random(3).randbytes(1_000_000)
AUDIO_BYTES = 3_000_000
TRACKS = 12
SMALL_ART_BYTES = 5_500
"""With the other blocks as much in front of the audio as taggers leave, 8 KiB of it padding."""
NOT_EXIFTOOLS = (".wv", ".mpc", ".tta", ".dsf", ".dff", ".wma", ".aac")
"""exiftool does not read these formats, or looks for other ones far into them."""

SCAN = """
import sys, mutagen
for path in sys.argv[1:]:
    file = mutagen.File(path)
    print(path, len(str(file.tags)), *[len(p.data) for p in getattr(file, "pictures", [])])
"""


@pytest.fixture(scope="module")
def away(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeOrigins]:
    """An album at each server, and one file of every format."""
    folder = tmp_path_factory.mktemp("away")
    with Sshd() as sshd, S3Server() as s3:
        for number in range(TRACKS):
            s3.put(f"{PREFIX}s3/{number}.flac", track(f"s3 {number}"))
            sftp = sshd.files / "sftp" / f"{number}.flac"
            sftp.parent.mkdir(exist_ok=True)
            sftp.write_bytes(track(f"sftp {number}"))
        for path in samples.iterdir():
            if path.is_file() and path.suffix not in (".jpg", "") and path.name != "base.wav":
                s3.put(f"{PREFIX}formats/{path.name}", path.read_bytes())
        yield ThreeOrigins(folder, sshd, s3, {})


def track(title: str) -> bytes:
    return flac_with_art(title, COVER, AUDIO_BYTES)


@pytest.fixture
def mounted(away: ThreeOrigins, tmp_path: Path) -> Iterator[Mount]:
    config = write_config(
        tmp_path / "musefs.yaml",
        {
            "state": str(tmp_path / "state"),
            "origins": [away.sftp_origin(), away.s3_origin()],
            "tree": {"template": "$origin/$path/$filename"},
            "control": {"metrics": None},
        },
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        yield mount


def scan(paths: list[Path]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", SCAN, *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def test_an_album_was_fetched_with_one_cover(away: ThreeOrigins, tmp_path: Path) -> None:
    away.s3.reset()
    origin = {**away.s3_origin(), "prefix": f"{PREFIX}s3/"}
    config = write_config(
        tmp_path / "musefs.yaml", {"state": str(tmp_path / "state"), "origins": [origin]}
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        cost = away.s3.stats()["body_bytes"]
        chunks = [path for path in (tmp_path / "state/chunks").rglob("*") if path.is_file()]
        stored = sum(path.stat().st_size for path in chunks)
    listing = 8000
    assert cost <= len(COVER) + TRACKS * (64 + 8 + 68) * 1024 + listing
    assert stored <= len(COVER) + TRACKS * (64 + 8) * 1024


def test_a_scan_costs_the_origins_nothing(away: ThreeOrigins, mounted: Mount) -> None:
    album = [path for path in mounted.files() if path.suffix == ".flac"]
    away.s3.reset()
    assert scan(album).count(str(len(COVER))) == 2 * TRACKS
    for path in album:
        kid3 = subprocess.run(
            ["kid3-cli", "-c", "get title", path], capture_output=True, check=True
        )
        assert kid3.stdout.strip()
    subprocess.run(["exiftool", "-q", "-json", *album], capture_output=True, check=True)
    assert away.s3.stats()["body_bytes"] == 0


def test_tags_and_art_are_read_with_all_origins_away(away: ThreeOrigins, mounted: Mount) -> None:
    files = [path for path in mounted.files() if path.suffix != ".jpg"]
    away.sshd.stop()
    away.s3.pause()
    try:
        begin = time.monotonic()
        album = [path for path in files if "flac" in path.suffix and path.stat().st_size > 1 << 20]
        for path in album:
            file = FLAC(path)
            assert file.pictures[0].data == COVER
            assert file["title"][0].startswith(("s3", "sftp"))
        small = [path for path in files if path not in album]
        scan([path for path in small if path.name != "rf64.wav"])
        for path in [*album, *small]:
            subprocess.run(["kid3-cli", "-c", "get", path], capture_output=True, check=True)
        known = [p for p in [*album, *small] if p.suffix not in NOT_EXIFTOOLS]
        found = subprocess.run(["exiftool", "-q", "-json", *known], capture_output=True, check=True)
        titles = [entry.get("Title") for entry in json.loads(found.stdout)]
        assert sum(str(title).startswith(("s3", "sftp")) for title in titles) == 2 * TRACKS
        assert time.monotonic() - begin < 60
    finally:
        away.s3.resume()
        away.sshd.start()


def test_the_first_64_kib_of_a_remote_file_cost_its_origin_nothing(
    away: ThreeOrigins, tmp_path: Path
) -> None:
    away.s3.put(
        f"{PREFIX}plain/tracks/1.flac", flac_with_art("plain", bytes(SMALL_ART_BYTES), AUDIO_BYTES)
    )
    origin = {**away.s3_origin(), "prefix": f"{PREFIX}plain/"}
    config = write_config(
        tmp_path / "musefs.yaml",
        {"state": str(tmp_path / "state"), "origins": [origin], "control": {"metrics": None}},
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        [path] = mount.files()
        before = away.s3.stats()["body_bytes"]
        with path.open("rb", buffering=0) as file:
            assert len(file.read(64 << 10)) == 64 << 10
        time.sleep(0.2)
        assert away.s3.stats()["body_bytes"] == before
