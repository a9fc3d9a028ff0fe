"""Pool over store over a source that fails, on a disk that rots: right bytes or the right error."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from musefs import model
from musefs.content import chunking, verification
from musefs.content.block_pool import BlockPool
from musefs.content.chunk_check import check_chunks
from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_store import ChunkStore
from musefs.errors import ContentUnavailable
from musefs.model import Content
from tests.content.shelves import LIMITS, chunk_paths, running
from tests.fakes.chunk_index import MemoryChunkIndex
from tests.fakes.source import CountingSource, content_of, truth


@st.composite
def geometries(draw: st.DrawFn) -> tuple[Content, ...]:
    """Three contents of any cut, empty ones and regions among them."""
    contents = []
    for number in range(3):
        start, end, size = sorted(draw(st.tuples(*[st.integers(0, 600)] * 3)))
        cacheable = draw(st.integers(0, 9)) > 0
        contents.append(content_of(100 + number, size, (start, end), cacheable=cacheable))
    return tuple(contents)


STEPS = st.lists(
    st.sampled_from(
        ["read"] * 6 + ["fault", "corrupt", "remove", "drop", "forget", "settle", "restart", "kill"]
    ),
    min_size=15,
    max_size=40,
)


@contextlib.contextmanager
def small_and_suspicious() -> Iterator[None]:
    """Chunks of 64 bytes, each verified when it is read, and no lines about broken ones."""
    logging.disable(logging.WARNING)
    every_read = mock.patch.object(verification, "SAMPLED_EVERY", 1)
    try:
        with (
            mock.patch.object(model, "CHUNK_BYTES", 64),
            mock.patch.object(chunking, "CHUNK_BYTES", 64),
            every_read,
        ):
            yield
    finally:
        logging.disable(logging.NOTSET)


@dataclass
class Stack:
    """The keepers of content, and what happens to them."""

    root: Path
    contents: tuple[Content, ...]
    dice: random.Random

    def __post_init__(self) -> None:
        self.source = CountingSource()
        self.index = MemoryChunkIndex()
        self.limits = replace(
            LIMITS,
            disk_bytes_max=self.dice.choice([200, 1000, 10_000]),
            queue_bytes_max=self.dice.choice([100, 10_000]),
            digests_max=self.dice.choice([5, 1000]),
            batch_rows_max=self.dice.choice([1, 3, 64]),
            batch_s=0.0,
        )

    async def live(self, steps: list[str]) -> list[str]:
        """Go through steps until one ends this life; the rest is for the next."""
        files = ChunkFiles(self.root)
        store = ChunkStore(self.source, files, self.index, self.limits, unclean=True)
        pool = BlockPool(store, self.dice.choice([50, 300, 5000]), room_wait_s=0.01)
        try:
            async with running(store):
                while steps:
                    step = steps.pop(0)
                    if step == "restart":
                        break
                    if step == "kill":
                        self.index.broken = True
                        break
                    await self.happen(step, pool)
        finally:
            self.index.broken = False
            await pool.aclose()
            files.close()
        assert pool.stats().reserved_bytes == 0
        return steps

    async def happen(self, step: str, pool: BlockPool) -> None:
        """One step."""
        if step == "read":
            await asyncio.gather(*(self.read(pool) for _ in range(self.dice.randrange(1, 6))))
        elif step == "fault":
            self.source.failures.append(ContentUnavailable("down"))
        elif step in ("corrupt", "remove"):
            self.damage(step)
        elif step == "drop":
            for content in self.contents:
                pool.drop(content.id)
        elif step == "forget":
            self.index.rows.clear()
        elif step == "settle":
            await asyncio.sleep(0.005)

    def damage(self, how: str) -> None:
        """Lose a chunk, or write over all of them; the store may remove some at the same time."""
        paths = chunk_paths(self.root)
        if how == "remove" and paths:
            self.dice.choice(paths).unlink(missing_ok=True)
        for path in paths if how == "corrupt" else ():
            with contextlib.suppress(FileNotFoundError), path.open("r+b") as chunk:
                size = self.dice.choice([0, 10, os.fstat(chunk.fileno()).st_size])
                chunk.truncate(0)
                chunk.write(self.dice.randbytes(size))

    async def read(self, pool: BlockPool) -> None:
        """A read: the truth, or an error that the source did raise."""
        content = self.dice.choice(self.contents)
        offset, size = self.dice.randrange(700), self.dice.randrange(700)
        failures = len(self.source.failures)
        try:
            data = await pool.read(content, offset, size)
        except ContentUnavailable as error:
            assert str(error) == "down"  # noqa: PT017 - the other outcome is as good
            assert failures > 0
        else:
            assert bytes(data) == truth(content.id, content.size)[offset : offset + size]
        stats = pool.stats()
        assert stats.bytes + stats.reserved_bytes <= pool._memory_bytes_max


@settings(max_examples=60, deadline=None)
@given(contents=geometries(), steps=STEPS, seed=st.integers(0, 2**32))
async def test_bytes_are_the_truth_or_the_sources_error(
    contents: tuple[Content, ...], steps: list[str], seed: int
) -> None:
    with small_and_suspicious(), tempfile.TemporaryDirectory() as folder:
        # Their chunks are counted when they are made: now, by the small size.
        contents = tuple(replace(content) for content in contents)
        stack = Stack(Path(folder), contents, random.Random(seed))
        while steps:
            steps = await stack.live(steps)
        stack.source.failures.clear()
        await stack.live(["read", "settle", "read"])

        files = ChunkFiles(stack.root)
        await check_chunks(stack.index, files, repair=True)
        assert (await check_chunks(stack.index, files, repair=False)).is_clean
        files.close()
