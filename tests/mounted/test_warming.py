"""Prefetching, pins and album read-ahead over a real bucket: what is near plays without it."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.indexing.music import flac_with_art
from tests.lab.mounting import Mount, musefs, write_config
from tests.lab.s3server import S3Server
from tests.lab.sshd import Sshd
from tests.lab.three_origins import ENVIRONMENT, PREFIX, ThreeOrigins

COVER = b"\xff\xd8\xff\xe0" + random.Random(5).randbytes(20_000)
AUDIO_BYTES = 2_500_000
TRACKS = 3
UNTIL_S = 30.0
BLUE = "bucket/Blue"
RED = "bucket/Red"


def track(album: str, number: int) -> bytes:
    return flac_with_art(f"{album} {number}", COVER, AUDIO_BYTES)


@pytest.fixture(scope="module")
def away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreeOrigins]:
    """Two albums in a bucket."""
    with Sshd() as sshd, S3Server() as s3:
        for album in ("Blue", "Red"):
            for number in range(TRACKS):
                s3.put(f"{PREFIX}{album}/{number}.flac", track(album, number))
        yield ThreeOrigins(tmp_path_factory.mktemp("away"), sshd, s3, {})


def mount(away: ThreeOrigins, folder: Path, **cache: str) -> Mount:
    config = write_config(
        folder / "musefs.yaml",
        {
            "state": str(folder / "state"),
            "origins": [{**away.s3_origin(), "timeout": "3 s", "connect_timeout": "2 s"}],
            "tree": {"template": "$origin/$path/$filename"},
            "cache": cache,
            "control": {"metrics": None},
        },
    )
    return Mount([config], folder / "mnt", environment=ENVIRONMENT)


def asked(mounted: Mount, *words: str) -> Any:
    done = musefs(*words, "--json", "--mountpoint", mounted.mountpoint)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def read(mounted: Mount, folder: str) -> dict[int, bytes]:
    return {n: (mounted.mountpoint / folder / f"{n}.flac").read_bytes() for n in range(TRACKS)}


def album(name: str) -> dict[int, bytes]:
    return {number: track(name, number) for number in range(TRACKS)}


def cached_percent(mounted: Mount, path: str) -> int:
    return int(os.getxattr(mounted.mountpoint / path, "user.musefs.cached"))


def until(reached: Callable[[], bool]) -> None:
    until_s = time.monotonic() + UNTIL_S
    while not reached():
        assert time.monotonic() < until_s
        time.sleep(0.1)


def test_a_prefetched_album_plays_with_the_origin_away(away: ThreeOrigins, tmp_path: Path) -> None:
    with mount(away, tmp_path) as mounted:
        mounted.wait_indexed()
        whole = sum(map(len, album("Blue").values()))
        told = asked(mounted, "prefetch", "title:blue")
        assert (told["tracks"], told["tracks_done"], told["failed_tracks"]) == (TRACKS, TRACKS, 0)
        assert told["bytes"] == told["bytes_done"] == whole
        assert TRACKS * AUDIO_BYTES * 0.9 < told["bytes_fetched"] < whole
        assert cached_percent(mounted, f"{RED}/1.flac") < 50
        again = musefs("prefetch", mounted.mountpoint / BLUE, "--json")
        assert json.loads(again.stdout)["bytes_fetched"] == 0
        away.s3.pause()
        try:
            assert read(mounted, BLUE) == album("Blue")
        finally:
            away.s3.resume()


def test_what_cannot_be_fetched_is_told_with_its_reason(away: ThreeOrigins, tmp_path: Path) -> None:
    with mount(away, tmp_path, disk="4 MiB") as mounted:
        mounted.wait_indexed()
        named = ("--json", "--mountpoint", mounted.mountpoint)
        done = musefs("prefetch", "/", *named)
        assert done.returncode == 2
        assert "raise cache.disk" in done.stderr
        assert json.loads(done.stdout)["failed_tracks"] > 0
        for words, text in (
            (["prefetch", "nothing", "like it"], "no track in the tree matches"),
            (["prefetch", "/bucket/Green"], "there is no such file or folder"),
            (["prefetch", "colour:blue"], "colour: there is no such field"),
            (["pin", 'title:"blue'], "is never closed"),
            (["unpin", "title:red"], "is not pinned"),
        ):
            done = musefs(*words, *named)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.count("\n") == 1
            assert text in done.stderr


def test_a_pinned_album_outlives_pressure_and_a_restart(away: ThreeOrigins, tmp_path: Path) -> None:
    mounted = mount(away, tmp_path, disk="3 MiB", pins="8 MiB", memory="1 MiB")
    with mounted:
        mounted.wait_indexed()
        pinned = asked(mounted, "pin", f"/{BLUE}/")
        assert (pinned["query"], pinned["tracks"]) == (f"/{BLUE}", TRACKS)
        assert not pinned["over_budget"]
        assert asked(mounted, "pin", "title:Red")["over_budget"]

        def is_here() -> bool:
            one = asked(mounted, "pins")["pins"][0]
            return bool(one["bytes_present"] == one["bytes"])

        until(is_here)
        assert read(mounted, RED) == album("Red")
        assert mounted.stop() == 0
        mounted.start()
        assert read(mounted, RED) == album("Red")
        assert is_here()
        away.s3.pause()
        try:
            assert read(mounted, BLUE) == album("Blue")
        finally:
            away.s3.resume()
        asked(mounted, "unpin", f"/{BLUE}")
        assert [one["query"] for one in asked(mounted, "pins")["pins"]] == ["title:Red"]

        def is_red_here() -> bool:
            [red] = asked(mounted, "pins")["pins"]
            return bool(red["bytes_present"] == red["bytes"] and not red["over_budget"])

        until(is_red_here)
        assert sum(cached_percent(mounted, f"{BLUE}/{n}.flac") for n in range(TRACKS)) < 150


def test_a_track_is_warmed_once_the_one_before_it_is_half_read(
    away: ThreeOrigins, tmp_path: Path
) -> None:
    with mount(away, tmp_path) as mounted:
        mounted.wait_indexed()
        before = cached_percent(mounted, f"{RED}/1.flac")
        with (mounted.mountpoint / RED / "1.flac").open("rb") as scanned:
            scanned.read(64_000)
        (mounted.mountpoint / RED / "0.flac").read_bytes()
        until(lambda: cached_percent(mounted, f"{RED}/1.flac") >= before + 30)
        assert cached_percent(mounted, f"{RED}/1.flac") < 70
        assert cached_percent(mounted, f"{RED}/2.flac") == before
