"""A library at a folder, an SFTP server and an S3 bucket, through the mount: each byte is right."""

from __future__ import annotations

import mmap
import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.lab.mounting import Mount, write_config
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins, digest, snapshot

SEED = 20240501
READERS = 32


@pytest.fixture(scope="module")
def mounted(library: ThreeOrigins, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mount]:
    folder = tmp_path_factory.mktemp("mounted")
    config = write_config(folder / "musefs.yaml", library.config(folder / "state"))
    with Mount([config], folder / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        yield mount


@pytest.fixture(scope="module")
def pairs(mounted: Mount, library: ThreeOrigins) -> list[tuple[Path, Path]]:
    """Every file of the mount with its original."""
    return [(path, library.originals[digest(path)]) for path in mounted.files()]


def test_every_original_is_served_once_with_its_own_bytes(
    mounted: Mount, library: ThreeOrigins
) -> None:
    served = Counter(digest(path) for path in mounted.files())
    assert set(served) == set(library.originals)
    # Covers and lyrics are the same in every album, and shown in each.
    shared = {".jpg", ".lrc"}
    tracks = {name for name, path in library.originals.items() if path.suffix not in shared}
    assert all(served[name] == 1 for name in tracks)


def test_each_track_says_where_it_comes_from(mounted: Mount) -> None:
    tracks = [path for path in mounted.files() if path.suffix in (".flac", ".mp3", ".m4a")]
    origins = Counter(os.getxattr(path, "user.musefs.origin") for path in tracks)
    assert set(origins) == {b"nas", b"box", b"bucket"}
    # The same cover lies at all three.
    cover = next(path for path in mounted.files() if path.suffix == ".jpg")
    assert os.getxattr(cover, "user.musefs.origin") == b"nas,box,bucket"


def test_lyrics_are_named_like_their_tracks(mounted: Mount) -> None:
    files = mounted.files()
    stems = {path.with_suffix("") for path in files if path.suffix not in (".lrc", ".jpg")}
    lyrics = [path for path in files if path.suffix == ".lrc"]
    assert lyrics
    assert all(path.with_suffix("") in stems for path in lyrics)


def test_random_reads_equal_the_original(pairs: list[tuple[Path, Path]]) -> None:
    chance = random.Random(SEED)
    for served, original in pairs:
        truth = original.read_bytes()
        with served.open("rb", buffering=0) as file:
            for _ in range(8):
                offset = chance.randrange(len(truth) + 10)
                size = chance.choice([1, 17, 4096, 65_536, 300_000])
                assert os.pread(file.fileno(), size, offset) == truth[offset : offset + size]


def test_mapped_files_equal_the_original(pairs: list[tuple[Path, Path]]) -> None:
    for served, original in pairs:
        with (
            served.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        ):
            assert mapped[:] == original.read_bytes()


def test_concurrent_readers_each_get_the_right_bytes(pairs: list[tuple[Path, Path]]) -> None:
    def read(job: tuple[int, tuple[Path, Path]]) -> bool:
        seed, (served, original) = job
        chance = random.Random(seed)
        truth = original.read_bytes()
        descriptor = os.open(served, os.O_RDONLY)
        try:
            # Straight from the server: the kernel's cache must not answer for it.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            for _ in range(4):
                offset = chance.randrange(len(truth))
                if os.pread(descriptor, 50_000, offset) != truth[offset : offset + 50_000]:
                    return False
        finally:
            os.close(descriptor)
        return True

    jobs = list(enumerate(pairs * 4))
    with ThreadPoolExecutor(READERS) as pool:
        assert all(pool.map(read, jobs))


def test_sizes_times_and_links_are_right(pairs: list[tuple[Path, Path]], mounted: Mount) -> None:
    for served, original in pairs:
        stat = served.stat()
        assert stat.st_size == original.stat().st_size
        assert stat.st_blocks == -(-stat.st_size // 512)
        assert stat.st_nlink == 1
        assert stat.st_mode & 0o777 == 0o444
    for folder, folders, _ in os.walk(mounted.mountpoint):
        assert os.stat(folder).st_nlink == 2 + len(folders)
    usage = os.statvfs(mounted.mountpoint)
    assert usage.f_blocks * usage.f_frsize >= sum(path.stat().st_size for path, _ in pairs)
    assert usage.f_bavail == 0


def test_the_middle_of_a_large_file_costs_little(library: ThreeOrigins, tmp_path: Path) -> None:
    truth = random.Random(SEED).randbytes(30_000_000)
    key = "library/large/large.flac"
    library.s3.put(key, truth)
    try:
        config = write_config(
            tmp_path / "musefs.yaml",
            {
                "state": str(tmp_path / "state"),
                "origins": [{**library.s3_origin(), "prefix": "library/large/"}],
            },
        )
        with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
            mount.wait_indexed()
            [served] = mount.files()
            library.s3.reset()
            descriptor = os.open(served, os.O_RDONLY)
            assert os.pread(descriptor, 65_536, 15_000_000) == truth[15_000_000:15_065_536]
            os.close(descriptor)
            assert library.s3.stats()["body_bytes"] < 1 << 20
            assert served.read_bytes() == truth
    finally:
        library.s3.delete(key)


def test_cached_files_are_read_without_their_origin(library: ThreeOrigins, tmp_path: Path) -> None:
    config = write_config(
        tmp_path / "musefs.yaml",
        {"state": str(tmp_path / "state"), "origins": [library.s3_origin()]},
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        first = {path: digest(path) for path in mount.files()}
        assert mount.stop() == 0
        library.s3.pause()
        try:
            mount.start()
            assert {path: digest(path) for path in mount.files()} == first
            assert all(os.getxattr(path, "user.musefs.cached") == b"100" for path in first)
        finally:
            library.s3.resume()


def test_nothing_at_the_origins_is_changed(library: ThreeOrigins, mounted: Mount) -> None:
    before = snapshot(library.local), snapshot(library.sshd.files), library.s3.listing()
    for path in mounted.files():
        path.read_bytes()
        for change in (path.unlink, path.rmdir, path.touch):
            with pytest.raises(OSError, match="Read-only"):
                change()
    assert before == (
        snapshot(library.local),
        snapshot(library.sshd.files),
        library.s3.listing(),
    )
