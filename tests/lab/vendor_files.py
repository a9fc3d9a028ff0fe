"""The test data of mutagen and TagLib: files that broke tag readers once.

They come with the projects' sources, from the package sources that this machine is set up with
(pip's and apt's own settings), and stay in a folder below the temporary one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

_TIMEOUT_S = 300
_MEMBERS_MAX = 20_000
_FILE_BYTES_MAX = 32 << 20


def mutagen_files() -> tuple[Path, ...]:
    """The test data of the mutagen that is installed. Raises CalledProcessError."""
    release = version("mutagen")
    return _files(f"mutagen-{release}", "tests/data", lambda folder: _pip_source(release, folder))


def taglib_files() -> tuple[Path, ...]:
    """The test data of the system's TagLib. Raises CalledProcessError."""
    return _files("taglib", "tests/data", _apt_source)


def _files(name: str, inside: str, download: Callable[[Path], None]) -> tuple[Path, ...]:
    kept = Path(tempfile.gettempdir()) / f"musefs-vendor-{os.getuid()}" / name
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as made:
            making = Path(made)
            download(making)
            (archive,) = making.glob("*.tar.*")
            unpacked = making / "unpacked"
            _unpack(archive, inside, unpacked)
            unpacked.rename(kept)
    return tuple(sorted(path for path in kept.iterdir() if path.is_file()))


def _pip_source(release: str, folder: Path) -> None:
    source_only = ("--no-binary", ":all:", "--no-deps")
    command = [sys.executable, "-m", "pip", "download", "--quiet", *source_only]
    _run([*command, "--dest", str(folder), f"mutagen=={release}"], folder)


def _apt_source(folder: Path) -> None:
    """apt with lists of its own: the same archives as the system's, asked for sources as well."""
    targets = ["apt-get", "indextargets", "--format", "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)"]
    lines = sorted(set(_run([*targets, "Created-By: Packages"], folder).splitlines()) - {""})
    state = folder / "apt"
    for name in ("lists/partial", "cache/archives/partial", "parts"):
        (state / name).mkdir(parents=True)
    (state / "sources.list").write_text("\n".join(lines) + "\n", "utf-8")
    own = {
        "Dir::Etc::SourceList": state / "sources.list",
        "Dir::Etc::SourceParts": state / "parts",
        "Dir::State::Lists": state / "lists",
        "Dir::Cache": state / "cache",
        "APT::Sandbox::User": "root",  # the folder is not open to apt's own user
    }
    options = [word for name, value in own.items() for word in ("-o", f"{name}={value}")]
    _run(["apt-get", *options, "--quiet", "update"], folder)
    _run(["apt-get", *options, "--quiet", "source", "--download-only", "taglib"], folder)
    shutil.rmtree(state)
    for patches in folder.glob("*.debian.tar.*"):
        patches.unlink()


def _run(command: list[str], folder: Path) -> str:
    ran = subprocess.run(
        command, cwd=folder, check=True, timeout=_TIMEOUT_S, capture_output=True, text=True
    )
    return ran.stdout


def _unpack(archive: Path, inside: str, target: Path) -> None:
    """The plain files of one folder of an archive, whatever its first folder is called."""
    target.mkdir()
    with tarfile.open(archive) as opened:
        for count, member in enumerate(opened):
            folder, _, name = member.name.rpartition("/")
            plain = member.isfile() and member.size <= _FILE_BYTES_MAX
            if count > _MEMBERS_MAX or not plain or folder.partition("/")[2] != inside:
                continue
            stream = opened.extractfile(member)
            assert stream is not None
            (target / name).write_bytes(stream.read())
