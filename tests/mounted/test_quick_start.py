"""The first commands of the README: folders and URLs without a configuration file."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.lab.mounting import Mount, musefs, write_config
from tests.lab.s3server import ACCESS_KEY, SECRET_KEY
from tests.lab.three_origins import PREFIX, ThreeOrigins, digest


@pytest.fixture
def home(library: ThreeOrigins, tmp_path: Path) -> dict[str, str]:
    """A user with the usual key files and AWS variables; the environment of its commands."""
    (tmp_path / ".ssh").mkdir(mode=0o700)
    shutil.copy(library.sshd.key, tmp_path / ".ssh/id_ed25519")
    shutil.copy(library.sshd.known_hosts, tmp_path / ".ssh/known_hosts")
    return {
        "HOME": str(tmp_path),
        "SSH_AUTH_SOCK": "",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def sources(library: ThreeOrigins) -> list[str]:
    return [
        str(library.local),
        f"sftp://root@127.0.0.1:{library.sshd.port}/music",
        f"s3://{library.s3.bucket}/{PREFIX.strip('/')}?endpoint={library.s3.endpoint}",
    ]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_one_source_is_mounted(
    library: ThreeOrigins, tmp_path: Path, home: dict[str, str], number: int
) -> None:
    with Mount([sources(library)[number]], tmp_path / "mnt", environment=home) as mount:
        mount.wait_indexed()
        files = mount.files()
        assert files
        assert {digest(path) for path in files} <= set(library.originals)


def test_several_sources_are_one_tree(
    library: ThreeOrigins, tmp_path: Path, home: dict[str, str]
) -> None:
    options = ["--template", "$genre/$artist - $title", "--mode", "structure-only"]
    with Mount(sources(library), tmp_path / "mnt", environment=home, options=options) as mount:
        mount.wait_indexed()
        assert {digest(path) for path in mount.files()} == set(library.originals)
        assert {path.name for path in mount.mountpoint.iterdir()} == {
            ".musefs",
            "Jazz",
            "Rock",
            "Classical",
        }
        order = mount.status()["origins"]
        assert [origin["kind"] for origin in order] == ["local", "sftp", "s3"]
        done = musefs("status", mount.mountpoint, environment=home)
        assert done.returncode == 0, done.stderr


def test_what_a_source_lacks_is_told_in_one_line(
    library: ThreeOrigins, tmp_path: Path, home: dict[str, str]
) -> None:
    (tmp_path / ".ssh/known_hosts").write_text("")
    (tmp_path / "mnt").mkdir()
    with Mount([sources(library)[1]], tmp_path / "mnt", environment=home) as mount:
        origin = mount.status()["origins"][0]
        while not origin["error"]:
            origin = mount.status()["origins"][0]
        assert "key is unknown" in origin["error"]
        assert "ssh-keyscan -p" in origin["error"]
        assert os.listdir(mount.mountpoint) == [".musefs"]


@pytest.mark.parametrize(("cache", "kib"), [("off", 1024), ("on", 64)])
def test_the_kernel_reads_farther_ahead_where_nothing_is_fetched_from_afar(
    samples: Path, tmp_path: Path, cache: str, kib: int
) -> None:
    config = write_config(
        tmp_path / "musefs.yaml",
        {
            "state": str(tmp_path / "state"),
            "origins": [{"id": "nas", "kind": "local", "path": str(samples), "cache": cache}],
        },
    )
    with Mount([config], tmp_path / "mnt") as mount:
        device = mount.mountpoint.stat().st_dev
        bdi = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb")
        until_s = time.monotonic() + 5
        while int(bdi.read_text()) != kib and time.monotonic() < until_s:
            time.sleep(0.02)
        assert int(bdi.read_text()) == kib
