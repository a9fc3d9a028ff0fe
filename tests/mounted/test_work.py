"""How much work the kernel, the catalogue and the origins have with what people do: in counts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
import pytest

from tests.indexing.music import flac, flac_with_art
from tests.lab.mounting import Mount, write_config
from tests.lab.s3server import S3Server
from tests.lab.three_origins import ENVIRONMENT
from tests.lab.work import Work, WorkMeter

MIB = 1 << 20
LONG_BYTES = 30 * MIB
LONG = flac_with_art("long", b"\xff\xd8", LONG_BYTES)
FOLDERS = {"few": 5, "many": 500}

KERNEL_BYTES_MIN, KERNEL_BYTES_MAX = 128 << 10, MIB
"""Of one READ in a sequence: as far as the kernel reads ahead, within these."""
LISTED_BYTES, LISTING_BYTES_MIN = 184, 4096
"""An entry with its attributes in a READDIRPLUS, and the least that the kernel has room for."""
FEW = 4

TRACKS = 8
COVER = b"\xff\xd8" + bytes(range(256)) * 300
TRACK_BYTES = 2 * MIB
TOUCHED_BYTES_MAX = (64 + 8 + 68) << 10
LISTING_BYTES_MAX = 8_000
REQUESTS_PER_FILE_MAX = 4
"""By indexing: beginning and end, what follows the picture, and the rest that is kept near."""
PARTS_MAX = 4
"""A read that finds connections to S3 idle is shared among so many."""
CHUNKS_PER_MIB = 4
STATEMENTS_PER_MIB_MAX = 4


def walk(folder: Path) -> tuple[int, int]:
    """Look at everything below a folder: how many folders, how many files."""
    folders, files = 1, 0
    with os.scandir(folder) as entries:
        for entry in entries:
            entry.stat()
            if not entry.is_dir():
                files += 1
            elif entry.name != ".musefs":
                below = walk(Path(entry.path))
                folders, files = folders + below[0], files + below[1]
    return folders, files


def read(path: Path) -> int:
    """Read a file in sequence; how many bytes it has."""
    size = 0
    with path.open("rb", buffering=0) as file:
        while part := file.read(MIB):
            size += len(part)
    return size


def request_bytes(mountpoint: Path) -> int:
    """How much the kernel asks for at a time where a file is read in sequence."""
    device = os.stat(mountpoint).st_dev
    ahead = Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}/read_ahead_kb").read_text()
    return min(max(int(ahead) << 10, KERNEL_BYTES_MIN), KERNEL_BYTES_MAX)


def config_of(folder: Path, origin: dict[str, Any]) -> Path:
    document = {
        "state": str(folder / "state"),
        "origins": [origin],
        "tree": {"template": "$path/$filename"},
        "federation": {"check_every": "600 s"},
        "control": {"metrics": None},
    }
    return write_config(folder / "musefs.yaml", document)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    """A folder that is read straight through."""
    folder = tmp_path_factory.mktemp("local")
    for name, count in FOLDERS.items():
        (folder / "music" / name).mkdir(parents=True)
        for n in range(count):
            (folder / "music" / name / f"{n:03}.flac").write_bytes(flac(f"{name} {n}"))
    (folder / "music/long").mkdir()
    (folder / "music/long/long.flac").write_bytes(LONG)
    origin = {"id": "nas", "kind": "local", "path": str(folder / "music"), "watch": "off"}
    with Mount([config_of(folder, origin)], folder / "mnt") as mount:
        mount.wait_indexed()
        yield mount


@dataclass(frozen=True)
class Far:
    """A mount of a bucket: an album, a long track, and what its indexing cost the server."""

    mount: Mount
    s3: S3Server
    indexed: dict[str, int]

    def track(self, name: str) -> Path:
        """Where it is in the tree."""
        return self.mount.mountpoint / name

    def chunk_sizes(self) -> list[int]:
        """Of all chunk files."""
        chunks = self.mount.mountpoint.parent / "state/chunks"
        return [path.stat().st_size for path in chunks.rglob("*") if path.is_file()]

    def asked(self) -> tuple[int, int]:
        """Requests and bytes of the server's answers since the last call."""
        stats = self.s3.stats()
        self.s3.reset()
        return stats["requests"], stats["body_bytes"]


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    folder = tmp_path_factory.mktemp("far")
    with S3Server() as s3:
        for n in range(TRACKS):
            s3.put(f"album/{n}.flac", flac_with_art(f"track {n}", COVER, TRACK_BYTES))
        s3.put("crossed/art.flac", flac_with_art("crossed", b"\xff\xd8" * 100_000, TRACK_BYTES))
        s3.put("long/long.flac", LONG)
        origin = {
            "id": "bucket",
            "kind": "s3",
            "bucket": s3.bucket,
            "endpoint": s3.endpoint,
            "region": "us-east-1",
            "access_key": {"env": "LAB_ACCESS_KEY"},
            "secret_key": {"env": "LAB_SECRET_KEY"},
            "poll": "1 h",
        }
        s3.reset()
        mount = Mount([config_of(folder, origin)], folder / "mnt", environment=ENVIRONMENT)
        with mount:
            mount.wait_indexed()
            yield Far(mount, s3, s3.stats())


def test_a_walk_asks_for_each_folder_once(local: Mount) -> None:
    walk(local.mountpoint)
    meter = WorkMeter(local)
    folders, files = walk(local.mountpoint)
    assert (folders, files) == (2 + len(FOLDERS), sum(FOLDERS.values()) + 1)
    again = meter.taken()
    assert set(again.requests) == {"opendir", "readdir", "releasedir"}
    assert (again["opendir"], again["releasedir"]) == (folders, folders)
    # Of each folder the last one says that there is nothing more.
    full = files * LISTED_BYTES // (LISTING_BYTES_MIN - LISTED_BYTES)
    assert again["readdir"] <= 2 * folders + full
    assert again.statements == 0


def test_a_folder_costs_the_same_statements_however_large_it_is(local: Mount) -> None:
    local.stop()
    local.start()
    local.wait_indexed()
    meter = WorkMeter(local)
    first: dict[str, Work] = {}
    for name, count in FOLDERS.items():
        assert len(os.listdir(local.mountpoint / name)) == count
        first[name] = meter.taken()
    assert first["few"].statements == first["many"].statements > 0
    for name in FOLDERS:
        os.listdir(local.mountpoint / name)
        assert meter.taken().statements == 0


def test_a_listed_file_is_known_and_a_read_one_is_kept(local: Mount) -> None:
    path = local.mountpoint / "few/003.flac"
    os.listdir(path.parent)
    meter = WorkMeter(local)
    assert path.stat().st_size == len(flac("few 3"))
    assert meter.taken() == Work({}, 0)
    data = path.read_bytes()
    first = meter.taken()
    assert (first["open"], first["read"], first["release"]) == (1, 1, 1)
    assert path.read_bytes() == data
    again = meter.taken()
    assert {**again.requests, "flush": 1} == {"open": 1, "release": 1, "flush": 1}
    assert again.statements == 0


def test_a_local_file_is_read_in_few_requests(local: Mount) -> None:
    path = local.mountpoint / "long/long.flac"
    path.stat()
    meter = WorkMeter(local)
    assert read(path) == len(LONG)
    assert meter.taken()["read"] <= LONG_BYTES // request_bytes(local.mountpoint) + FEW
    assert read(path) == len(LONG)
    assert meter.taken()["read"] == 0


def test_indexing_asks_the_origin_little_of_each_file(far: Far) -> None:
    files = TRACKS + 2
    assert far.indexed["requests"] <= REQUESTS_PER_FILE_MAX * files + FEW
    covers = len(COVER) + 200_000
    assert far.indexed["body_bytes"] <= files * TOUCHED_BYTES_MAX + covers + LISTING_BYTES_MAX


def test_a_scan_of_tags_asks_the_origin_nothing(far: Far) -> None:
    tracks = sorted(far.track("album").iterdir())
    far.asked()
    for path in tracks:
        assert mutagen.File(path).pictures[0].data == COVER
    assert len(tracks) == TRACKS
    assert far.asked() == (0, 0)


def test_a_scan_of_tags_asks_nothing_where_a_read_reaches_out_of_the_picture(far: Far) -> None:
    path = far.track("crossed/art.flac")
    far.asked()
    assert len(mutagen.File(path).pictures[0].data) == 200_000
    assert far.asked() == (0, 0)


def test_a_far_file_is_fetched_once(far: Far) -> None:
    path = far.track("long/long.flac")
    mebibytes = len(LONG) / MIB
    path.stat()
    meter = WorkMeter(far.mount)
    kept = far.chunk_sizes()
    far.asked()
    assert read(path) == len(LONG)
    work = meter.taken_at_rest()
    requests, fetched = far.asked()
    stored = far.chunk_sizes()
    # What was kept near and what was fetched is all of it, without a byte that came twice.
    assert os.getxattr(path, "user.musefs.cached") == b"100"
    assert fetched == sum(stored) - sum(kept)
    assert requests <= PARTS_MAX * mebibytes + FEW
    assert len(stored) - len(kept) <= CHUNKS_PER_MIB * mebibytes + FEW
    assert work["read"] <= LONG_BYTES // request_bytes(far.mount.mountpoint) + FEW
    assert work.statements <= STATEMENTS_PER_MIB_MAX * mebibytes
    print(f"{requests} requests, {work}")
    far.mount.stop()
    far.mount.start()
    far.mount.wait_indexed()
    far.asked()
    assert read(path) == len(LONG)
    assert far.asked() == (0, 0)
