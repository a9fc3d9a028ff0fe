"""A disk that rots, backups of a library in use, and the end that nobody asked for."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mutagen.flac import FLAC

from tests.indexing.music import flac_with_art
from tests.lab.mounting import Mount, musefs, write_config
from tests.lab.s3server import S3Server
from tests.lab.three_origins import ENVIRONMENT, PREFIX
from tests.mounted.test_kept_heads import AUDIO_BYTES

COVER = b"\xff\xd8\xff\xe0" + random.Random(5).randbytes(100_000)
TRACKS = 4


@pytest.fixture(scope="module")
def originals() -> dict[str, bytes]:
    return {
        f"{number}.flac": flac_with_art(f"track {number}", COVER, AUDIO_BYTES)
        for number in range(TRACKS)
    }


@pytest.fixture(scope="module")
def bucket(originals: dict[str, bytes]) -> Iterator[S3Server]:
    with S3Server() as s3:
        for name, data in originals.items():
            s3.put(PREFIX + name, data)
        yield s3


@pytest.fixture
def config(bucket: S3Server, tmp_path: Path) -> Path:
    origin = {
        "id": "bucket",
        "kind": "s3",
        "bucket": bucket.bucket,
        "prefix": PREFIX,
        "endpoint": bucket.endpoint,
        "region": "us-east-1",
        "access_key": {"env": "LAB_ACCESS_KEY"},
        "secret_key": {"env": "LAB_SECRET_KEY"},
        "timeout": "2 s",
    }
    return write_config(
        tmp_path / "musefs.yaml",
        {
            "state": str(tmp_path / "state"),
            "origins": [origin],
            "tree": {"template": "$filename"},
            "control": {"metrics": None},
            "federation": {"check_every": "1 s", "retries": ["50 ms"]},
        },
    )


@pytest.fixture
def mounted(config: Path, originals: dict[str, bytes], tmp_path: Path) -> Iterator[Mount]:
    """All of the library, read once, so that it is on the disk."""
    with Mount([config], tmp_path / "mnt", environment=ENVIRONMENT) as mount:
        mount.wait_indexed()
        read_all(mount, originals)
        until(lambda: stats(mount)["logical_bytes"] == sum(map(len, originals.values())))
        until(lambda: recorded(tmp_path / "state") == len(chunks(tmp_path / "state")))
        yield mount


def until(true: Any) -> None:
    """Wait for something, for ten seconds at most."""
    end_s = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def ask(mount: Mount, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    """What a command answers in JSON."""
    done = musefs(*arguments, "--mountpoint", mount.mountpoint, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def stats(mount: Mount) -> dict[str, Any]:
    return ask(mount, "cache", "stats")


def read_all(mount: Mount, originals: dict[str, bytes]) -> None:
    for name, data in originals.items():
        assert (mount.mountpoint / name).read_bytes() == data


def forget(mount: Mount) -> None:
    """Neither the kernel nor the service has bytes in memory."""
    ask(mount, "cache", "clear", "--tier", "memory")
    Path("/proc/sys/vm/drop_caches").write_text("1")


def chunks(state: Path) -> list[Path]:
    return sorted(path for path in (state / "chunks").glob("??/*") if path.is_file())


def recorded(state: Path) -> int:
    """How many chunks the catalogue knows of."""
    with closing(sqlite3.connect(f"file:{state}/catalogue.db?mode=ro", uri=True)) as catalogue:
        [(count,)] = catalogue.execute("SELECT count(*) FROM chunks").fetchall()
    return int(count)


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_what_the_disk_has_lost_is_fetched_again(
    mounted: Mount, bucket: S3Server, originals: dict[str, bytes], tmp_path: Path
) -> None:
    stored = chunks(tmp_path / "state")
    spoil(stored[0])
    stored[1].unlink()
    stored[2].write_bytes(b"")
    found = ask(mounted, "cache", "verify")
    assert (found["chunks"], found["checked"]) == (len(stored), len(stored))
    assert (found["wrong"], found["repaired"], found["lost"]) == (3, 3, 0)
    assert ask(mounted, "cache", "verify")["wrong"] == 0
    now = stats(mounted)
    assert (now["repaired_chunks"], now["scrubbed_chunks"]) == (3, 2 * len(stored))
    forget(mounted)
    bucket.reset()
    read_all(mounted, originals)
    assert bucket.stats()["body_bytes"] < 10_000  # checks of its health list a little


def test_without_an_origin_wrong_chunks_go_and_the_others_serve(
    mounted: Mount, bucket: S3Server, originals: dict[str, bytes], tmp_path: Path
) -> None:
    stored = chunks(tmp_path / "state")
    state = tmp_path / "state"
    wrong = wrong_of(state, "1.flac")
    bucket.pause()
    try:
        spoil(wrong)
        found = ask(mounted, "cache", "verify", code=2)
        assert (found["wrong"], found["repaired"], found["lost"]) == (1, 0, 1)
        assert not wrong.exists()
        assert len(chunks(state)) == len(stored) - 1
        forget(mounted)
        others = {name: data for name, data in originals.items() if name != "1.flac"}
        read_all(mounted, others)
        assert not can_read(mounted.mountpoint / "1.flac")
    finally:
        bucket.resume()
    until(lambda: can_read(mounted.mountpoint / "1.flac"))
    read_all(mounted, originals)
    until(wrong.exists)


def can_read(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True


def wrong_of(state: Path, name: str) -> Path:
    """A chunk in the middle of a file, which no other file has."""
    with closing(sqlite3.connect(f"file:{state}/catalogue.db?mode=ro", uri=True)) as catalogue:
        [(name_of_bytes,)] = catalogue.execute(
            "SELECT c.digest FROM content_chunks c JOIN files f USING (content_id)"
            " WHERE f.path = ? AND (SELECT count(*) FROM content_chunks o"
            " WHERE o.digest = c.digest) = 1 ORDER BY abs(c.position - 6) LIMIT 1",
            [name.encode()],
        ).fetchall()
    name_in_hex: str = name_of_bytes.hex()
    return state / "chunks" / name_in_hex[:2] / name_in_hex[2:]


def test_clearing_frees_what_it_said_while_a_reader_reads(
    mounted: Mount, originals: dict[str, bytes], tmp_path: Path
) -> None:
    with reading(mounted, originals) as rounds:
        before = stats(mounted)
        told = ask(mounted, "cache", "clear", "--tier", "chunks", "--dry-run")
        assert (told["memory_bytes"], told["disk_bytes"]) == (0, before["totals"]["disk_bytes"])
        assert chunks(tmp_path / "state")
        for _ in range(3):
            ask(mounted, "cache", "clear")
            seen = len(rounds)
            until(lambda seen=seen: len(rounds) > seen + 1)


def test_a_backup_of_a_library_in_use_has_the_edits_and_can_be_restored(
    mounted: Mount, config: Path, originals: dict[str, bytes], tmp_path: Path
) -> None:
    with reading(mounted, originals, "0.flac"):
        for number in range(3):
            musefs("tags", "set", mounted.mountpoint / "1.flac", f"title=Given {number}")
            copy = Path(ask(mounted, "backup")["path"] if number else "/")
            time.sleep(1.1 if number else 0)
    assert copy.parent == tmp_path / "state" / "backups"
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert opened.execute("SELECT value FROM edits").fetchall() == [("Given 2",)]
    done = musefs("backup", copy, "--mountpoint", mounted.mountpoint)
    assert (done.returncode, "something already" in done.stderr) == (1, True)
    inside = musefs("backup", mounted.mountpoint / "copy.db", "--mountpoint", mounted.mountpoint)
    assert (inside.returncode, inside.stderr.count("\n")) == (1, 1)
    musefs("tags", "clear", mounted.mountpoint / "1.flac")
    mounted.stop()
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / "state" / f"catalogue.db{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, tmp_path / "state" / "catalogue.db")
    mounted.start()
    mounted.wait_indexed()
    until(lambda: FLAC(mounted.mountpoint / "1.flac")["title"] == ["Given 2"])
    mounted.stop()
    assert musefs("fsck", config).returncode == 0


class reading:  # noqa: N801 - used as a function
    """Somebody reads files over and over; `with` gives the rounds, and its end fails if one did."""

    def __init__(self, mount: Mount, originals: dict[str, bytes], *names: str) -> None:
        self._mount = mount
        self._wanted = {name: originals[name] for name in names or originals}
        self._stop = threading.Event()
        self._errors: list[BaseException] = []
        self._rounds: list[int] = []
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> list[int]:
        self._thread.start()
        return self._rounds

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(30)
        assert not self._errors
        assert self._rounds

    def _read(self) -> None:
        try:
            while not self._stop.is_set():
                read_all(self._mount, self._wanted)
                self._rounds.append(1)
        except BaseException as error:  # noqa: BLE001 - told at the end
            self._errors.append(error)


def test_after_a_kill_all_is_well_or_can_be_mended(
    mounted: Mount, config: Path, originals: dict[str, bytes], tmp_path: Path
) -> None:
    state = tmp_path / "state"
    musefs("tags", "set", mounted.mountpoint / "2.flac", "title=Kept")
    until(lambda: ask(mounted, "cache", "verify")["checked"] == len(chunks(state)))
    mounted.stop(signal.SIGKILL)
    mounted.__exit__(None, None, None)
    spoil(chunks(state)[0])
    found = musefs("fsck", config)
    assert (found.returncode, "chunks have other bytes" in found.stdout) == (1, True)
    done = musefs("fsck", config, "--repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert musefs("fsck", config).returncode == 0

    spoil(chunks(state)[0])
    (state / "running").touch()  # as after another kill
    mounted.start()
    mounted.wait_indexed()
    read_all(mounted, {name: data for name, data in originals.items() if name != "2.flac"})
    assert FLAC(mounted.mountpoint / "2.flac")["title"] == ["Kept"]
    (mounted.mountpoint / "2.flac").read_bytes()
    until(lambda: stats(mounted)["repaired_chunks"] == 1)
    assert stats(mounted)["totals"]["corrupt_chunks"] == 1
    assert "wrong bytes in the chunk store (1 chunks)" in mounted.log
