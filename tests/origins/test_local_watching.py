"""Watching a local folder: what is told, when, and what happens when watching fails."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from origins import (
    Limits,
    LocalSpec,
)
from origins.base import WHOLE_ORIGIN
from origins.local import LocalOrigin
from origins.watching import file_system_of, relative, watch_folder
from tests.origins.local_peer import LocalPeer, run_script


@pytest.fixture
def peer(tmp_path: Path) -> LocalPeer:
    (tmp_path / "root").mkdir()
    return LocalPeer(tmp_path / "root")


@asynccontextmanager
async def watching(folder: Path) -> AsyncIterator[AsyncGenerator[frozenset[str], None]]:
    """A watch that has begun."""
    async with aclosing(watch_folder(os.fsencode(folder))) as batches, asyncio.timeout(15):
        assert await anext(batches) == frozenset()
        yield batches


async def told(batches: AsyncGenerator[frozenset[str], None], path: str) -> set[str]:
    """All that is told until the path is, which takes less than 2 s."""
    seen: set[str] = set()
    async with asyncio.timeout(2):
        while path not in seen:
            seen |= await anext(batches)
    return seen


async def test_changes_are_told_within_two_seconds(peer: LocalPeer) -> None:
    peer.put("album/1.flac", b"x")
    async with watching(peer.folder) as batches:
        peer.put("album/2.flac", b"x")
        await told(batches, "album/2.flac")
        with (peer.folder / "album/1.flac").open("ab") as file:
            file.write(b"more")
        await told(batches, "album/1.flac")
        peer.delete("album/1.flac")
        await told(batches, "album/1.flac")
        (peer.folder / "album").rename(peer.folder / "moved")
        seen = await told(batches, "moved")
        if "album" not in seen:
            await told(batches, "album")
        peer.put("moved/3.flac", b"x")
        await told(batches, "moved/3.flac")


async def test_a_burst_is_one_batch(peer: LocalPeer) -> None:
    async with watching(peer.folder) as batches:
        for n in range(2000):
            (peer.folder / f"{n}").write_bytes(b"x")
        batch = await anext(batches)
        assert len(batch) >= 2000 or batch == {WHOLE_ORIGIN}


async def test_a_root_that_vanishes_and_returns_is_told_whole(peer: LocalPeer) -> None:
    async with watching(peer.folder) as batches:
        shutil.rmtree(peer.folder)
        while WHOLE_ORIGIN not in await anext(batches):
            pass
        peer.folder.mkdir()
        assert await anext(batches) == {WHOLE_ORIGIN}
        peer.put("f", b"x")
        await told(batches, "f")


async def test_everything_is_told_now_and_then(peer: LocalPeer) -> None:
    async with aclosing(watch_folder(os.fsencode(peer.folder), 0.1)) as batches:
        assert await anext(batches) == frozenset()
        async with asyncio.timeout(5):
            assert await anext(batches) == {WHOLE_ORIGIN}


def test_without_enough_inotify_watches_it_is_polled(peer: LocalPeer) -> None:
    # A user namespace has limits of its own, so that nobody else runs out of watches.
    peer.put("a/b/c", b"x")
    few = ["sh", "-c", 'echo 2 > /proc/sys/user/max_inotify_watches; exec "$0" "$@"']
    namespace = ["unshare", "--user", "--map-root-user", *few]
    assert run_script("few_watches", str(peer.folder), namespace).splitlines() == [
        f"warning nas: {str(peer.folder)!r} cannot be watched",
        "[]",
        "['']",
    ]


async def test_watching_can_be_off(peer: LocalPeer) -> None:
    origin = LocalOrigin(LocalSpec("nas", peer.folder, "off", Limits(poll_s=0.01)))
    batches = origin.watch()
    assert await anext(batches) == frozenset()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await anext(batches)
    await origin.aclose()


async def test_auto_watches_a_disk(peer: LocalPeer) -> None:
    origin = LocalOrigin(LocalSpec("nas", peer.folder))
    batches = origin.watch()
    assert isinstance(batches, AsyncGenerator)
    async with aclosing(batches), asyncio.timeout(5):
        assert await anext(batches) == frozenset()
        peer.put("f", b"x")
        assert "f" in await anext(batches)
    await origin.aclose()


MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/music /srv/music nfs4 rw 0 0
/dev/vdb /srv/music/local\\040disk xfs rw 0 0
sshfs /srv/björk fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/home", "ext4"), ("/srv/music", "nfs4"), ("/srv/music/a", "nfs4"), ("/srv/musical", "ext4"),
     ("/srv/music/local disk/x", "xfs"), ("/srv/björk/x", "fuse.sshfs"), ("/", "ext4")],
)  # fmt: skip
def test_the_longest_mount_point_tells_the_file_system(folder: str, kind: str) -> None:
    assert file_system_of(MOUNTS, folder.encode()) == kind


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/m", ""), ("/m/a", "a"), ("/m/a/b", "a/b"), ("/m/a/b\ufffd.flac", "a"), ("/m/\ufffd/c", "")],
)
def test_changed_paths_are_relative_to_the_root(path: str, expected: str) -> None:
    assert relative("/m", path) == expected
