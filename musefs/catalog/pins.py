"""What users have pinned: queries, and the contents that they come to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from musefs.catalog.database import Database, Queries
from musefs.model import ContentId

CONTENTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Pin:
    """A query that was pinned at that time, in nanoseconds since 1970."""

    query: str
    pinned_ns: int


async def add_pin(database: Database, query: str, now_ns: int) -> None:
    """Store a pin; one of that query that is there stays as it is."""
    async with database.writing() as tx:
        await tx.run(
            "INSERT INTO pins (query, pinned_ns) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [query, now_ns],
        )


async def remove_pin(database: Database, query: str) -> bool:
    """Take a pin away; False when there is none of that query."""
    async with database.writing() as tx:
        return bool(await tx.run("DELETE FROM pins WHERE query = ?", [query]))


async def stored_pins(queries: Queries) -> list[Pin]:
    """Every pin, in the order in which they were made."""
    return [
        Pin(*row) for row in await queries.rows("SELECT query, pinned_ns FROM pins ORDER BY id")
    ]


async def pinned_contents(queries: Queries) -> set[ContentId]:
    """The contents that the pins came to."""
    rows = await queries.rows("SELECT content_id FROM pinned_contents")
    return {ContentId(row[0]) for row in rows}


async def change_contents(
    database: Database, added: Collection[ContentId], gone: Collection[ContentId]
) -> None:
    """Have the pins come to other contents."""
    async with database.writing() as tx:
        await tx.run_many(
            "INSERT OR IGNORE INTO pinned_contents (content_id)"
            " SELECT id FROM contents WHERE id = ?",
            [(content_id,) for content_id in added],
        )
        await tx.run_many(
            "DELETE FROM pinned_contents WHERE content_id = ?",
            [(content_id,) for content_id in gone],
        )


async def incomplete_contents(queries: Queries) -> dict[ContentId, int]:
    """The pinned contents of which chunks are not on the disk, with their sizes in bytes."""
    rows = await queries.rows(
        # CROSS: SQLite, which does not know that few are pinned, would begin with all contents.
        "SELECT o.id, o.size FROM pinned_contents w CROSS JOIN contents o ON o.id = w.content_id"
        " LEFT JOIN content_chunks p ON p.content_id = o.id"
        " LEFT JOIN chunks c ON c.digest = p.digest"
        " GROUP BY o.id HAVING coalesce(sum(c.size), 0) < o.size"
    )
    return {ContentId(row[0]): row[1] for row in rows}


async def present_bytes(queries: Queries, contents: Sequence[ContentId]) -> dict[ContentId, int]:
    """How many bytes of each of these contents are on the disk; those without any left out."""
    found: dict[ContentId, int] = {}
    for first in range(0, len(contents), CONTENTS_AT_ONCE):
        some = contents[first : first + CONTENTS_AT_ONCE]
        marks = ",".join("?" * len(some))
        rows = await queries.rows(
            "SELECT p.content_id, sum(c.size) FROM content_chunks p"
            f" JOIN chunks c ON c.digest = p.digest WHERE p.content_id IN ({marks})"
            " GROUP BY p.content_id",
            some,
        )
        found.update((ContentId(row[0]), row[1]) for row in rows)
    return found
