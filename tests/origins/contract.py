"""What every kind of origin must do, as one suite.

A kind's test module subclasses OriginContract and gives it a `peer` fixture: files that the test
may create, replace and delete, and a way to open them as an origin.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Protocol, cast

import pytest

from origins import WHOLE_ORIGIN, FileChanged, FileInfo, FileMissing, Limits, Origin
from origins.errors import OriginUnavailable

AWKWARD = [
    "with blank/t 1.flac",
    "per%20cent %41.flac",
    "question?mark=1&a.flac",
    "hash#tag.flac",
    "plus+plus.flac",
    "Björk/Jóga ♫.flac",
    "decomposed e\u0301.flac",
    "quote'\"`$(x).flac",
    "-dash.flac",
    ".hidden/..two.flac",
    "back\\slash.flac",
    "tab\there.flac",
]


class Peer(Protocol):
    """Where an origin's files really are."""

    def put(self, path: str, data: bytes) -> None:
        """Create or replace a file."""
        ...

    def delete(self, path: str) -> None:
        """Delete a file."""
        ...

    def open(self, limits: Limits) -> Origin:
        """The files as an origin; if the kind has a choice, one that polls."""
        ...


@asynccontextmanager
async def opened(peer: Peer, limits: Limits | None = None) -> AsyncIterator[Origin]:
    """An origin for the length of a test."""
    origin = peer.open(limits or Limits())
    try:
        yield origin
    finally:
        await origin.aclose()


async def listed(origin: Origin, below: str = "") -> dict[str, FileInfo]:
    """The whole listing by path; no path may come twice."""
    infos = [info async for info in origin.list(below)]
    by_path = {info.path: info for info in infos}
    assert len(by_path) == len(infos)
    return by_path


async def read_whole(origin: Origin, path: str) -> bytes:
    """A file's bytes, by stat and one read."""
    info = await origin.stat(path)
    return await origin.read(path, info.version, 0, info.size)


def some_bytes(size: int, seed: int = 1) -> bytes:
    """Bytes that are the same at every run."""
    return random.Random(seed).randbytes(size)


class OriginContract:
    """Tests that each kind inherits."""

    async def test_an_empty_root_lists_nothing(self, peer: Peer) -> None:
        async with opened(peer) as origin:
            assert await listed(origin) == {}

    async def test_a_listing_is_complete(self, peer: Peer) -> None:
        sizes = {f"artist {n % 37}/album/{n:04d}.flac": n % 5 for n in range(1105)}
        for path, size in sizes.items():
            peer.put(path, b"x" * size)
        async with opened(peer) as origin:
            found = await listed(origin)
        assert {path: info.size for path, info in found.items()} == sizes

    async def test_a_listing_below_a_folder_has_full_paths(self, peer: Peer) -> None:
        for path in ("a/b/1.flac", "a/b/c/2.flac", "a/bb/3.flac", "4.flac"):
            peer.put(path, b"x")
        async with opened(peer) as origin:
            assert set(await listed(origin, "a/b")) == {"a/b/1.flac", "a/b/c/2.flac"}

    async def test_listing_a_missing_folder_is_refused(self, peer: Peer) -> None:
        peer.put("a/1.flac", b"x")
        async with opened(peer) as origin:
            with pytest.raises(FileMissing):
                await listed(origin, "nothing here")

    async def test_a_listing_may_be_left_early(self, peer: Peer) -> None:
        for n in range(20):
            peer.put(f"{n}/{n}.flac", b"x")
        async with opened(peer) as origin:
            files = cast("AsyncGenerator[FileInfo, None]", origin.list())
            async with aclosing(files):
                assert (await anext(files)).size == 1
            assert len(await listed(origin)) == 20

    async def test_stat_equals_the_listing(self, peer: Peer) -> None:
        for n in range(5):
            peer.put(f"a/{n}.flac", b"x" * n)
        async with opened(peer) as origin:
            for path, info in (await listed(origin)).items():
                assert await origin.stat(path) == info

    @pytest.mark.parametrize("path", ["missing", "a", "a/1.flac/x", "a/", "a/../a/missing", ""])
    async def test_stat_of_what_is_no_file_is_refused(self, peer: Peer, path: str) -> None:
        peer.put("a/1.flac", b"x")
        async with opened(peer) as origin:
            with pytest.raises(FileMissing) as refusal:
                await origin.stat(path)
        assert "\n" not in str(refusal.value)

    async def test_awkward_names_are_listed_and_read(self, peer: Peer) -> None:
        for path in AWKWARD:
            peer.put(path, path.encode())
        async with opened(peer) as origin:
            assert set(await listed(origin)) == set(AWKWARD)
            for path in AWKWARD:
                assert await read_whole(origin, path) == path.encode()

    async def test_reads_are_right_at_every_edge(self, peer: Peer) -> None:
        data = some_bytes(1000)
        peer.put("f", data)
        async with opened(peer) as origin:
            version = (await origin.stat("f")).version
            for offset, size in [
                (0, 1), (0, 1000), (0, 5000), (0, 0), (500, 0), (499, 2), (999, 1), (990, 100),
                (1000, 1), (1000, 0), (5000, 10),
            ]:  # fmt: skip
                got = await origin.read("f", version, offset, size)
                assert got == data[offset : offset + size], (offset, size)

    async def test_an_empty_file_reads_as_nothing(self, peer: Peer) -> None:
        peer.put("empty", b"")
        async with opened(peer) as origin:
            info = await origin.stat("empty")
            assert info.size == 0
            assert await origin.read("empty", info.version, 0, 10) == b""

    async def test_any_range_has_the_files_bytes(self, peer: Peer) -> None:
        data = some_bytes(3_000_017)
        peer.put("big", data)
        chance = random.Random(7)
        async with opened(peer) as origin:
            version = (await origin.stat("big")).version
            assert await origin.read("big", version, 0, len(data)) == data
            for _ in range(25):
                offset, size = chance.randrange(len(data) + 10), chance.randrange(700_000)
                got = await origin.read("big", version, offset, size)
                assert got == data[offset : offset + size], (offset, size)

    async def test_a_replaced_file_is_refused(self, peer: Peer) -> None:
        peer.put("f", b"old bytes")
        async with opened(peer) as origin:
            version = (await origin.stat("f")).version
            peer.put("f", b"new and longer bytes")
            with pytest.raises(FileChanged):
                await origin.read("f", version, 0, 100)
            assert await read_whole(origin, "f") == b"new and longer bytes"

    async def test_a_file_that_changes_between_reads_never_gives_new_bytes(
        self, peer: Peer
    ) -> None:
        peer.put("f", b"old bytes")
        async with opened(peer) as origin:
            version = (await origin.stat("f")).version
            assert await origin.read("f", version, 0, 100) == b"old bytes"
            peer.put("f", b"new and longer bytes")
            with suppress(FileChanged):
                assert await origin.read("f", version, 0, 100) == b"old bytes"
            assert await read_whole(origin, "f") == b"new and longer bytes"

    async def test_a_deleted_file_is_missing(self, peer: Peer) -> None:
        peer.put("f", b"bytes")
        peer.put("other", b"bytes")
        async with opened(peer) as origin:
            version = (await origin.stat("f")).version
            peer.delete("f")
            with pytest.raises(FileMissing):
                await origin.read("f", version, 0, 100)
            with pytest.raises(FileMissing):
                await origin.stat("f")
            assert set(await listed(origin)) == {"other"}

    async def test_many_reads_at_once_are_right(self, peer: Peer) -> None:
        contents = {f"{n}.flac": some_bytes(50_000 + n, n) for n in range(8)}
        for path, data in contents.items():
            peer.put(path, data)
        async with opened(peer) as origin:
            infos = await listed(origin)

            async def check(path: str, offset: int) -> None:
                got = await origin.read(path, infos[path].version, offset, 20_000)
                assert got == contents[path][offset : offset + 20_000]

            async with asyncio.TaskGroup() as group:
                for path in contents:
                    for offset in range(0, 50_000, 10_000):
                        group.create_task(check(path, offset))

    async def test_a_cancelled_read_leaves_the_origin_usable(self, peer: Peer) -> None:
        data = some_bytes(2_000_000)
        peer.put("f", data)
        async with opened(peer, Limits(requests_max=2, connections_max=1)) as origin:
            version = (await origin.stat("f")).version
            cancelled = 0
            for turns in range(12):
                reading = asyncio.create_task(origin.read("f", version, 0, len(data)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                reading.cancel()
                (outcome,) = await asyncio.gather(reading, return_exceptions=True)
                assert outcome == data or isinstance(outcome, asyncio.CancelledError)
                cancelled += isinstance(outcome, asyncio.CancelledError)
            assert cancelled
            assert await origin.read("f", version, 0, len(data)) == data

    async def test_polling_tells_that_it_began_and_then_ticks(self, peer: Peer) -> None:
        async with opened(peer, Limits(poll_s=0.05)) as origin:
            watching = cast("AsyncGenerator[frozenset[str], None]", origin.watch())
            async with aclosing(watching), asyncio.timeout(5):
                assert await anext(watching) == frozenset()
                assert await anext(watching) == {WHOLE_ORIGIN}
                assert await anext(watching) == {WHOLE_ORIGIN}

    async def test_a_check_passes(self, peer: Peer) -> None:
        async with opened(peer) as origin:
            await origin.check()

    async def test_closing_twice_is_fine_and_closed_is_unavailable(self, peer: Peer) -> None:
        peer.put("f", b"bytes")
        async with opened(peer) as origin:
            version = (await origin.stat("f")).version
            await origin.read("f", version, 0, 1)
            await origin.aclose()
            await origin.aclose()
            with pytest.raises(OriginUnavailable):
                await origin.stat("f")
