"""A library that is scanned, read and edited until its service is killed, again and again."""

from __future__ import annotations

import contextlib
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mutagen.flac import FLAC

from tests.faults.bench import Bench
from tests.faults.readers import read_afresh
from tests.indexing.music import flac, flac_with_art
from tests.lab.mounting import Mount, musefs, write_config

READ = 6
"""Tracks that are read all the time and never edited."""
EDITED = 6
NEW_PER_ROUND = 12
"""Files that appear at each origin while the service runs, so that it has something to scan."""
AUDIO_BYTES = 700_000
END_S = 10.0

_EDITOR = """
import asyncio, sys
from pathlib import Path
from musefs.control.client import Client

async def edit(socket, number, paths):
    async with Client(Path(socket)) as client:
        while True:
            for path in paths:
                number += 1
                await client.set_tags(path, {"comment": [f"edit {number}"]})
                print(number, path, flush=True)

asyncio.run(edit(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))
"""


class Killed:
    """The library, its mount, and every edit that was acknowledged: a number by its path."""

    def __init__(self, bench: Bench, folder: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.acknowledged: dict[str, int] = {}
        self._folder = folder
        self._roots = [folder / "music", bench.origins.sshd.files.parent / "killed"]
        self._config = {
            "state": str(folder / "state"),
            "origins": [
                {"id": "nas", "kind": "local", "path": str(self._roots[0]), "cache": "on"},
                {**bench.origins.sftp_origin(), "path": "/killed"},
            ],
            "tree": {"template": "all/$title"},
            "control": {"metrics": None},
        }
        self._digests: dict[str, str] = {}
        self._new = self._last_edit = 0
        for number in range(READ + EDITED):
            self._add(f"large {number}", AUDIO_BYTES)

    @property
    def mountpoint(self) -> Path:
        """Where it is mounted."""
        return self._folder / "mnt"

    def mount(self) -> Mount:
        """The service, not running yet."""
        config = write_config(self._folder / "musefs.yaml", self._config)
        return Mount([config], self.mountpoint)

    def check(self, mount: Mount) -> None:
        """Raise AssertionError unless every file and every acknowledged edit is there."""
        mount.wait_indexed()
        shown = {str(path.relative_to(self.mountpoint)) for path in mount.files()}
        assert shown >= set(self._digests), set(self._digests) - shown
        for name in self._digests:
            self._check_bytes(name)
        for name, number in self.acknowledged.items():
            [comment] = FLAC(self.mountpoint / name)["comment"]
            # The one that was under way at the kill may have been stored without a word.
            assert int(comment.removeprefix("edit ")) >= number, (name, comment, number)

    def run_until_killed(self, mount: Mount, after_s: float) -> None:
        """Read, edit and add files, until the service is killed after so many seconds."""
        assert mount.process is not None
        readers = [threading.Thread(target=self._read, daemon=True) for _ in range(3)]
        with self._editor():
            for reader in readers:
                reader.start()
            kill = threading.Timer(after_s, mount.process.kill)
            kill.start()
            for _ in range(NEW_PER_ROUND):
                self._new += 1
                self._add(f"new {self._new}", 0)
            assert mount.process.wait(END_S + after_s) == -signal.SIGKILL
        mount.stop()
        for reader in readers:
            reader.join(END_S)
            assert not reader.is_alive()

    def kill_early(self, mount: Mount, after_s: float) -> None:
        """Start the service and kill it so soon that it may not be mounted yet."""

        def kill() -> None:
            if mount.process is not None:
                mount.process.kill()

        timer = threading.Timer(after_s, kill)
        timer.start()
        with contextlib.suppress(RuntimeError):  # it was not mounted yet
            mount.start()
        timer.join()
        mount.stop(signal.SIGKILL)

    def fsck(self) -> str:
        """Check a copy of what the kill left: "clean" or "repaired".

        Raises AssertionError when it cannot be repaired.
        """
        copy = self._folder / "examined"
        shutil.copytree(
            self._folder / "state", copy, ignore=shutil.ignore_patterns("*.sock"), symlinks=True
        )
        try:
            config = write_config(
                self._folder / "examined.yaml", {**self._config, "state": str(copy)}
            )
            first = musefs("fsck", config)
            if first.returncode == 0:
                return "clean"
            repair = musefs("fsck", "--repair", config)
            assert repair.returncode == 0, first.stdout + repair.stdout + repair.stderr
            again = musefs("fsck", config)
            assert again.returncode == 0, again.stdout + again.stderr
            return f"repaired ({first.stdout.strip()})"
        finally:
            shutil.rmtree(copy)

    def _add(self, title: str, audio_bytes: int) -> None:
        data = flac_with_art(title, b"cover", audio_bytes) if audio_bytes else flac(title)
        for root in self._roots:
            root.mkdir(exist_ok=True)
            part = root / f"{title}.part"
            part.write_bytes(data)
            part.rename(root / f"{title}.flac")
        number = title.removeprefix("large ")
        if not number.isdecimal() or int(number) < READ:
            self._digests[f"all/{title}.flac"] = hashlib.sha256(data).hexdigest()

    def _check_bytes(self, name: str) -> None:
        data = read_afresh(self.mountpoint / name)
        assert hashlib.sha256(data).hexdigest() == self._digests[name], f"{name} is wrong"

    def _read(self) -> None:
        """Read what is there, wrong bytes aside, until the mount is gone."""
        for number in range(10_000):
            path = self.mountpoint / f"all/large {number % READ}.flac"
            try:
                data = read_afresh(path)
            except FileNotFoundError:
                time.sleep(0.01)  # not indexed yet
                continue
            except OSError:
                return
            name = str(path.relative_to(self.mountpoint))
            assert hashlib.sha256(data).hexdigest() == self._digests[name]

    @contextmanager
    def _editor(self) -> Iterator[None]:
        """Edit tags in a process of its own until the service is gone; note what it confirmed."""
        paths = [f"all/large {number}.flac" for number in range(READ, READ + EDITED)]
        there = [path for path in paths if (self.mountpoint / path).exists()]
        command = [sys.executable, "-c", _EDITOR, str(self._folder / "state/control.sock")]
        command += [str(self._last_edit), *there]
        options: dict[str, Any] = {"stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
        editor = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
        try:
            yield
            told, _ = editor.communicate(timeout=END_S)
        finally:
            editor.kill()
            editor.wait(END_S)
        for line in told.splitlines():
            number, _, path = line.partition(" ")
            self.acknowledged[path] = self._last_edit = int(number)
        self._last_edit += 1
