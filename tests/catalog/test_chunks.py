"""Chunks that the disk holds, by the contents that share them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from musefs.catalog.chunks import ChunkRow, Chunks, checkable_files, share_audio
from musefs.catalog.contents import Contents
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.model import Content, ContentId
from tests.catalog.records import ids_of, sidecar, track, unreadable

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
    await Files(database).remove("nas", await ids_of(Files(database), "nas"))
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


def cut(content_id: int, *regions: int, audio: tuple[int, int]) -> Content:
    return Content(ContentId(content_id), regions[-1], *audio, regions=regions)


async def shared(database: Database, old: Content, new: Content) -> dict[int, bytes]:
    """The chunks of the second of two contents after it has got the audio of the first."""
    await Files(database).record("nas", [track("a.flac", "one"), track("b.flac", "two")])
    chunks = Chunks(database)
    count = old.first_chunks[-1]
    rows = [ChunkRow(old.id, index, bytes([index]) * 32, 7) for index in range(count)]
    await chunks.record(rows)
    async with database.writing() as tx:
        await share_audio(tx, old, new)
    return dict(await chunks.chunks(new.id))


async def test_equal_audio_is_shared_behind_a_longer_head(database: Database) -> None:
    kib = 1 << 10
    old = cut(1, 0, 10 * kib, 50 * kib, 850 * kib, 900 * kib, audio=(10 * kib, 850 * kib))
    new = cut(2, 0, 300 * kib, 340 * kib, 1140 * kib, audio=(300 * kib, 1140 * kib))
    # One chunk of head, 1 + 4 of audio, 1 behind it; the other has two chunks of head.
    assert await shared(database, old, new) == {n + 1: bytes([n]) * 32 for n in range(1, 6)}


async def test_audio_that_is_cut_in_other_places_is_not_shared(database: Database) -> None:
    old = cut(1, 0, 100, 140, 900, audio=(100, 900))
    new = cut(2, 0, 200, 250, 1000, audio=(200, 1000))
    assert await shared(database, old, new) == {}


async def test_a_chunk_that_both_have_is_left_as_it_is(database: Database) -> None:
    old, new = cut(1, 0, 100, 900, audio=(100, 900)), cut(2, 0, 200, 1000, audio=(200, 1000))
    await Files(database).record("nas", [track("a.flac", "one"), track("b.flac", "two")])
    await Chunks(database).record([ChunkRow(new.id, 1, A, 800)])
    assert await shared(database, old, new) == {1: A}
    await Chunks(database).forget([bytes([1]) * 32, A])
    assert await Chunks(database).chunks(new.id) == {}


async def test_files_to_check_are_those_with_digests_in_the_order_of_ids(
    database: Database,
) -> None:
    files = Files(database)
    await files.record("nas", [track(f"{n}.flac", str(n)) for n in range(5)])
    await files.record("nas", [sidecar("cover.jpg", "picture"), unreadable("3.flac")])
    await files.record("box", [track("0.flac", "0")])
    rows = await database.rows("SELECT content_id FROM files WHERE origin = 'nas' ORDER BY id")
    with_chunks = [ContentId(rows[n][0]) for n in (0, 1, 3, 4, 5)]
    await Chunks(database).record([ChunkRow(content_id, 0, A, 7) for content_id in with_chunks])
    first = await checkable_files(database, "nas", 0, 2)
    rest = await checkable_files(database, "nas", first[-1].id, 10)
    assert [(file.path, file.kind) for file in (*first, *rest)] == [
        ("0.flac", "audio"),
        ("1.flac", "audio"),
        ("4.flac", "audio"),
        ("cover.jpg", "sidecar"),
    ]
