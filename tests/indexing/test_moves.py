"""Files that move at their origin: what of a track goes with them, over a restart too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from musefs.catalog.database import Database
from musefs.catalog.edits import edits_of, set_fields
from musefs.model import Inode, TrackId
from tests.catalog.records import opened
from tests.fakes.origin import FakeOrigin
from tests.indexing.music import Indexed, album
from tests.library.trees import Grove, rules_of

OLD, NEW = "album/0003.flac", "elsewhere/3.flac"
MINE = {"title": ("Mine",)}


@dataclass
class Edited:
    """A scanned origin with its tree, and one track of it that a user has edited."""

    indexed: Indexed
    grove: Grove
    track_id: TrackId
    inode: Inode

    async def scan(self) -> None:
        """Scan and have the tree follow."""
        await self.indexed.scan(accept_removals=True)
        await self.grove.refresh()

    def move(self) -> None:
        """Have the file stand somewhere else."""
        data = self.indexed.fake._files[OLD][0]
        self.indexed.fake.delete(OLD)
        self.indexed.fake.put(NEW, data)

    async def shown(self) -> dict[TrackId | None, tuple[Inode, str]]:
        """Inode and name of each track that is in the tree."""
        entries = (await self.grove.entries()).values()
        return {
            entry.node.track_id: (entry.node.inode, entry.node.name)
            for entry in entries
            if entry.node.kind == "track"
        }


async def edited(database: Database, fake: FakeOrigin) -> Edited:
    indexed, grove = Indexed(database, fake), Grove(database, rules_of("$title"))
    await indexed.scan()
    rows = await database.rows(
        "SELECT t.id FROM tracks t JOIN files f ON f.content_id = t.content_id WHERE f.path = ?",
        [OLD.encode()],
    )
    track_id = TrackId(rows[0][0])
    async with database.writing() as tx:
        await set_fields(tx, [track_id], MINE, 1)
    await grove.refresh()
    found = Edited(indexed, grove, track_id, Inode(0))
    found.inode, name = (await found.shown())[track_id]
    assert name == "Mine.flac"
    return found


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Edited]:
    async with opened(tmp_path / "catalogue.db") as database:
        yield await edited(database, FakeOrigin("nas", album(10)))


async def test_a_moved_file_keeps_inode_tags_and_content(here: Edited) -> None:
    contents = await here.indexed.database.rows("SELECT id FROM contents ORDER BY id")
    here.move()
    await here.scan()
    assert (await here.shown())[here.track_id] == (here.inode, "Mine.flac")
    assert len(await here.shown()) == 10
    assert await here.indexed.database.rows("SELECT id FROM contents ORDER BY id") == contents


async def test_a_file_that_comes_back_elsewhere_after_a_restart_has_its_edits(
    tmp_path: Path,
) -> None:
    fake = FakeOrigin("nas", album(10))
    data = fake._files[OLD][0]
    async with opened(tmp_path / "catalogue.db") as database:
        here = await edited(database, fake)
        fake.delete(OLD)
        await here.scan()
        assert here.track_id not in await here.shown()
    fake.put(NEW, data)
    async with opened(tmp_path / "catalogue.db") as database:
        again = Edited(
            Indexed(database, fake), Grove(database, rules_of("$title")), here.track_id, here.inode
        )
        await again.scan()
        inode, name = (await again.shown())[here.track_id]
        assert name == "Mine.flac"
        # The entry was gone for a while: whoever held its inode was told so.
        assert inode > here.inode
        edits = (await edits_of(database, [here.track_id]))[here.track_id]
        assert edits.fields == MINE


async def test_a_restart_between_removal_and_refresh_loses_nothing(tmp_path: Path) -> None:
    fake = FakeOrigin("nas", album(10))
    async with opened(tmp_path / "catalogue.db") as database:
        here = await edited(database, fake)
        here.move()
        await here.indexed.scan()
    async with opened(tmp_path / "catalogue.db") as database:
        again = Edited(
            Indexed(database, fake), Grove(database, rules_of("$title")), here.track_id, here.inode
        )
        await again.scan()
        assert (await again.shown())[here.track_id] == (here.inode, "Mine.flac")
