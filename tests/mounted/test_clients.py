"""The programs that people point at the mount find every track in it: mpd, beets, ffprobe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.mounting import Mount, write_config
from tests.lab.players import (
    UNKNOWN_TO_BEETS,
    has_audio_for_ffprobe,
    imported_by_beets,
    indexed_by_mpd,
)
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins

SIDECARS = {".jpg", ".cue", ".m3u8", ".lrc"}


@pytest.fixture(scope="module")
def mount(library: ThreeOrigins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    folder = tmp_path_factory.mktemp("clients")
    config = write_config(folder / "musefs.yaml", library.config(folder / "state"))
    with Mount([config], folder / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        yield mount


@pytest.fixture(scope="module")
def tracks(mount: Mount) -> list[Path]:
    return tracks_of(mount)


def tracks_of(mount: Mount) -> list[Path]:
    return [path for path in mount.files() if path.suffix not in SIDECARS]


def below(mount: Mount, paths: list[Path]) -> list[str]:
    return sorted(str(path.relative_to(mount.mountpoint)) for path in paths)


def test_mpd_indexes_every_track(mount: Mount, tracks: list[Path], tmp_path: Path) -> None:
    songs = indexed_by_mpd(mount.mountpoint, tmp_path)
    assert sorted(songs) == below(mount, tracks)
    assert all(songs.values())


def test_beets_imports_every_track_that_it_can_read(
    mount: Mount, tracks: list[Path], tmp_path: Path
) -> None:
    listed = imported_by_beets(mount.mountpoint, tmp_path)
    assert sorted(listed) == sorted(
        str(path) for path in tracks if path.suffix not in UNKNOWN_TO_BEETS
    )


def test_ffprobe_reads_every_track(tracks: list[Path]) -> None:
    assert [path for path in tracks if not has_audio_for_ffprobe(path)] == []


def test_scans_go_on_with_every_server_away(library: ThreeOrigins, tmp_path: Path) -> None:
    """beets at once; mpd and ffprobe, which read audio too, from the second scan on."""
    config = write_config(tmp_path / "musefs.yaml", library.far_config(tmp_path / "state"))
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        tracks = tracks_of(mount)
        library.s3.reset()
        before = imported_by_beets(mount.mountpoint, tmp_path / "beets 1")
        assert library.s3.stats()["body_bytes"] == 0
        songs = indexed_by_mpd(mount.mountpoint, tmp_path / "mpd 1")
        assert sorted(songs) == below(mount, tracks)
        assert all(map(has_audio_for_ffprobe, tracks))
        mount.stop()
        library.sshd.stop()
        library.s3.pause()
        try:
            mount.start()
            assert imported_by_beets(mount.mountpoint, tmp_path / "beets 2") == before
            assert indexed_by_mpd(mount.mountpoint, tmp_path / "mpd 2") == songs
            assert [path for path in tracks if not has_audio_for_ffprobe(path)] == []
        finally:
            library.s3.resume()
            library.sshd.start()
