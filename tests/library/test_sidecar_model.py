"""Any sequence of changes shows the sidecars that a look at the files alone would have shown."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musefs.catalog.paths import folder_of
from musefs.library import tree as tree_module
from tests.catalog.records import fingerprint_of, opened, sidecar
from tests.library.trees import Entry, Grove, assert_sound, assert_told, song

FOLDERS = ["x", "y", "z", "z/cd1", "z/cd2"]


@dataclass(frozen=True)
class Step:
    """A file appears, changes (another `word`), or is gone (None); then some steps of the tree."""

    origin: str
    path: str
    word: str | None
    refreshes: int


Files = dict[tuple[str, str], str]

ORIGINS = st.sampled_from(["nas", "box"])
REFRESHES = st.sampled_from([0, 0, 0, 1, 2])
TRACKS = st.builds(
    Step,
    ORIGINS,
    st.sampled_from([f"{folder}/{n}.flac" for folder in FOLDERS for n in (1, 2)]),
    st.sampled_from(["A", "B", "C", "A", "B", None]),
    REFRESHES,
)
SIDECARS = st.builds(
    Step,
    ORIGINS,
    st.sampled_from([f"{folder}/cover.jpg" for folder in FOLDERS]),
    st.sampled_from(["p", "q", "p", None]),
    REFRESHES,
)
STEPS = st.lists(TRACKS | SIDECARS, min_size=6, max_size=40)


async def take(grove: Grove, files: Files, step: Step) -> None:
    """Take a step; a track's word is its artist, its path makes its bytes its own."""
    if step.word is None:
        files.pop((step.origin, step.path), None)
        await grove.remove(step.origin, step.path)
        return
    files[step.origin, step.path] = step.word
    if step.path.endswith(".jpg"):
        await grove.record(step.origin, sidecar(step.path, step.word))
    else:
        title = step.path.replace("/", "-").removesuffix(".flac")
        await grove.record(step.origin, song(step.path, step.word, title))


def shown(files: Files, inodes: dict[str, int]) -> set[tuple[str, bytes]]:
    """The folder of the tree and the bytes of every sidecar that there should be."""
    places: dict[tuple[str, str], Counter[str]] = {}
    for (origin, path), artist in files.items():
        if path.endswith(".flac"):
            places.setdefault((origin, folder_of(path)), Counter())[artist] += 1
    found = set()
    for (origin, path), word in files.items():
        if path.endswith(".jpg"):
            place = place_of(origin, folder_of(path), places, inodes)
            if place is not None:
                found.add((place, fingerprint_of(word)))
    return found


def place_of(
    origin: str, folder: str, places: dict[tuple[str, str], Counter[str]], inodes: dict[str, int]
) -> str | None:
    direct = places.get((origin, folder))
    if direct:
        return min(direct, key=lambda artist: (-direct[artist], inodes[artist]))
    below = set[str]()
    for (other, inner), artists in places.items():
        if other == origin and folder_of(inner) == folder:
            below |= set(artists)
    return below.pop() if len(below) == 1 else None


async def refresh(grove: Grove) -> bool:
    before = await grove.entries()
    grove.now_ns += 1
    change = await grove.tree.refresh()
    assert_told(before, await grove.entries(), [change] if change else [])
    return change is not None


async def check(grove: Grove, files: Files) -> None:
    entries = await grove.entries()
    assert_sound(entries, grove.adopted.names)
    rows = await grove.database.rows("SELECT id, fingerprint FROM contents")
    fingerprints: dict[int, bytes] = dict(rows)
    found = [entry for entry in entries.values() if entry.node.kind == "sidecar"]
    pairs = [(entry.path[0], fingerprints[entry.node.content_id or 0]) for entry in found]
    folders = {
        entry.path[0]: inode
        for inode, entry in entries.items()
        if entry.node.kind == "folder" and entry.path
    }
    assert len(set(pairs)) == len(pairs)
    assert set(pairs) == shown(files, folders)
    await check_files(grove, found)


async def check_files(grove: Grove, found: list[Entry]) -> None:
    """Each entry stands for a file that has the bytes it shows."""
    rows = await grove.database.rows("SELECT id, content_id FROM files WHERE kind = 'sidecar'")
    contents: dict[int, int] = dict(rows)
    for entry in found:
        assert contents[entry.file_id or 0] == entry.node.content_id


@pytest.mark.parametrize("changes_max", [1, 4, 500])
@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_the_sidecars_are_those_that_the_files_make(steps: list[Step], changes_max: int) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with opened(Path(folder) / "catalogue.db") as database:
                grove, files = Grove(database), Files()
                for step in steps:
                    await take(grove, files, step)
                    for _ in range(step.refreshes):
                        await refresh(grove)
                while await refresh(grove):
                    pass
                await check(grove, files)

    with mock.patch.object(tree_module, "CHANGES_PER_TRANSACTION_MAX", changes_max):
        asyncio.run(run())
