"""Stores a batch of inspected files within one transaction, a few statements for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from musefs.catalog.changelog import log_folders
from musefs.catalog.chunks import share_audio
from musefs.catalog.contents import StoredContent, contents_of, regions_text
from musefs.catalog.database import Transaction
from musefs.catalog.paths import folder_of, to_blob
from musefs.catalog.records import ContentRecord, FileRecord
from musefs.catalog.succession import contents_before, follow_changes, keep_splits
from musefs.model import ContentId, TrackId


async def store(
    tx: Transaction, origin: str, records: Sequence[FileRecord]
) -> dict[str, StoredContent]:
    """Store these files of an origin, and log what the tree has to follow.

    Each path with its content, as the catalogue has it: one known before keeps its regions.
    """
    stored = await _store_contents(tx, records)
    contents = {key: found.id for key, found in stored.items()}
    before = await contents_before(tx, origin, [record.path for record in records])
    await _store_files(tx, origin, records, contents)
    # Once the files are stored: a track goes with the last of them.
    splits = await follow_changes(tx, _changes(records, before, contents))
    await _store_tracks(tx, records, contents)
    await keep_splits(tx, splits)
    await _share_audio(tx, records, stored)
    await log_folders(tx, origin, {folder_of(record.path) for record in records})
    return {
        record.path: stored[record.size, record.content.fingerprint]
        for record in records
        if record.content is not None
    }


async def _store_contents(
    tx: Transaction, records: Sequence[FileRecord]
) -> dict[tuple[int, bytes], StoredContent]:
    keys = [(r.size, r.content.fingerprint) for r in records if r.content is not None]
    if not keys:
        return {}
    await tx.run_many(
        "INSERT INTO contents (size, fingerprint, audio_start, audio_end, regions, variant_of)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        [
            (record.size, *_content_values(record.content))
            for record in records
            if record.content is not None
        ],
    )
    return {(found.size, found.fingerprint): found for found in await contents_of(tx, keys)}


def _content_values(found: ContentRecord) -> tuple[object, ...]:
    return (
        found.fingerprint,
        found.audio_start,
        found.audio_end,
        regions_text(found.regions),
        found.variant_of,
    )


def _content_id(
    record: FileRecord, contents: Mapping[tuple[int, bytes], ContentId]
) -> ContentId | None:
    if record.content is None:
        return None
    return contents[record.size, record.content.fingerprint]


def _changes(
    records: Sequence[FileRecord],
    before: Mapping[str, ContentId],
    contents: Mapping[tuple[int, bytes], ContentId],
) -> dict[tuple[ContentId, ContentId], None]:
    """Which contents have become which others, in the order of the files, each pair once."""
    pairs = ((before.get(record.path), _content_id(record, contents)) for record in records)
    return {
        (old, new): None for old, new in pairs if old is not None and new is not None and old != new
    }


async def _share_audio(
    tx: Transaction,
    records: Sequence[FileRecord],
    stored: Mapping[tuple[int, bytes], StoredContent],
) -> None:
    for record in records:
        if record.content is not None and record.content.audio_of is not None:
            new = stored[record.size, record.content.fingerprint]
            await share_audio(tx, record.content.audio_of.content(), new.content())


async def _store_files(
    tx: Transaction,
    origin: str,
    records: Sequence[FileRecord],
    contents: Mapping[tuple[int, bytes], ContentId],
) -> None:
    await tx.run_many(
        "INSERT INTO files (origin, path, folder, size, mtime_ns, version, kind, content_id,"
        " failure) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (origin, path) DO UPDATE SET"
        # What was known of a file that cannot be read now stays: it may only be for a while.
        " size = iif(excluded.content_id IS NULL AND content_id NOT NULL, size, excluded.size),"
        " mtime_ns = iif(excluded.content_id IS NULL AND content_id NOT NULL, mtime_ns,"
        " excluded.mtime_ns), content_id = coalesce(excluded.content_id, content_id),"
        " kind = excluded.kind, version = excluded.version, failure = excluded.failure",
        [
            (
                origin,
                to_blob(r.path),
                to_blob(folder_of(r.path)),
                r.size,
                r.mtime_ns,
                r.version,
                r.kind,
                _content_id(r, contents),
                _storable(r.failure) if r.failure else None,
            )
            for r in records
        ],
    )


async def _store_tracks(
    tx: Transaction,
    records: Sequence[FileRecord],
    contents: Mapping[tuple[int, bytes], ContentId],
) -> None:
    found = {
        contents[r.size, r.content.fingerprint]: r.content
        for r in records
        if r.content is not None and r.content.format is not None
    }
    await tx.run_many(
        "INSERT INTO tracks (content_id, format, duration_s) VALUES (?, ?, ?)"
        " ON CONFLICT (content_id) DO UPDATE SET format = excluded.format,"
        " duration_s = excluded.duration_s",
        [(content_id, c.format, c.duration_s) for content_id, c in found.items()],
    )
    marks = ",".join("?" * len(found))
    rows = await tx.rows(
        f"SELECT id, content_id FROM tracks WHERE content_id IN ({marks})", list(found)
    )
    tracks = [(row[0], found[row[1]]) for row in rows]
    await _store_tags(tx, tracks)
    await tx.run_many(
        "INSERT INTO changelog (track_id) VALUES (?)", [(track_id,) for track_id, _ in tracks]
    )


async def _store_tags(tx: Transaction, tracks: Sequence[tuple[TrackId, ContentRecord]]) -> None:
    """Have these tracks have these tags and pictures, and no others."""
    for table in ("tags", "art"):
        await tx.run_many(
            f"DELETE FROM {table} WHERE track_id = ?", [(track_id,) for track_id, _ in tracks]
        )
    await tx.run_many(
        "INSERT INTO tags (track_id, field, position, value) VALUES (?, ?, ?, ?)",
        [
            (track_id, _storable(name), position, _storable(value))
            for track_id, content in tracks
            for name, values in content.tags.items()
            for position, value in enumerate(values)
        ],
    )
    await tx.run_many(
        "INSERT INTO art (track_id, position, kind, mime, byte_offset, length)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [
            (track_id, position, art.kind, _storable(art.mime), art.offset, art.length)
            for track_id, content in tracks
            for position, art in enumerate(content.art)
        ],
    )


def _storable(text: str) -> str:
    """SQLite's TEXT is UTF-8: what cannot be encoded is shown as a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")
