"""The files that musefs shows of itself."""

from __future__ import annotations

from musefs.catalog.nodes import ROOT
from musefs.library.own_files import FOLDER_NAME, OwnFiles
from musefs.model import Inode


def own_files() -> OwnFiles:
    made = 0

    async def status() -> bytes:
        nonlocal made
        made += 1
        return b"x" * made

    async def unserved() -> bytes:
        return b""

    return OwnFiles({"unserved.txt": unserved, "status.json": status})


async def test_the_folder_is_found_in_the_root_alone() -> None:
    own = own_files()
    folder = await own.child(ROOT, FOLDER_NAME)
    assert folder is not None
    assert (folder.kind, folder.parent, folder.name) == ("folder", ROOT, ".musefs")
    assert folder.inode in own
    assert [node.inode for node in await own.children(ROOT)] == [folder.inode]
    assert await own.child(Inode(100), FOLDER_NAME) is None
    assert await own.child(ROOT, "status.json") is None
    assert await own.children(Inode(100)) == []


async def test_files_are_made_anew_each_time() -> None:
    own = own_files()
    folder = await own.child(ROOT, FOLDER_NAME)
    assert folder is not None
    status = await own.child(folder.inode, "status.json")
    assert status is not None
    assert (status.kind, status.size, status.parent) == ("sidecar", 1, folder.inode)
    assert await own.content(status.inode) == b"xx"
    again = await own.entry(status.inode)
    assert again is not None
    assert again.size == 3
    assert await own.child(folder.inode, "nothing") is None


async def test_all_files_are_listed_with_inodes_below_those_of_the_tree() -> None:
    own = own_files()
    files = await own.children(Inode(2))
    assert [file.name for file in files] == ["status.json", "unserved.txt"]
    assert all(ROOT < file.inode < 100 and file.inode in own for file in files)
    assert ROOT not in own
    assert await own.entry(ROOT) is None
