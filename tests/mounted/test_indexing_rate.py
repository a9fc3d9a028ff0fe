"""How fast a local library is indexed, and that memory does not grow with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.lab.bulk import write_albums
from tests.lab.mounting import write_config

FILES = 20_000
FEW = 5_000
FILES_PER_S_MIN = 1_500
GROWTH_KIB_MAX = 20 << 10
"""Four times as many files may take so much more memory: SQLite's page cache fills up."""


@pytest.mark.long
def test_a_local_library_is_indexed_steadily_in_flat_memory(tmp_path: Path) -> None:
    sample = tmp_path / "short.flac"
    tone = ("-f", "lavfi", "-i", "sine=440:d=0.5")
    subprocess.run(["ffmpeg", "-v", "error", *tone, sample], check=True, stdin=subprocess.DEVNULL)
    write_albums(sample, tmp_path / "few", FEW)
    write_albums(sample, tmp_path / "many", FILES)
    _, few_kib = _scanned(tmp_path, "few", FEW)
    taken_s, kib = _scanned(tmp_path, "many", FILES)
    print(f"{FILES / taken_s:.0f} files/s with the start of Python, {few_kib} and {kib} KiB")
    assert FILES / taken_s >= FILES_PER_S_MIN
    assert kib <= few_kib + GROWTH_KIB_MAX


def _scanned(folder: Path, name: str, count: int) -> tuple[float, int]:
    """Seconds of `musefs scan` and its largest resident memory in KiB."""
    origin = {"id": name, "kind": "local", "path": str(folder / name), "watch": "off"}
    document = {"state": str(folder / f"state-{name}"), "origins": [origin]}
    config = write_config(folder / f"{name}.yaml", document)
    began_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "musefs", "scan", str(config)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert f"{count} files, {count} inspected, 0 failed".encode() in said
    return time.perf_counter() - began_s, used.ru_maxrss
