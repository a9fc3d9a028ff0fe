"""Everything that is found out of the served files, once for all tests.

Programs that are slow to start read all files in one go; only the originals that the selected tests
ask for are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.lab.decoding import Decoded, complaints, decode_all
from tests.lab.readers import READERS
from tests.lab.readers.shown import FAMILIES, Shown
from tests.lab.readers.sights import INFO, LONG_ASF, LONG_OGG_FLAC, Sight, sight_of
from tests.lab.served import Retagged, retag
from tests.matrix.changes import CHANGES
from tests.matrix.originals import original_format, originals

SAYS_NO_MORE = frozenset({("ffprobe", "text_png")})
"""Slow readers, and changes that are like others to them: ffprobe shows texts alone."""
_LONG_CHANGES = frozenset({"lyrics", "text_jpeg", "text_png"})


@dataclass(frozen=True, slots=True, repr=False)
class Case:
    """One original with one change; `path` is the file as it is served."""

    name: str
    change: str
    path: Path
    retagged: Retagged
    served: bytes

    def sight(self, reader: str) -> Sight | None:
        """How a reader sees this file."""
        suffix, flavours = self.path.suffix, list[str]()
        if self.name in ("info.wav", "chunk.wav"):
            flavours.append(INFO)
        if suffix == ".oga" and self.change in _LONG_CHANGES:
            flavours.append(LONG_OGG_FLAC)
        if suffix == ".wma" and self.change == "lyrics":
            flavours.append(LONG_ASF)
        return sight_of(reader, *flavours, suffix, FAMILIES[original_format(self.name)])


@dataclass(frozen=True, slots=True, repr=False)
class Bench:
    """What all readers, the decoder and the checkers say of the cases, and of the originals."""

    cases: Mapping[tuple[str, str], Case]
    failures: Mapping[tuple[str, str], str]
    shown: Mapping[str, Mapping[Path, Shown]]
    decoded: Mapping[Path, Decoded]
    complaints: Mapping[Path, tuple[str, ...]]

    def case(self, name: str, change: str) -> Case:
        """A case; fails the test when there is no served file."""
        assert (name, change) in self.cases, self.failures[name, change]
        return self.cases[name, change]


def changes_of(name: str) -> tuple[str, ...]:
    """The changes that say something about an original: to take away what is not there does not."""
    return tuple(change for change in CHANGES if change != "bare" or name in PICTURED)


PICTURED = frozenset(
    {"plain.flac", "id3.flac", "v22.mp3", "v23.mp3", "v24.mp3", "unsynchronised_cover.mp3"}
    | {"last.m4a", "first.m4a", "co64_last.m4a", "co64_first.m4a"}
    | {"opus.opus", "chunk.wav", "stream.dsf"}
)
"""Originals with an embedded picture."""


def prepare(folder: Path, names: Sequence[str]) -> Bench:
    """Serve every change of these originals from a folder, and have everything look at it."""
    cases: dict[tuple[str, str], Case] = {}
    failures: dict[tuple[str, str], str] = {}
    for name in names:
        for change in changes_of(name):
            try:
                cases[name, change] = _served(folder, name, change)
            except Exception as error:  # noqa: BLE001 - one broken case must not hide the others
                failures[name, change] = f"{name} {change}: {type(error).__name__}: {error}"
    paths = [case.path for case in cases.values()]
    every = [*paths, *(originals()[name] for name in names)]
    with ThreadPoolExecutor(2) as pool:
        decoding = pool.submit(decode_all, every)
        checking = pool.submit(lambda: {path: complaints(path) for path in every})
        shown = {reader: _read(reader, list(cases.values())) for reader in READERS}
        return Bench(cases, failures, shown, decoding.result(), checking.result())


def _read(reader: str, cases: Sequence[Case]) -> dict[Path, Shown]:
    """Originals as well: what stays as it is may look strange in them already."""
    seen = [case for case in cases if (reader, case.change) not in SAYS_NO_MORE]
    paths = [case.path for case in seen if case.sight(reader) is not None]
    names = {case.name for case in seen if case.sight(reader) is not None}
    return READERS[reader](paths + [originals()[name] for name in sorted(names)])


def _served(folder: Path, name: str, change: str) -> Case:
    retagged = retag(originals()[name], CHANGES[change])
    served = retagged.materialise()
    path = folder / f"{change}-{name}"
    path.write_bytes(served)
    return Case(name, change, path, retagged, served)
