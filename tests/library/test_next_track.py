"""Which track follows another one in its folder."""

from __future__ import annotations

from musefs.catalog.nodes import next_track
from musefs.model import Inode
from tests.catalog.records import sidecar
from tests.library.trees import Grove, song


async def test_the_next_track_is_that_by_name_in_the_same_folder(grove: Grove) -> None:
    await grove.record(
        "nas",
        song("x/2", "Ana", "2 b"),
        song("x/1", "Ana", "1 a"),
        song("x/9", "Bo", "3 c"),
        sidecar("x/1b.cue", "cue"),
    )
    await grove.refresh()
    inodes = await grove.inodes()
    following = await next_track(grove.database, Inode(inodes["Ana/1 a"]))
    assert following is not None
    assert following.inode == inodes["Ana/2 b"]
    assert await next_track(grove.database, Inode(inodes["Ana/2 b"])) is None
    assert await next_track(grove.database, Inode(4711)) is None
