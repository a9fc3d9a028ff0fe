"""One library in three places: a folder, a real SFTP server and a real S3 server."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.corpus import make_library
from tests.lab.s3server import ACCESS_KEY, SECRET_KEY, S3Server
from tests.lab.sshd import Sshd

ENVIRONMENT = {"LAB_ACCESS_KEY": ACCESS_KEY, "LAB_SECRET_KEY": SECRET_KEY}
PREFIX = "library/"


@dataclass(frozen=True)
class ThreeOrigins:
    """The servers, and the folder whose thirds they serve."""

    local: Path
    sshd: Sshd
    s3: S3Server
    originals: dict[str, Path]
    """Every original by the SHA-256 of its bytes."""

    def config(self, state: Path, **sections: Any) -> dict[str, Any]:
        """A musefs.yaml that names the three."""
        return {
            "state": str(state),
            "origins": [self.local_origin(), self.sftp_origin(), self.s3_origin()],
            "control": {"metrics": None},
            **sections,
        }

    def far_config(self, state: Path) -> dict[str, Any]:
        """A musefs.yaml that names the two servers alone."""
        return self.config(state, origins=[self.sftp_origin(), self.s3_origin()])

    def local_origin(self) -> dict[str, Any]:
        """The folder."""
        return {"id": "nas", "kind": "local", "path": str(self.local), "priority": 10}

    def sftp_origin(self) -> dict[str, Any]:
        """The SFTP server."""
        return {
            "id": "box",
            "kind": "sftp",
            "host": "127.0.0.1",
            "port": self.sshd.port,
            "user": "root",
            "path": "/music",
            "key": str(self.sshd.key),
            "known_hosts": str(self.sshd.known_hosts),
            "priority": 50,
        }

    def s3_origin(self) -> dict[str, Any]:
        """The bucket."""
        return {
            "id": "bucket",
            "kind": "s3",
            "bucket": self.s3.bucket,
            "prefix": PREFIX,
            "endpoint": self.s3.endpoint,
            "region": "us-east-1",
            "access_key": {"env": "LAB_ACCESS_KEY"},
            "secret_key": {"env": "LAB_SECRET_KEY"},
            "priority": 100,
        }


@contextmanager
def three_origins(samples: Path, folder: Path, count: int) -> Iterator[ThreeOrigins]:
    """Serve a library of `count` tracks, an artist's albums here, the next one's there."""
    whole = folder / "whole"
    make_library(samples, whole, count)
    originals = {digest(path): path for path in sorted(whole.rglob("*")) if path.is_file()}
    with Sshd() as sshd, S3Server() as s3:
        local = folder / "local"
        artists = sorted(path for path in whole.iterdir() if path.is_dir())
        for number, artist in enumerate(artists):
            if number % 3 == 0:
                shutil.copytree(artist, local / artist.name)
            elif number % 3 == 1:
                shutil.copytree(artist, sshd.files / artist.name)
            else:
                for file in sorted(path for path in artist.rglob("*") if path.is_file()):
                    s3.put(PREFIX + str(file.relative_to(whole)), file.read_bytes())
        yield ThreeOrigins(local, sshd, s3, originals)


def digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def snapshot(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Every file below a folder: digest, size and mtime in nanoseconds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            stat = os.stat(path)
            found[str(path.relative_to(folder))] = (digest(path), stat.st_size, stat.st_mtime_ns)
    return found
