"""What changes at an origin shows in the mount within seconds, without a remount."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mutagen.flac import FLAC

from tests.lab.corpus import make_library
from tests.lab.mounting import Mount, musefs, write_config
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins, digest

VISIBLE_S = 4.0
"""Two seconds from being indexed, and some for noticing and indexing on a busy machine."""


@pytest.fixture
def music(samples: Path, tmp_path: Path) -> Path:
    make_library(samples, tmp_path / "music", 20)
    return tmp_path / "music"


@pytest.fixture
def mount(music: Path, tmp_path: Path) -> Iterator[Mount]:
    config = write_config(
        tmp_path / "musefs.yaml",
        {
            "state": str(tmp_path / "state"),
            "origins": [{"id": "nas", "kind": "local", "path": str(music)}],
        },
    )
    with Mount([config], tmp_path / "mnt") as mount:
        mount.wait_indexed()
        yield mount


def soon(condition: Callable[[], bool]) -> bool:
    until_s = time.monotonic() + VISIBLE_S
    while time.monotonic() < until_s:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def a_flac(mount: Mount) -> Path:
    return next(path for path in mount.files() if path.suffix == ".flac")


def original_of(served: Path, music: Path) -> Path:
    wanted = digest(served)
    return next(path for path in music.rglob("*.flac") if digest(path) == wanted)


def test_a_new_file_appears(mount: Mount, music: Path) -> None:
    source = next(music.rglob("*.flac"))
    copy = music / "new.flac"
    shutil.copy(source, music / ".hidden")
    tags = FLAC(music / ".hidden")
    tags.update(
        title="Brand New", tracknumber="1", albumartist="Somebody", album="Else", date="2024"
    )
    tags.pop("discnumber")
    tags.save()
    os.rename(music / ".hidden", copy)
    served = mount.mountpoint / "Somebody/2024 - Else/01 Brand New.flac"
    assert soon(served.exists)
    assert digest(served) == digest(copy)


def test_a_deleted_file_goes_and_its_empty_folders_too(mount: Mount, music: Path) -> None:
    victim = min(music.iterdir())
    albums = sorted(victim.iterdir())
    before = len(mount.files())
    gone = sum(1 for path in albums[0].iterdir())
    served_folder = next(mount.mountpoint.glob(f"*/* - {albums[0].name}"))
    shutil.rmtree(albums[0])
    assert soon(lambda: not served_folder.exists())
    assert len(mount.files()) == before - gone


def test_a_retagged_file_is_renamed_and_keeps_its_inode(mount: Mount, music: Path) -> None:
    served = a_flac(mount)
    inode = served.stat().st_ino
    original = original_of(served, music)
    tags = FLAC(original)
    tags["title"] = "Another Title"
    tags.save()
    number = served.name.partition(" ")[0]
    renamed = served.with_name(f"{number} Another Title.flac")
    assert soon(renamed.exists)
    assert not served.exists()
    assert renamed.stat().st_ino == inode
    assert renamed.stat().st_size == original.stat().st_size
    assert digest(renamed) == digest(original)


def test_an_open_file_never_mixes_two_versions(mount: Mount, music: Path) -> None:
    served = a_flac(mount)
    original = original_of(served, music)
    before = original.read_bytes()
    with served.open("rb", buffering=0) as file:
        first = os.pread(file.fileno(), 1000, 0)
        changed = bytearray(before)
        changed[-5000:] = bytes(5000)
        original.write_bytes(changed)
        try:
            rest = os.pread(file.fileno(), len(before), 0)
        except OSError:
            rest = b""
        assert first == before[:1000]
        assert rest in (b"", before)
    assert soon(lambda: _read_if_there(served) == bytes(changed))


def test_readers_of_two_versions_each_get_their_own(
    library: ThreeOrigins, samples: Path, tmp_path: Path
) -> None:
    chance = random.Random(5)
    head = (samples / "plain.flac").read_bytes()
    old, new = head + chance.randbytes(2_000_000), head + chance.randbytes(2_000_000)
    library.s3.put("versions/one.flac", old)
    origin = {**library.s3_origin(), "prefix": "versions/"}
    config = write_config(
        tmp_path / "musefs.yaml", {"state": str(tmp_path / "state"), "origins": [origin]}
    )
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        [served] = mount.files()
        assert served.read_bytes() == old  # all of it is cached now
        with served.open("rb", buffering=0) as early:
            library.s3.put("versions/one.flac", new)
            done = musefs("rescan", "--config", config)
            assert done.returncode == 0, done.stderr
            assert soon(lambda: mount.status()["pending"] == 0)
            assert os.pread(early.fileno(), 3_000_000, 0) == old
            assert served.read_bytes() == new
            assert os.pread(early.fileno(), 3_000_000, 0) == old
        assert served.read_bytes() == new
    library.s3.delete("versions/one.flac")


def test_a_renamed_folder_keeps_tracks_and_inodes(mount: Mount, music: Path) -> None:
    before = {path: path.stat().st_ino for path in mount.files() if path.suffix == ".flac"}
    artist = min(music.iterdir())
    artist.rename(music / "Moved Elsewhere")
    time.sleep(1.0)
    assert soon(lambda: mount.status()["pending"] == 0)
    after = {path: path.stat().st_ino for path in mount.files() if path.suffix == ".flac"}
    assert after == before


def test_an_emptied_origin_removes_nothing(mount: Mount, music: Path, tmp_path: Path) -> None:
    before = mount.files()
    music.rename(tmp_path / "away")
    music.mkdir()
    done = musefs("rescan", "--config", tmp_path / "musefs.yaml", "--json")
    assert done.returncode == 0, done.stderr
    assert mount.files() == before
    done = musefs("rescan", "--config", tmp_path / "musefs.yaml", "--accept-removals")
    assert done.returncode == 0, done.stderr
    assert soon(lambda: mount.files() == [])


def test_inodes_survive_a_restart(mount: Mount) -> None:
    before = {path: path.stat().st_ino for path in mount.files()}
    assert mount.stop() == 0
    mount.start()
    assert {path: path.stat().st_ino for path in mount.files()} == before


def _read_if_there(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
