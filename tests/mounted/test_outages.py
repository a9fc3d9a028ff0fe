"""Origins that are away: the tree stays, what is near plays, the rest is an I/O error in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.lab.mounting import Mount, write_config
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins

QUICK = {"timeout": "1 s", "connect_timeout": "1 s"}


def test_a_mount_starts_with_its_origins_away(library: ThreeOrigins, tmp_path: Path) -> None:
    sections = library.config(tmp_path / "state")
    for origin in sections["origins"]:
        origin.update(QUICK)
    config = write_config(tmp_path / "musefs.yaml", sections)
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        tree = {path: path.stat() for path in mount.files()}
        far = [
            path
            for path in tree
            if os.getxattr(path, "user.musefs.origin") != b"nas" and path.suffix == ".flac"
        ]
        kept = far[0].read_bytes()
        time.sleep(1.5)  # the chunk store writes behind its readers
        assert mount.stop() == 0
        library.sshd.stop()
        library.s3.pause()
        try:
            began = time.monotonic()
            mount.start()
            assert time.monotonic() - began < 5
            assert {path: path.stat() for path in mount.files()} == tree
            assert far[0].read_bytes() == kept
            began = time.monotonic()
            with pytest.raises(OSError, match="Input/output error"):
                far[-1].read_bytes()
            assert time.monotonic() - began < 35
            assert len(mount.files()) == len(tree)
        finally:
            library.s3.resume()
            library.sshd.start()


def test_a_replica_serves_when_the_first_origin_fails(
    library: ThreeOrigins, tmp_path: Path
) -> None:
    album = next(path for path in library.local.rglob("*") if path.suffix == ".flac").parent
    for file in album.iterdir():
        library.s3.put(f"twins/{file.name}", file.read_bytes())
    local = tmp_path / "local"
    local.mkdir()
    for file in album.iterdir():
        (local / file.name).write_bytes(file.read_bytes())
    config = write_config(
        tmp_path / "musefs.yaml",
        {
            "state": str(tmp_path / "state"),
            "origins": [
                {"id": "near", "kind": "local", "path": str(local), "priority": 1},
                {**library.s3_origin(), "prefix": "twins/"},
            ],
        },
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        served = mount.files()
        assert len(served) == len(list(album.iterdir()))
        assert os.getxattr(served[0], "user.musefs.origin") == b"near,bucket"
        truth = {path.read_bytes() for path in album.iterdir()}
        local.rename(tmp_path / "away")
        assert {path.read_bytes() for path in served} == truth
        assert mount.files() == served
    for file in album.iterdir():
        library.s3.delete(f"twins/{file.name}")


def test_a_lost_sftp_connection_is_not_noticed(library: ThreeOrigins, tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "musefs.yaml",
        {"state": str(tmp_path / "state"), "origins": [library.sftp_origin()]},
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        for path in mount.files():
            library.sshd.kill_connections()
            assert path.read_bytes() in {
                original.read_bytes() for original in library.originals.values()
            }
