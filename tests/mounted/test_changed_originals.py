"""Files that change at a server, through the mount: what that costs, and that it is noticed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.indexing.listening import noise, overwritten
from tests.indexing.music import flac_of
from tests.lab.mounting import Mount, musefs, write_config
from tests.lab.s3server import S3Server
from tests.lab.sshd import Sshd
from tests.lab.three_origins import ENVIRONMENT, PREFIX

AUDIO_BYTES = 30_000_000
RETAG_BYTES_MAX = 300_000
PLAYED_BYTES_MAX = 100_000
"""What a player reads of the new header, and no audio."""


@pytest.fixture(scope="module")
def audio() -> bytes:
    return noise(1, AUDIO_BYTES)


@pytest.fixture
def bucket() -> Iterator[S3Server]:
    with S3Server() as s3:
        yield s3


def test_new_tags_of_a_large_file_cost_little_and_its_audio_stays(
    bucket: S3Server, audio: bytes, tmp_path: Path
) -> None:
    bucket.put(PREFIX + "song.flac", flac_of("one", b"", audio))
    origin = {
        "id": "bucket",
        "kind": "s3",
        "bucket": bucket.bucket,
        "prefix": PREFIX,
        "endpoint": bucket.endpoint,
        "region": "us-east-1",
        "access_key": {"env": "LAB_ACCESS_KEY"},
        "secret_key": {"env": "LAB_SECRET_KEY"},
    }
    config = write_config(tmp_path / "musefs.yaml", settings(tmp_path, origin))
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        song = mount.mountpoint / "song.flac"
        assert song.read_bytes() == flac_of("one", b"", audio)
        assert mount.stop() == 0  # what was read is on the disk then
        mount.start()
        mount.wait_indexed()
        retagged = flac_of("another one", b"", audio)
        inode = song.stat().st_ino
        bucket.put(PREFIX + "song.flac", retagged)
        bucket.reset()
        assert musefs("rescan", "--mountpoint", mount.mountpoint).returncode == 0
        cost_bytes = bucket.stats()["body_bytes"]
        print(f"new tags of {len(retagged)} bytes cost {cost_bytes} bytes")
        assert cost_bytes < RETAG_BYTES_MAX
        mount.wait_indexed()
        assert song.read_bytes() == retagged
        assert bucket.stats()["body_bytes"] < cost_bytes + PLAYED_BYTES_MAX
        assert song.stat().st_ino == inode


def test_other_audio_of_the_same_size_and_date_is_noticed(audio: bytes, tmp_path: Path) -> None:
    first = flac_of("one", b"", audio[:2_000_000])
    other = overwritten(first, 900_000, noise(2, 300_000))
    with Sshd() as server:
        original = server.files / "song.flac"
        original.write_bytes(first)
        times = original.stat()
        spec = server.spec()
        origin = {
            "id": "box",
            "kind": "sftp",
            "host": spec.host,
            "port": spec.port,
            "user": spec.user,
            "path": spec.path,
            "key": str(spec.key),
            "known_hosts": str(spec.known_hosts),
        }
        config = write_config(tmp_path / "musefs.yaml", settings(tmp_path, origin))
        with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
            mount.wait_indexed()
            song = mount.mountpoint / "song.flac"
            assert song.read_bytes() == first
            inode = song.stat().st_ino
            original.write_bytes(other)
            os.utime(original, ns=(times.st_atime_ns, times.st_mtime_ns))
            assert musefs("rescan", "--mountpoint", mount.mountpoint).returncode == 0
            assert song.read_bytes() == first
            done = musefs("cache", "verify", "--originals", "--mountpoint", mount.mountpoint)
            assert done.returncode == 0, done.stderr
            assert "1 originals compared, 1 with other bytes than before" in done.stdout
            mount.wait_indexed()
            assert song.read_bytes() == other
            assert song.stat().st_ino == inode


def settings(folder: Path, origin: Mapping[str, object]) -> dict[str, object]:
    return {
        "state": str(folder / "state"),
        "origins": [origin],
        "tree": {"template": "$filename"},
        "control": {"metrics": None},
    }
