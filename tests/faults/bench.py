"""Eight tracks at a folder, an SFTP server and an S3 server, the servers behind fault proxies."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.faults.proxy import FaultProxy
from tests.indexing.music import flac_with_art
from tests.lab.mounting import Mount, write_config
from tests.lab.s3server import S3Server
from tests.lab.sshd import Sshd
from tests.lab.three_origins import ENVIRONMENT, PREFIX, ThreeOrigins

TRACKS = 8
AUDIO_BYTES = 1_200_000
PAGE_KEYS = 3
"""So few keys of the bucket are in one answer, so that a listing takes several."""
SHOWN = "tracks"
KINDS = ("sftp", "s3", "local")
SPARE = {"sftp": "s3", "s3": "sftp", "local": "sftp"}
"""Who has the second replica."""

QUICK = {"timeout": "5 s", "connect_timeout": "2 s"}
SECTIONS: Mapping[str, Any] = {
    "tree": {"template": f"{SHOWN}/$title"},
    # So little that the readers outrun neither the fault nor each other.
    "cache": {"memory": "1 MiB", "readahead": "256 KiB"},
    "federation": {"check_every": "1 s"},
    "control": {"metrics": None},
}


@dataclass(frozen=True)
class Bench:
    """The servers. `tracks` has the right bytes by the name in the tree."""

    folder: Path
    origins: ThreeOrigins
    proxies: Mapping[str, FaultProxy]
    tracks: Mapping[str, bytes] = field(repr=False)
    _indexed: dict[tuple[str, ...], Path] = field(default_factory=dict)

    def config(self, state: Path, kinds: tuple[str, ...], **options: Any) -> dict[str, Any]:
        """A musefs.yaml: the first kind behind its proxy and preferred, others straight."""
        first, *others = kinds
        origins = [self._origin(first, proxied=True), *(self._origin(kind) for kind in others)]
        origins = [
            {**origin, **QUICK, "priority": priority, **options}
            for priority, origin in enumerate(origins)
        ]
        return {"state": str(state), "origins": origins, **SECTIONS}

    def mount(self, folder: Path, kinds: tuple[str, ...], **options: Any) -> Mount:
        """A mount that is indexed already, and has nothing else of the tracks on its disk."""
        indexed = self._indexed.get(kinds)
        if indexed is None:
            indexed = self._indexed[kinds] = self._index(kinds)
        shutil.copytree(indexed, folder / "state")
        config = write_config(
            folder / "musefs.yaml", self.config(folder / "state", kinds, **options)
        )
        return Mount([config], folder / "mnt", environment=ENVIRONMENT)

    def files(self, kind: str) -> list[Path]:
        """The tracks' files in the folder of a kind: the server's, for the SFTP server."""
        root = self.origins.local if kind == "local" else self.origins.sshd.files
        return [root / name for name in sorted(self.tracks)]

    def put(self, name: str, data: bytes) -> None:
        """Put a track's object into the bucket."""
        self.origins.s3.put(PREFIX + name, data)

    def _index(self, kinds: tuple[str, ...]) -> Path:
        folder = self.folder / "-".join(("indexed", *kinds))
        folder.mkdir()
        config = write_config(folder / "musefs.yaml", self.config(folder / "state", kinds))
        with Mount([config], folder / "mnt", environment=ENVIRONMENT) as mount:
            status = mount.wait_indexed()
            assert status["tracks"] == TRACKS, mount.log
            assert mount.stop() == 0
        return folder / "state"

    def _origin(self, kind: str, *, proxied: bool = False) -> dict[str, Any]:
        if kind == "local":
            return self.origins.local_origin()
        port = self.proxies[kind].port
        if kind == "s3":
            origin = self.origins.s3_origin()
            return {**origin, "endpoint": f"http://127.0.0.1:{port}"} if proxied else origin
        origin = {**self.origins.sftp_origin(), "known_hosts": str(self.folder / "known_hosts")}
        return {**origin, "port": port} if proxied else origin


def spoiled(data: bytes) -> bytes:
    """Other bytes of the same size between a beginning and an end that are the same."""
    middle = data[70_000:-90_000]
    return data[:70_000] + bytes(byte ^ 0xFF for byte in middle) + data[-90_000:]


def write_in_place(path: Path, data: bytes) -> None:
    """Other bytes in the same inode with the same modification time."""
    before = path.stat()
    with path.open("r+b") as file:
        file.truncate(len(data))
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@contextmanager
def open_bench(folder: Path) -> Iterator[Bench]:
    """Start the servers and fill them."""
    cover = random.Random(5).randbytes(1000)
    tracks = {
        f"track {number}.flac": flac_with_art(f"track {number}", cover, AUDIO_BYTES)
        for number in range(TRACKS)
    }
    with ExitStack() as stack:
        sshd = stack.enter_context(Sshd())
        with patch.dict(os.environ, {"MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE_KEYS)}):
            s3 = stack.enter_context(S3Server())
        proxies = {
            "sftp": stack.enter_context(FaultProxy(sshd.port)),
            "s3": stack.enter_context(FaultProxy(s3.port)),
        }
        key = (sshd.folder / "host_key.pub").read_text()
        ports = (sshd.port, proxies["sftp"].port)
        (folder / "known_hosts").write_text("".join(f"[127.0.0.1]:{port} {key}" for port in ports))
        origins = ThreeOrigins(folder / "local", sshd, s3, {})
        bench = Bench(folder, origins, proxies, tracks)
        origins.local.mkdir()
        for name, data in tracks.items():
            (origins.local / name).write_bytes(data)
            (sshd.files / name).write_bytes(data)
            bench.put(name, data)
        yield bench
