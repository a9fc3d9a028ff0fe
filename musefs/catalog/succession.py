"""Which track stands for a file that got other bytes, so that inode and edits stay with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.changelog import log_tracks_of
from musefs.catalog.database import Transaction
from musefs.catalog.paths import from_blob, to_blob
from musefs.model import ContentId, TrackId


@dataclass(frozen=True, slots=True)
class Split:
    """A content some of whose replicas have become `new`; the track stays with the others."""

    track_id: TrackId
    new: ContentId


async def contents_before(
    tx: Transaction, origin: str, paths: Sequence[str]
) -> dict[str, ContentId]:
    """What these files (some hundreds at most) were so far; those without a content left out."""
    marks = ",".join("?" * len(paths))
    rows = await tx.rows(
        "SELECT path, content_id FROM files WHERE content_id IS NOT NULL AND origin = ?"
        f" AND path IN ({marks})",
        [origin, *map(to_blob, paths)],
    )
    return {from_blob(row[0]): ContentId(row[1]) for row in rows}


async def follow_changes(
    tx: Transaction, changes: Mapping[tuple[ContentId, ContentId], None]
) -> list[Split]:
    """Have tracks go with their files from one content to another; the files are stored already.

    A track goes with its last file. When the other replicas were first, and a track of their own
    was made for them, the older one takes its place, unless somebody has edited the younger.
    """
    splits = []
    for old, new in changes:
        # The one that leaves the tree first, so that its name is free for the one that stays.
        await log_tracks_of(tx, [new, old])
        if await tx.row("SELECT 1 FROM files WHERE content_id = ? LIMIT 1", [old]) is not None:
            splits += await _split(tx, old, new)
        elif await tx.row("SELECT 1 FROM tracks WHERE content_id = ?", [new]) is None:
            await tx.run("UPDATE tracks SET content_id = ? WHERE content_id = ?", [new, old])
        else:
            await _succeed(tx, old, new)
    return splits


async def keep_splits(tx: Transaction, splits: Sequence[Split]) -> None:
    """Remember from which tracks those that were made just now have split off."""
    await tx.run_many(
        "UPDATE tracks SET split_from = ? WHERE content_id = ?",
        [(split.track_id, split.new) for split in splits],
    )


async def _split(tx: Transaction, old: ContentId, new: ContentId) -> list[Split]:
    row = await tx.row(
        "SELECT id FROM tracks WHERE content_id = ?"
        " AND NOT EXISTS (SELECT 1 FROM tracks WHERE content_id = ?)",
        [old, new],
    )
    return [Split(TrackId(row[0]), new)] if row else []


async def _succeed(tx: Transaction, old: ContentId, new: ContentId) -> None:
    """The track of `old` takes over `new`; the one that split off from it is left without files."""
    row = await tx.row(
        "SELECT o.id, y.id FROM tracks o JOIN tracks y ON y.content_id = ? AND y.split_from = o.id"
        " WHERE o.content_id = ? AND NOT EXISTS (SELECT 1 FROM edited WHERE track_id = y.id)",
        [new, old],
    )
    if row is None:
        return
    older, younger = row
    # Until both have changed places the younger one stands for a content that does not exist.
    await tx.run("PRAGMA defer_foreign_keys = ON")
    for track_id, content_id in ((younger, -new), (older, new), (younger, old)):
        await tx.run("UPDATE tracks SET content_id = ? WHERE id = ?", [content_id, track_id])
