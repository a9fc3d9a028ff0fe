"""Questions to the tree: names, inodes, folders, totals."""

from __future__ import annotations

import asyncio

import pytest

from musefs.catalog.nodes import ROOT
from musefs.errors import NoSuchEntry, NotAFolder
from musefs.library.library import Library
from musefs.library.naming import NamingRules
from musefs.library.tree_change import TreeChange
from musefs.model import Inode
from tests.catalog.records import size_of
from tests.library.trees import Grove, rules_of, song


@pytest.fixture
async def library(grove: Grove) -> Library:
    await grove.record("nas", song("1.flac", "B", "t"), song("2.flac", "A", "é"))
    await grove.refresh()
    return Library(grove.database, NamingRules())


async def test_a_path_leads_to_its_entry(library: Library) -> None:
    found = await library.walk("/A//é.flac/")
    assert (found.name, found.kind, found.size) == ("é.flac", "track", size_of("A|é|1"))
    assert await library.entry(found.inode) == found
    assert await library.lookup(found.parent, "é.flac") == found
    assert (await library.walk("")).inode == ROOT


async def test_a_name_that_is_not_there_is_told(library: Library) -> None:
    with pytest.raises(NoSuchEntry, match="x: there is no such file"):
        await library.walk("A/x")
    with pytest.raises(NoSuchEntry):
        await library.lookup(Inode(ROOT), "a")
    with pytest.raises(NoSuchEntry, match="inode 12345"):
        await library.entry(Inode(12345))
    with pytest.raises(NoSuchEntry):
        await library.children(Inode(12345))


async def test_a_file_is_no_folder(library: Library) -> None:
    with pytest.raises(NotAFolder, match=r"A/é.flac/x: é.flac is a file"):
        await library.walk("A/é.flac/x")
    file = await library.walk("A/é.flac")
    with pytest.raises(NotAFolder):
        await library.children(file.inode)


async def test_a_folder_lists_its_entries_by_name(library: Library) -> None:
    assert [node.name for node in await library.children(ROOT)] == ["A", "B"]


async def test_in_a_tree_without_case_any_case_is_found(grove: Grove, library: Library) -> None:
    await grove.adopt(rules_of(case_insensitive=True))
    await grove.refresh()
    any_case = Library(grove.database, NamingRules(case_insensitive=True))
    assert (await any_case.walk("a/É.FLAC")).name == "é.flac"


async def test_totals_are_remembered_until_the_tree_changes(grove: Grove, library: Library) -> None:
    first = await library.totals()
    assert (first.tracks, first.sidecars, first.folders) == (2, 0, 3)
    assert first.size_bytes == size_of("A|é|1") + size_of("B|t|1")
    await grove.record("nas", song("3.flac", "C", "t"))
    [change] = await grove.refresh()
    assert await library.totals() is first
    await library.follow(change)
    assert (await library.totals()).tracks == 3


async def test_totals_that_were_counted_before_a_change_are_not_remembered(
    grove: Grove, library: Library
) -> None:
    counting = asyncio.create_task(library.totals())
    await asyncio.sleep(0)
    await library.follow(TreeChange())
    assert await library.totals() is not await counting
    assert await library.totals() is await library.totals()
