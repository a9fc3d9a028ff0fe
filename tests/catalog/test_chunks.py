"""Chunks that the disk holds, by the contents that share them."""

from __future__ import annotations

import pytest

from musefs.catalog.chunks import ChunkRow, Chunks
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.model import ContentId
from tests.catalog.records import track

A, B = b"a" * 32, b"b" * 32


@pytest.fixture
async def contents(database: Database) -> list[ContentId]:
    await Files(database).record("nas", [track("a.flac", "one"), track("b.flac", "two")])
    return [row[0] for row in await database.rows("SELECT id FROM contents ORDER BY id")]


async def test_a_chunk_that_contents_share_is_forgotten_for_all(
    database: Database, contents: list[ContentId]
) -> None:
    one, two = contents
    chunks = Chunks(database)
    rows = [ChunkRow(one, 0, A, 7), ChunkRow(one, 3, B, 9), ChunkRow(two, 0, A, 7)]
    await chunks.record(rows)
    await chunks.record(rows)
    assert await chunks.chunks(one) == {0: A, 3: B}
    assert await chunks.chunks(two) == {0: A}
    assert sorted([row async for row in chunks.all()]) == [(A, 7), (A, 7), (B, 9)]
    await chunks.forget([A])
    assert await chunks.chunks(one) == {3: B}
    assert await chunks.chunks(two) == {}


async def test_a_chunk_of_a_content_that_is_gone_is_still_known_to_be_on_disk(
    database: Database, contents: list[ContentId]
) -> None:
    chunks = Chunks(database)
    await chunks.record([ChunkRow(ContentId(max(contents) + 1), 0, A, 7)])
    assert [row async for row in chunks.all()] == [(A, 7)]


async def test_the_place_of_a_chunk_can_be_taken_by_another(
    database: Database, contents: list[ContentId]
) -> None:
    chunks = Chunks(database)
    await chunks.record([ChunkRow(contents[0], 0, A, 7)])
    await chunks.record([ChunkRow(contents[0], 0, B, 9)])
    assert await chunks.chunks(contents[0]) == {0: B}
