"""What the kernel is told of an entry, and folders that are kept ready."""

from __future__ import annotations

import asyncio
import stat

import pytest

from musefs.catalog.nodes import Node
from musefs.model import Inode
from musefs.mount.attributes import (
    ENTRIES_PER_TURN,
    KERNEL_TIMEOUT_S,
    Appearance,
    Listing,
    Listings,
    listing_of,
)

APPEARANCE = Appearance(uid=12, gid=34, file_mode=0o440, folder_mode=0o550)
FILE = Node(Inode(200), Inode(1), "é.flac", "track", None, None, 1025, 10**18 + 1, 0)
FOLDER = Node(Inode(201), Inode(1), "A", "folder", None, None, 0, 5, 3)


def row_of(node: Node) -> tuple[object, ...]:
    """What `nodes.listed` tells of it."""
    links = 2 + node.subfolders if node.kind == "folder" else 0
    return node.name.encode(), node.inode, links, node.size, node.mtime_ns


def listing(count: int) -> Listing:
    entry = APPEARANCE.attributes(FILE)
    return Listing(tuple(b"%d" % n for n in range(count)), (entry,) * count)


def test_a_file_has_one_link_and_whole_blocks() -> None:
    entry = APPEARANCE.attributes(FILE)
    assert (entry.st_ino, entry.st_uid, entry.st_gid) == (200, 12, 34)
    assert entry.st_mode == stat.S_IFREG | 0o440
    assert (entry.st_nlink, entry.st_size, entry.st_blocks) == (1, 1025, 3)
    assert entry.st_atime_ns == entry.st_mtime_ns == entry.st_ctime_ns == 10**18 + 1
    assert entry.entry_timeout == entry.attr_timeout == KERNEL_TIMEOUT_S


@pytest.mark.parametrize(("size", "blocks"), [(0, 0), (1, 1), (512, 1), (513, 2), (2**40, 2**31)])
def test_blocks_are_of_512_bytes(size: int, blocks: int) -> None:
    assert APPEARANCE.attributes(FILE._replace(size=size)).st_blocks == blocks


def test_a_sidecar_is_a_file_like_others() -> None:
    entry = APPEARANCE.attributes(FILE._replace(kind="sidecar"))
    assert (entry.st_mode, entry.st_nlink) == (stat.S_IFREG | 0o440, 1)


def test_a_folder_has_a_link_for_itself_its_name_and_each_subfolder() -> None:
    entry = APPEARANCE.attributes(FOLDER)
    assert entry.st_mode == stat.S_IFDIR | 0o550
    assert entry.st_nlink == 5


def test_a_date_before_1970_is_shown_as_1970() -> None:
    assert APPEARANCE.attributes(FILE._replace(mtime_ns=-1)).st_mtime_ns == 0


async def test_a_listing_has_names_as_bytes_in_order() -> None:
    made = await listing_of(APPEARANCE, [FOLDER], [row_of(FILE), row_of(FOLDER)])
    assert made.names == (b"A", "é.flac".encode(), b"A")
    assert [entry.st_ino for entry in made.attributes] == [201, 200, 201]


@pytest.mark.parametrize(
    "node", [FILE, FOLDER, FILE._replace(size=0), FOLDER._replace(subfolders=0)]
)
async def test_an_entry_looks_the_same_in_a_listing(node: Node) -> None:
    [listed] = (await listing_of(APPEARANCE, [], [row_of(node)])).attributes
    asked = APPEARANCE.attributes(node)
    names = [name for name in dir(asked) if name.startswith(("st_", "entry_", "attr_"))]
    assert len(names) > 12
    assert {name: getattr(listed, name) for name in names} == {
        name: getattr(asked, name) for name in names
    }


async def test_a_large_folder_lets_others_run_meanwhile() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    made = await listing_of(APPEARANCE, [], [row_of(FILE)] * (ENTRIES_PER_TURN * 3))
    task.cancel()
    assert len(made.names) == ENTRIES_PER_TURN * 3
    assert turns >= 3


def test_a_folder_that_was_made_ready_is_ready_until_it_changes() -> None:
    listings = Listings()
    one = listing(1)
    assert listings.get(Inode(5)) is None
    listings.keep(Inode(5), one, listings.changes)
    assert listings.get(Inode(5)) is one
    listings.drop([Inode(6)])
    assert listings.get(Inode(5)) is one
    listings.drop([Inode(5), Inode(7)])
    assert listings.get(Inode(5)) is None


def test_a_folder_that_was_read_before_a_change_is_not_kept() -> None:
    listings = Listings()
    as_of = listings.changes
    listings.drop([])
    listings.keep(Inode(5), listing(1), as_of)
    assert listings.get(Inode(5)) is None


def test_the_least_recently_used_folder_is_dropped_beyond_the_bound() -> None:
    listings = Listings(entries_max=10)
    for inode in (1, 2):
        listings.keep(Inode(inode), listing(5), 0)
    assert listings.get(Inode(1)) is not None
    listings.keep(Inode(3), listing(1), 0)
    kept = [inode for inode in (1, 2, 3) if listings.get(Inode(inode)) is not None]
    assert kept == [1, 3]


def test_a_folder_beyond_the_bound_is_not_kept() -> None:
    listings = Listings(entries_max=10)
    listings.keep(Inode(1), listing(11), 0)
    assert listings.get(Inode(1)) is None
    listings.keep(Inode(2), listing(10), 0)
    assert listings.get(Inode(2)) is not None


def test_a_folder_is_counted_once_and_given_back_when_it_is_dropped() -> None:
    listings = Listings(entries_max=10)
    first = listing(5)
    for _ in range(3):
        listings.keep(Inode(1), first, 0)
        listings.keep(Inode(1), listing(5), 0)
    assert listings.get(Inode(1)) is first
    listings.keep(Inode(2), listing(5), 0)
    assert listings.get(Inode(1)) is not None
    listings.drop([Inode(1)])
    listings.keep(Inode(3), listing(5), listings.changes)
    assert listings.get(Inode(2)) is not None
