"""Runs the real command in a folder of its own, with a home and without settings of the outside."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.lab.corpus import make_library
from tests.lab.samples import shared_samples

TIMEOUT_S = 60
TRACKS = 12

Completed = subprocess.CompletedProcess[str]
Run = Callable[..., Completed]
Ask = Callable[..., Awaitable[SimpleNamespace]]


def clean_environment(home: Path) -> dict[str, str]:
    """The environment without settings of musefs."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MUSEFS_")}
    return kept | {"HOME": str(home)}


@pytest.fixture
def musefs(tmp_path: Path) -> Run:
    """`musefs(*arguments)` in the test's folder; more environment by keywords."""

    def run(*arguments: str | Path, **environment: str) -> Completed:
        return subprocess.run(
            [sys.executable, "-m", "musefs", *map(str, arguments)],
            cwd=tmp_path,
            env=clean_environment(tmp_path) | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )

    return run


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """`await ask(*arguments)`: runs the command while the service goes on serving."""

    async def ask(*arguments: str | Path, **environment: str) -> SimpleNamespace:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "musefs", *map(str, arguments)),
            cwd=tmp_path,
            env=clean_environment(tmp_path) | environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, errors = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
        return SimpleNamespace(code=process.returncode, out=out.decode(), errors=errors.decode())

    return ask


def complaint(done: Completed, code: int = 1) -> str:
    """The one line that a command ended with."""
    assert done.returncode == code, done.stderr
    assert done.stderr.startswith("musefs: ")
    assert done.stderr.count("\n") == 1
    return done.stderr.removeprefix("musefs: ").removesuffix("\n")


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small library that no test changes."""
    samples = next(iter(shared_samples().values())).parent
    folder = tmp_path_factory.mktemp("music")
    make_library(samples, folder, TRACKS)
    return folder


@pytest.fixture
def config(tmp_path: Path, music: Path) -> Path:
    """The configuration of a library whose second origin is empty; its state is beside it."""
    (tmp_path / "second").mkdir()
    path = tmp_path / "musefs.yaml"
    path.write_text(
        "state: state\norigins:\n"
        f"  - {{id: nas, kind: local, path: {music}, priority: 10, cache: on}}\n"
        "  - {id: attic, kind: local, path: second}\n"
    )
    return path


@pytest.fixture(scope="session")
def scanned_state(music: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state folder of that library, scanned once for all; nothing of it was to be cached."""
    folder = tmp_path_factory.mktemp("scanned")
    subprocess.run(
        [sys.executable, "-m", "musefs", "scan", _config_of(folder, music)],
        env=clean_environment(folder),
        capture_output=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    return folder / "state"


@pytest.fixture
def scanned(config: Path, scanned_state: Path) -> Path:
    """The configuration of a library that has been scanned."""
    shutil.copytree(scanned_state, config.parent / "state")
    return config


def _config_of(folder: Path, music: Path) -> str:
    path = folder / "musefs.yaml"
    path.write_text(f"state: state\norigins: [{{id: nas, kind: local, path: {music}}}]\n")
    return str(path)
