"""Files and names that break careless readers are served, and listed where something is wrong."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from mutagen.flac import FLAC

from tests.lab.corpus import make_hostile
from tests.lab.mounting import Mount, write_config
from tests.lab.three_origins import ENVIRONMENT, ThreeOrigins, digest

S3_KEYS = [
    "library/hostile//double slash.flac",
    "library/hostile/../up.flac",
    "library/hostile/100%25.flac",
    "library/hostile/per%cent.flac",
    "library/hostile/what?.flac",
    "library/hostile/a&b=c#d+e.flac",
    "library/hostile/folder.flac/",
]


NAMES: list[str | bytes] = [
    "new\nline.flac",
    b"caf\xe9.flac",
    b"caf\xe8.flac",
    "ä" * 125 + ".flac",
    "Case.flac",
    "case.flac",
    "...dots....flac",
    "$title [x] ${y}.flac",
]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def hostile(samples: Path, root: Path) -> dict[str, Path]:
    """The corpus, and untagged tracks (their names become the served names), no two the same."""
    made = make_hostile(samples, root)
    for number, name in enumerate(NAMES):
        path = Path(os.fsdecode(os.path.join(os.fsencode(root), b"names", os.fsencode(name))))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((samples / "plain.flac").read_bytes())
        tags = FLAC(path)
        tags.delete()
        tags["comment"] = f"number {number}"
        tags.save()
        made[f"name {number}"] = path
    return made


@pytest.fixture(scope="module")
def mount(
    root: Path, hostile: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mount]:
    folder = tmp_path_factory.mktemp("mounted-hostile")
    config = write_config(
        folder / "musefs.yaml",
        {
            "state": str(folder / "state"),
            "origins": [{"id": "nas", "kind": "local", "path": str(root)}],
        },
    )
    with Mount([config], folder / "mnt") as mount:
        mount.wait_indexed()
        yield mount


def test_every_hostile_file_is_served_with_its_bytes(
    mount: Mount, hostile: dict[str, Path]
) -> None:
    served = {digest(path) for path in mount.files()}
    for short, path in hostile.items():
        if path.is_file():
            assert digest(path) in served, short


def test_names_are_safe(mount: Mount) -> None:
    names = [os.fsencode(path.name) for path in mount.files()]
    for name in names:
        assert 0 < len(name) <= 255
        assert name.decode("utf-8").isprintable()
    unknown = mount.mountpoint / "Unknown/Unknown"
    assert {path.name for path in unknown.iterdir()} >= {
        "new_line.flac",
        "caf%E9.flac",
        "caf%E8.flac",
        "Case.flac",
        "case.flac",
        "$title [x] ${y}.flac",
    }


def test_what_is_wrong_is_listed(mount: Mount, hostile: dict[str, Path]) -> None:
    text = (mount.mountpoint / ".musefs/unserved.txt").read_text()
    assert text.count("\n") == mount.status()["unserved"]
    for short in ("empty", "random", "text mp3", "truncated flac"):
        assert hostile[short].name in text, text


def test_special_keys_of_a_bucket_are_served(library: ThreeOrigins, tmp_path: Path) -> None:
    chance = random.Random(7)
    bodies = {key: chance.randbytes(3000) for key in S3_KEYS}
    for key, body in bodies.items():
        library.s3.put(key, body if not key.endswith("/") else b"")
    try:
        config = write_config(
            tmp_path / "musefs.yaml",
            {
                "state": str(tmp_path / "state"),
                "origins": [{**library.s3_origin(), "prefix": "library/hostile/"}],
            },
        )
        with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
            mount.wait_indexed()
            served = {path.read_bytes() for path in mount.files()}
        assert served == {body for key, body in bodies.items() if not key.endswith("/")}
    finally:
        for key in bodies:
            library.s3.delete(key)
