"""Chunks that the disk holds, by the contents that share them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musefs.catalog.chunks import ChunkRow, Chunks
from musefs.catalog.contents import Contents
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.model import ContentId
from tests.catalog.records import sidecar, track

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
    assert sorted([row async for row in chunks.all()]) == [(A, 7, 0), (A, 7, 0), (B, 9, 0)]
    await chunks.forget([A])
    assert await chunks.chunks(one) == {3: B}
    assert await chunks.chunks(two) == {}


async def test_a_chunk_of_a_content_that_is_gone_is_still_known_to_be_on_disk(
    database: Database, contents: list[ContentId]
) -> None:
    chunks = Chunks(database)
    await chunks.record([ChunkRow(ContentId(max(contents) + 1), 0, A, 7)])
    assert [row async for row in chunks.all()] == [(A, 7, False)]


async def test_the_place_of_a_chunk_can_be_taken_by_another(
    database: Database, contents: list[ContentId]
) -> None:
    chunks = Chunks(database)
    await chunks.record([ChunkRow(contents[0], 0, A, 7)])
    await chunks.record([ChunkRow(contents[0], 0, B, 9)])
    assert await chunks.chunks(contents[0]) == {0: B}


async def test_a_chunk_that_was_kept_once_stays_kept_while_a_file_has_it(
    database: Database, contents: list[ContentId]
) -> None:
    chunks = Chunks(database)
    await chunks.record([ChunkRow(contents[0], 0, A, 7, kept=True), ChunkRow(contents[0], 1, B, 9)])
    await chunks.record([ChunkRow(contents[0], 2, A, 7), ChunkRow(contents[0], 1, B, 9)])
    assert {row async for row in chunks.all()} == {(A, 7, True), (B, 9, False)}
    await Files(database).remove("nas", await Files(database).ids("nas"))
    assert {row async for row in chunks.all()} == {(A, 7, False), (B, 9, False)}


async def test_files_without_their_first_chunk_near_are_found(database: Database) -> None:
    files, chunks = Files(database), Chunks(database)
    records = [
        replace(record, content=replace(record.content, regions=(0, 5, record.size)))
        for record in (track("a.flac", "a"), track("b.flac", "b"), track("c.flac", "c"))
        if record.content is not None
    ]
    records += [track("old.flac", "old"), sidecar("x/cover.jpg", "cover")]
    records += [sidecar("x/large.pdf", "large" * 30)]
    stored = await files.record("nas", records)
    await files.record("box", [track("other.flac", "d")])
    assert stored["a.flac"].content().regions == (0, 5, stored["a.flac"].size)
    assert stored["old.flac"].content().regions == (0, 100, stored["old.flac"].size)
    await chunks.record(
        [
            ChunkRow(stored["a.flac"].id, 0, A, 5, kept=True),
            ChunkRow(stored["b.flac"].id, 0, B, 5),
            ChunkRow(stored["c.flac"].id, 1, A, 5, kept=True),
        ]
    )
    paths = [record.path for record in records]
    found = await chunks.headless("nas", paths, sidecar_bytes_max=1100)
    assert found == {"b.flac", "c.flac", "x/cover.jpg"}


async def test_a_content_keeps_the_regions_it_was_found_with(database: Database) -> None:
    files = Files(database)
    first = track("a.flac", "a")
    assert first.content is not None
    cut = replace(first, content=replace(first.content, regions=(0, 5, first.size)))
    other = replace(first, content=replace(first.content, regions=(0, 6, first.size)))
    stored = await files.record("nas", [cut])
    again = await files.record("box", [other])
    assert again["a.flac"] == stored["a.flac"]
    assert await Contents(database).content(stored["a.flac"].id) == stored["a.flac"]
