"""Files kept ready: never one that has changed, and no more than there may be."""

from __future__ import annotations

from dataclasses import replace

from musefs.catalog.nodes import Node
from musefs.layout.segments import Backing, Layout, original
from musefs.library.ready_files import SEGMENTS_MAX, ReadyFiles
from musefs.library.servings import Serving
from musefs.library.tree_change import TreeChange
from musefs.model import Content, ContentId, Inode, TrackId


def node(inode: int) -> Node:
    return Node(Inode(inode), Inode(1), f"{inode}", "track", TrackId(1), ContentId(1), 100, 0)


def serving(layout: Layout | None = None) -> Serving:
    content = Content(ContentId(1), 100, 0, 100)
    return Serving(content, layout or original(100), (content.id, None))


def test_what_was_looked_up_is_there_until_it_changes() -> None:
    ready = ReadyFiles()
    for inode in (7, 8, 9):
        ready.keep(node(inode), serving(), ready.changes)
    assert ready.get(Inode(7)) == (node(7), serving())
    assert ready.get(Inode(6)) is None


async def test_entries_that_are_others_now_are_forgotten_and_the_rest_is_kept() -> None:
    ready = ReadyFiles()
    for inode in (7, 8, 9):
        ready.keep(node(inode), serving(), ready.changes)
    gone = [(Inode(1), "8", Inode(8)), (Inode(1), "never seen", Inode(77))]
    await ready.follow(TreeChange(gone=gone, rewritten={Inode(9)}, folders={Inode(1)}))
    assert [inode for inode in (7, 8, 9) if ready.get(Inode(inode))] == [7]
    ready.forget_all()
    assert len(ready) == 0


async def test_what_was_looked_up_before_a_change_is_not_kept() -> None:
    ready = ReadyFiles()
    as_of = ready.changes
    await ready.follow(TreeChange())
    ready.keep(node(7), serving(), as_of)
    as_of = ready.changes
    ready.forget_all()
    ready.keep(node(7), serving(), as_of)
    assert len(ready) == 0


def test_the_least_recently_opened_goes_first() -> None:
    ready = ReadyFiles(files_max=2)
    for inode in (7, 8):
        ready.keep(node(inode), serving(), ready.changes)
    ready.get(Inode(7))
    ready.keep(node(9), serving(), ready.changes)
    assert [inode for inode in (7, 8, 9) if ready.get(Inode(inode))] == [7, 9]


def test_a_layout_of_many_segments_is_not_kept() -> None:
    ready = ReadyFiles()
    many = Layout((Backing(0, 1),) * (SEGMENTS_MAX + 1))
    ready.keep(node(7), replace(serving(), layout=many), ready.changes)
    assert len(ready) == 0
