"""Any sequence of changes leaves the tree that a look at the files alone would have made."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from musefs.catalog.changelog import pending_count
from musefs.catalog.records import FileRecord
from musefs.library import tree as tree_module
from musefs.library.naming import fold, number_of, numbered
from tests.catalog.records import fingerprint_of, opened, track
from tests.library.trees import (
    BY_TAGS,
    PRIORITIES,
    Entry,
    Grove,
    assert_sound,
    assert_told,
    rules_of,
)

BY_PATH = "$origin/$filename"


@dataclass(frozen=True)
class Song:
    """What a file holds. Few values, so that names collide; takes differ in their bytes."""

    artist: str
    album: str
    title: str
    take: int

    @property
    def word(self) -> str:
        """Names the bytes."""
        return f"{self.artist}|{self.album}|{self.title}|{self.take}"

    def at(self, path: str) -> FileRecord:
        """The record of a file that holds this."""
        named = {"artist": self.artist, "album": self.album, "title": self.title}
        return track(path, self.word, {name: [value] for name, value in named.items() if value})


@dataclass(frozen=True)
class Put:
    """A file appears, or gets other bytes."""

    origin: str
    path: str
    song: Song


@dataclass(frozen=True)
class Remove:
    """A file is gone."""

    origin: str
    path: str


@dataclass(frozen=True)
class Refresh:
    """The tree follows so many steps; broken off at the last one when `broken`."""

    steps: int
    broken: bool


@dataclass(frozen=True)
class Adopt:
    """The rules are others from now on."""

    template: str
    case_insensitive: bool


ORIGINS = st.sampled_from(sorted(PRIORITIES))
PATHS = st.sampled_from(["x/1.flac", "x/2.flac", "y/1.flac", "y/z/3.flac", "4.flac"])
SONGS = st.builds(
    Song,
    st.sampled_from(["A", "a"]),
    st.sampled_from(["", "X", "x"]),
    st.sampled_from(["t", "T", "t (2)"]),
    st.integers(1, 3),
)
STEPS = st.lists(
    st.one_of(
        st.builds(Put, ORIGINS, PATHS, SONGS),
        st.builds(Put, ORIGINS, PATHS, SONGS),
        st.builds(Put, ORIGINS, PATHS, SONGS),
        st.builds(Remove, ORIGINS, PATHS),
        st.builds(Refresh, st.integers(1, 4), st.booleans()),
        st.builds(Adopt, st.sampled_from([BY_TAGS, BY_PATH]), st.booleans()),
    ),
    min_size=8,
    max_size=40,
)


@dataclass
class Model:
    """The files, and the tree that follows them."""

    grove: Grove
    files: dict[tuple[str, str], Song] = field(default_factory=dict)
    template: str = BY_TAGS
    case_insensitive: bool = False
    seen: set[int] = field(default_factory=set)

    async def do(self, step: Put | Remove | Refresh | Adopt) -> None:
        """Take a step, in the files and in the catalogue."""
        match step:
            case Put(origin, path, song):
                self.files[origin, path] = song
                await self.grove.record(origin, song.at(path))
            case Remove(origin, path):
                self.files.pop((origin, path), None)
                await self.grove.remove(origin, path)
            case Adopt(template, case_insensitive):
                self.template, self.case_insensitive = template, case_insensitive
                rules = rules_of(template, case_insensitive=case_insensitive)
                await self.grove.adopt(rules)
            case Refresh(steps, broken):
                for _ in range(steps):
                    await self.refresh()
                if broken:
                    await self.break_off()

    async def refresh(self) -> bool:
        """Follow one transaction, and see what it did; False when there is nothing to do."""
        before = await self.grove.entries()
        self.grove.now_ns += 1
        change = await self.grove.tree.refresh()
        after = await self.grove.entries()
        assert_told(before, after, [change] if change else [])
        assert not (set(after) - set(before)) & self.seen
        self.seen |= set(after)
        kept = inodes_of(before).items() & inodes_of(after).items()
        assert {track for track, _ in kept} == set(inodes_of(before)) & set(inodes_of(after))
        return change is not None

    async def break_off(self) -> None:
        """A refresh that is killed at its end."""
        before = await self.grove.entries()
        with mock.patch.object(tree_module, "finish", side_effect=ZeroDivisionError):
            try:
                await self.grove.tree.refresh()
            except ZeroDivisionError:
                assert await self.grove.entries() == before

    def places(self) -> dict[bytes, tuple[str, ...]]:
        """Where each content should be, its name without a number."""
        found: dict[Song, tuple[int, str, str]] = {}
        for (origin, path), song in self.files.items():
            shown = (PRIORITIES[origin], origin, path)
            found[song] = min(shown, found.get(song, shown))
        return {
            fingerprint_of(song.word): self._place(song, origin, path)
            for song, (_, origin, path) in found.items()
        }

    def _place(self, song: Song, origin: str, path: str) -> tuple[str, ...]:
        if self.template == BY_PATH:
            return origin, path.rpartition("/")[2]
        album = (song.album,) if song.album else ()
        return (song.artist, *album, f"{song.title}.flac")

    async def check(self) -> None:
        """The tree is the one that these files make."""
        assert await pending_count(self.grove.database) == 0
        names = self.grove.adopted.names
        entries = await self.grove.entries()
        assert_sound(entries, names)
        rows = await self.grove.database.rows("SELECT id, fingerprint FROM contents")
        fingerprints: dict[int, bytes] = dict(rows)
        shown = [entry for entry in entries.values() if entry.node.kind == "track"]
        found = {fingerprints[entry.node.content_id or 0]: entry for entry in shown}
        places = self.places()
        assert len(found) == len(shown)
        assert set(found) == set(places)
        for fingerprint, entry in found.items():
            *folders, name = entry.path
            *wanted, plain = places[fingerprint]
            assert [fold(folder, names) for folder in folders] == [
                fold(folder, names) for folder in wanted
            ]
            assert name == numbered(plain, number_of(name)) or name == plain


def inodes_of(entries: Mapping[int, Entry]) -> dict[int, int]:
    """The inodes of the tracks."""
    return {
        entry.node.track_id: inode
        for inode, entry in entries.items()
        if entry.node.track_id is not None
    }


async def run(steps: list[Put | Remove | Refresh | Adopt], changes_max: int) -> Model:
    """Take the steps, have the tree follow the rest, and check it."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder) / "catalogue.db") as database:
            model = Model(Grove(database))
            with mock.patch.object(tree_module, "CHANGES_PER_TRANSACTION_MAX", changes_max):
                for step in steps:
                    await model.do(step)
                while await model.refresh():
                    pass
                await model.check()
    return model


@pytest.mark.parametrize("changes_max", [1, 3, 500])
@settings(max_examples=25, deadline=None)
@given(steps=STEPS)
def test_the_tree_is_the_one_that_the_files_make(
    steps: list[Put | Remove | Refresh | Adopt], changes_max: int
) -> None:
    asyncio.run(run(steps, changes_max))


@settings(max_examples=25, deadline=None)
@given(files=st.dictionaries(st.tuples(ORIGINS, PATHS), SONGS, max_size=10))
def test_numbers_of_a_fresh_tree_have_no_gaps(files: dict[tuple[str, str], Song]) -> None:
    async def fresh() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with opened(Path(folder) / "catalogue.db") as database:
                model = Model(Grove(database), files)
                for (origin, path), song in files.items():
                    await model.grove.record(origin, song.at(path))
                await model.grove.refresh()
                await model.check()
                wanted = Counter(model.places().values())
                if any("(2)" in name for *_, name in wanted):
                    return
                assert set(await model.grove.paths()) == {
                    "/".join((*folders, numbered(name, number)))
                    for (*folders, name), count in wanted.items()
                    for number in range(1, count + 1)
                }

    asyncio.run(fresh())
