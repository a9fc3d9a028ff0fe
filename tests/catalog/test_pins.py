"""Pins in the catalogue: kept over a restart, with the contents that they come to."""

from __future__ import annotations

from pathlib import Path

from musefs.catalog.chunks import ChunkRow, Chunks
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.catalog.pins import (
    Pin,
    add_pin,
    change_contents,
    incomplete_contents,
    pinned_contents,
    present_bytes,
    remove_pin,
    stored_pins,
)
from musefs.model import ContentId
from tests.catalog.records import opened, size_of, track

A, B = b"a" * 32, b"b" * 32


async def test_pins_are_kept_in_their_order_over_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path / "catalogue.db") as database:
        await add_pin(database, "red", 7)
        await add_pin(database, "blue", 8)
        await add_pin(database, "red", 9)
    async with opened(tmp_path / "catalogue.db") as database:
        assert await stored_pins(database) == [Pin("red", 7), Pin("blue", 8)]
        assert await remove_pin(database, "red")
        assert not await remove_pin(database, "red")
        assert await stored_pins(database) == [Pin("blue", 8)]


async def test_pinned_contents_and_their_chunks(database: Database) -> None:
    await Files(database).record("nas", [track("1", "one"), track("2", "two")])
    one, two = [ContentId(row[0]) for row in await database.rows("SELECT id FROM contents")]
    gone, chunks = ContentId(99), Chunks(database)
    await change_contents(database, {one, two, gone}, set())
    assert await pinned_contents(database) == {one, two}
    size = size_of("one")
    await chunks.record([ChunkRow(one, 0, A, 600), ChunkRow(two, 0, A, 600)])
    assert await incomplete_contents(database) == {one: size, two: size}
    await chunks.record([ChunkRow(one, 1, B, size - 600)])
    assert await incomplete_contents(database) == {two: size}
    assert await present_bytes(database, [one, two, gone]) == {one: size, two: 600}
    assert {row async for row in chunks.pinned()} == {(one, A), (one, B), (two, A)}
    await change_contents(database, set(), {one})
    assert {row async for row in chunks.pinned()} == {(two, A)}
