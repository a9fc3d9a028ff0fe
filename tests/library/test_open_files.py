"""Open files: the right bytes of the version that was opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from musefs.catalog.contents import Contents
from musefs.catalog.nodes import Node
from musefs.content.block_pool import BlockPool
from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.content.readahead import ReadAhead, ReadAheadBudget
from musefs.errors import NoSuchEntry
from musefs.kit.background import BackgroundTasks
from musefs.layout.segments import Backing, Layout, Synthesised
from musefs.library.library import Library
from musefs.library.naming import NamingRules
from musefs.library.open_files import Keepers, OpenFile, OpenFiles
from musefs.library.segment_reading import SegmentReader
from musefs.library.servings import GivenPictures, Serving, Servings
from musefs.library.whereabouts import Whereabouts
from musefs.model import Content, ContentId
from tests.catalog.records import fingerprint_of, sidecar
from tests.content.shelves import LIMITS, running, settled
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, truth
from tests.library.trees import Grove, song

MIB = 1 << 20


class Desk:
    """Open files over a source that gives the truth."""

    def __init__(self, grove: Grove, store: ChunkStore, source: CountingSource) -> None:
        self.grove = grove
        self.source = source
        self.store = store
        self.pool = BlockPool(store, 8 * MIB)
        self.tasks = BackgroundTasks(10)
        self.made: list[ReadAhead] = []
        self.budget = ReadAheadBudget(4 * MIB)
        self.whereabouts = Whereabouts(Contents(grove.database), store, ["direct"])
        self.pictures = BlockPool(GivenPictures(grove.database), MIB)
        keepers = Keepers(self.pool, self._read_ahead, self.pictures, self.pool)
        self.files = OpenFiles(Servings(grove.database, self.whereabouts), keepers)

    def _read_ahead(self) -> ReadAhead:
        self.made.append(ReadAhead(self.pool, self.budget, self.tasks, MIB))
        return self.made[-1]

    async def node(self, path: str) -> Node:
        """An entry of the tree."""
        return await Library(self.grove.database, NamingRules()).walk(path)


@asynccontextmanager
async def desk_over(grove: Grove, root: Path) -> AsyncIterator[Desk]:
    shelf = ChunkFiles(root)
    source = CountingSource()
    async with running(ChunkStore(source, shelf, MemoryChunkIndex(), LIMITS)) as store:
        desk = Desk(grove, store, source)
        yield desk
        await desk.tasks.aclose()
        await desk.pool.aclose()
        await desk.pictures.aclose()
    shelf.close()


@pytest.fixture
async def desk(grove: Grove, tmp_path: Path) -> AsyncIterator[Desk]:
    await grove.record("nas", song("a/1.flac", "A", "t"), sidecar("a/cover.jpg", "picture"))
    await grove.record("direct", song("b/2.flac", "B", "t"))
    await grove.refresh()
    async with desk_over(grove, tmp_path / "chunks") as desk:
        yield desk


async def test_reads_give_the_bytes_of_the_content(desk: Desk) -> None:
    node = await desk.node("A/t.flac")
    assert node.content_id is not None
    whole = truth(node.content_id, node.size)
    handle = await desk.files.open(node)
    assert desk.files.peek(handle, 0, 10) is None
    for offset, size in ((0, 10), (100, 300), (node.size - 5, 100), (0, 10_000)):
        assert bytes(await desk.files.read(handle, offset, size)) == whole[offset : offset + size]
    ready = desk.files.peek(handle, 100, 50)
    assert ready is not None
    assert bytes(ready) == whole[100:150]
    assert await desk.files.read(handle, node.size, 10) == b""
    assert desk.files.peek(handle, node.size + 7, 10) == b""


async def test_files_are_counted_until_they_are_released(desk: Desk) -> None:
    assert desk.files.idle.is_set()
    node = await desk.node("A/t.flac")
    first, second = await desk.files.open(node), await desk.files.open(node)
    assert first != second
    assert (len(desk.files), desk.files.idle.is_set()) == (2, False)
    desk.files.release(first)
    desk.files.release(first)
    assert (len(desk.files), desk.files.idle.is_set()) == (1, False)
    assert (await desk.files.read(second, 0, 4)) == truth(node.content_id or 0, node.size)[:4]
    desk.files.release(second)
    assert (len(desk.files), desk.files.idle.is_set()) == (0, True)


async def test_an_open_file_stays_the_version_that_was_opened(desk: Desk) -> None:
    node = await desk.node("A/t.flac")
    handle = await desk.files.open(node)
    await desk.grove.record("nas", song("a/1.flac", "A", "t", take=22))
    await desk.grove.refresh()
    after = await desk.node("A/t.flac")
    assert (after.inode, after.content_id == node.content_id) == (node.inode, False)
    whole = truth(node.content_id or 0, node.size)
    assert bytes(await desk.files.read(handle, 0, 10_000)) == whole
    other = await desk.files.open(after)
    assert bytes(await desk.files.read(other, 0, 10_000)) == truth(
        after.content_id or 0, after.size
    )


async def test_a_file_of_bytes_is_those_bytes(desk: Desk) -> None:
    handle = desk.files.open_bytes(b"0123456789")
    assert desk.files.peek(handle, 2, 3) == b"234"
    assert await desk.files.read(handle, 8, 100) == b"89"
    assert desk.files.peek(handle, 10, 100) == b""
    empty = desk.files.open_bytes(b"")
    assert desk.files.peek(empty, 0, 100) == b""
    assert await desk.files.read(empty, 0, 100) == b""
    desk.files.release(handle)
    desk.files.release(empty)
    assert len(desk.files) == 0


async def test_a_file_of_several_parts_is_joined(desk: Desk) -> None:
    content = Content(ContentId(77), 2000, 0, 2000)
    layout = Layout((Synthesised(b"header"), Backing(100, 500), Synthesised(b"end")))
    serving = Serving(content, layout, (content.id, 1))
    reader = SegmentReader(serving, desk.pool, desk.pictures)
    handle = desk.files._keep(OpenFile(None, layout, reader))
    whole = b"header" + truth(77, 2000)[100:600] + b"end"
    assert bytes(await desk.files.read(handle, 0, 10_000)) == whole
    assert bytes(await desk.files.read(handle, 3, 20)) == whole[3:23]
    assert desk.files.peek(handle, 3, 20) is None
    assert desk.files.peek(handle, 1, 3) == b"ead"


async def test_files_of_origins_that_are_read_through_stay_out_of_the_cache(desk: Desk) -> None:
    node = await desk.node("B/t.flac")
    handle = await desk.files.open(node)
    assert desk.made == []
    assert (
        bytes(await desk.files.read(handle, 0, 50)) == truth(node.content_id or 0, node.size)[:50]
    )
    await settled(desk.store)
    assert await desk.whereabouts.cached_percent(node) == 0
    assert desk.store.stats().chunks == 0


async def test_a_replica_that_is_cached_makes_the_content_so(desk: Desk) -> None:
    await desk.grove.record("direct", song("c/1.flac", "A", "t"))
    await desk.grove.refresh()
    handle = await desk.files.open(await desk.node("A/t.flac"))
    assert len(desk.made) == 1
    desk.files.release(handle)


async def test_what_is_near_and_where_it_comes_from_is_told(desk: Desk) -> None:
    node = await desk.node("A/t.flac")
    assert await desk.whereabouts.cached_percent(node) == 0
    handle = await desk.files.open(node)
    await desk.files.read(handle, 0, node.size)
    await settled(desk.store)
    assert await desk.whereabouts.cached_percent(node) == 100
    [replica] = await desk.whereabouts.replicas(node)
    assert (replica.origin_id, replica.path) == ("nas", "a/1.flac")
    assert await desk.whereabouts.fingerprint(node) == fingerprint_of("A|t|1")


async def test_a_sidecar_is_a_file_like_others(desk: Desk) -> None:
    node = await desk.node("A/cover.jpg")
    handle = await desk.files.open(node)
    assert bytes(await desk.files.read(handle, 0, 9)) == truth(node.content_id or 0, node.size)[:9]
    assert await desk.whereabouts.fingerprint(node) == fingerprint_of("picture")


async def test_a_folder_and_a_content_that_is_gone_cannot_be_opened(desk: Desk) -> None:
    with pytest.raises(NoSuchEntry, match="A: its content is no longer"):
        await desk.files.open(await desk.node("A"))
    node = await desk.node("A/t.flac")
    gone = Node(node.inode, node.parent, "x", "track", None, ContentId(999), 1, 0, 0)
    with pytest.raises(NoSuchEntry, match="x: its content"):
        await desk.files.open(gone)
    assert len(desk.files) == 0


async def test_a_file_is_opened_again_without_a_query(desk: Desk) -> None:
    node = await desk.node("A/t.flac")
    desk.files.release(await desk.files.open(node, desk.files.ready.changes))
    handle = desk.files.open_ready(node.inode)
    assert handle is not None
    assert bytes(await desk.files.read(handle, 0, 100)) == truth(node.content_id or 0, 100)
    desk.files.release(handle)
    desk.files.ready.forget_all()
    assert desk.files.open_ready(node.inode) is None


async def test_what_changed_while_it_was_looked_up_is_not_kept_ready(desk: Desk) -> None:
    node = await desk.node("A/t.flac")
    as_of = desk.files.ready.changes
    desk.files.ready.forget_all()
    desk.files.release(await desk.files.open(node, as_of))
    assert desk.files.open_ready(node.inode) is None
