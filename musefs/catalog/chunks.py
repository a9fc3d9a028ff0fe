"""Which chunks the disk holds, and which part of which content each of them is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.database import Database, Queries, Transaction
from musefs.catalog.paths import from_blob, to_blob
from musefs.catalog.records import Kind
from musefs.model import Content, ContentId


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """Chunk `index` of a content has that digest and that many bytes.

    `kept`: it is part of what every scan of tags reads, and evicted last.
    """

    content_id: ContentId
    index: int
    digest: bytes
    size: int
    kept: bool = False


class Chunks:
    """The chunks of every content. Rows may be lost at a crash, never wrong."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def chunks(self, content_id: ContentId) -> Mapping[int, bytes]:
        """The digests of a content's chunks by their position in it."""
        rows = await self._db.rows(
            "SELECT position, digest FROM content_chunks WHERE content_id = ?", [content_id]
        )
        return dict(rows)

    async def record(self, rows: Sequence[ChunkRow]) -> None:
        """Remember chunks that are on disk, in one transaction."""
        async with self._db.writing() as tx:
            await tx.run_many(
                "INSERT INTO chunks (digest, size, kept) VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET kept = 1 WHERE excluded.kept AND NOT kept",
                [(row.digest, row.size, row.kept) for row in rows],
            )
            await tx.run_many(
                "INSERT OR REPLACE INTO content_chunks (content_id, position, digest)"
                " SELECT ?, ?, ? WHERE EXISTS (SELECT 1 FROM contents WHERE id = ?)",
                [(row.content_id, row.index, row.digest, row.content_id) for row in rows],
            )

    async def forget(self, digests: Collection[bytes]) -> None:
        """Chunks that are gone from the disk."""
        async with self._db.writing() as tx:
            await tx.run_many("DELETE FROM chunks WHERE digest = ?", [(d,) for d in digests])

    async def after(self, digest: bytes, count: int) -> list[tuple[bytes, int]]:
        """Digest and size in bytes of the first `count` chunks behind this digest, in order."""
        rows = await self._db.rows(
            "SELECT digest, size FROM chunks WHERE digest > ? ORDER BY digest LIMIT ?",
            [digest, count],
        )
        return [(row[0], row[1]) for row in rows]

    async def holders(self, digest: bytes) -> list[tuple[ContentId, int]]:
        """Every content that has this chunk, and the chunk's position in it."""
        rows = await self._db.rows(
            "SELECT content_id, position FROM content_chunks WHERE digest = ?", [digest]
        )
        return [(row[0], row[1]) for row in rows]

    async def all(self) -> AsyncIterator[tuple[bytes, int, bool]]:
        """Digest, size in bytes, whether it is kept; once for each content that has the chunk."""
        async for digest, size, kept in self._db.stream(
            # What belongs to no file any more is a chunk like others.
            "SELECT c.digest, c.size, c.kept AND EXISTS (SELECT 1 FROM files f"
            " WHERE f.content_id = p.content_id) FROM chunks c"
            " LEFT JOIN content_chunks p ON p.digest = c.digest"
        ):
            yield digest, size, bool(kept)

    async def pinned(self) -> AsyncIterator[tuple[ContentId, bytes]]:
        """Content and digest of every chunk of a pinned content."""
        async for content_id, digest in self._db.stream(
            # CROSS: from the few that are pinned to their chunks, not from all chunks.
            "SELECT p.content_id, p.digest FROM pinned_contents w"
            " CROSS JOIN content_chunks p ON p.content_id = w.content_id"
        ):
            yield ContentId(content_id), digest

    async def headless(self, origin: str, paths: Sequence[str], sidecar_bytes_max: int) -> set[str]:
        """Those of an origin's files (some hundreds at most) whose first chunk is not kept.

        Sidecars of more than `sidecar_bytes_max` are left out: theirs never is.
        """
        marks = ",".join("?" * len(paths))
        rows = await self._db.rows(
            "SELECT f.path FROM files f JOIN contents o ON o.id = f.content_id"
            f" WHERE f.origin = ? AND f.path IN ({marks}) AND o.size > 0"
            # Of a content without regions, chunks are too large to be kept.
            " AND (f.kind = 'sidecar' OR o.regions NOT NULL)"
            " AND (f.kind = 'audio' OR o.size <= ?) AND NOT EXISTS (SELECT 1 FROM content_chunks p"
            " JOIN chunks c ON c.digest = p.digest WHERE p.content_id = o.id AND p.position = 0"
            " AND c.kept)",
            [origin, *map(to_blob, paths), sidecar_bytes_max],
        )
        return {from_blob(row[0]) for row in rows}


async def share_audio(tx: Transaction, old: Content, new: Content) -> None:
    """Give `new` the audio chunks of `old`, which has the same audio.

    None of them when the audio of the two is cut in different places.
    """
    if _audio_cuts(old) != _audio_cuts(new):
        return
    first, behind = _audio_chunks(old)
    shift = _audio_chunks(new)[0] - first
    await tx.run(
        "INSERT OR IGNORE INTO content_chunks (content_id, position, digest)"
        " SELECT ?, position + ?, digest FROM content_chunks"
        " WHERE content_id = ? AND position >= ? AND position < ?",
        [new.id, shift, old.id, first, behind],
    )


def _audio_cuts(content: Content) -> list[int]:
    """Where the regions of the audio begin and end, counted from its start in bytes."""
    start, end = content.audio_start, content.audio_end
    return [cut - start for cut in content.regions if start <= cut <= end]


def _audio_chunks(content: Content) -> tuple[int, int]:
    """The numbers of the audio's first chunk and of the first one behind it."""
    first_of = dict(zip(content.regions, content.first_chunks, strict=True))
    return first_of[content.audio_start], first_of[content.audio_end]


@dataclass(frozen=True, slots=True)
class CheckableFile:
    """A file of whose content at least one chunk has a known digest."""

    id: int
    path: str
    kind: Kind


async def checkable_file(queries: Queries, origin: str, path: str) -> CheckableFile | None:
    """The file at a path, when it was readable; its digests may be known in memory alone."""
    row = await queries.row(
        "SELECT id, path, kind FROM files WHERE origin = ? AND path = ? AND version <> ''",
        [origin, to_blob(path)],
    )
    return CheckableFile(row[0], from_blob(row[1]), row[2]) if row is not None else None


async def checkable_files(
    queries: Queries, origin: str, after_id: int, count_max: int
) -> list[CheckableFile]:
    """The next of an origin's files that can be compared with digests, in the order of ids."""
    rows = await queries.rows(
        "SELECT id, path, kind FROM files WHERE origin = ? AND id > ? AND version <> ''"
        " AND EXISTS (SELECT 1 FROM content_chunks p WHERE p.content_id = files.content_id)"
        " ORDER BY id LIMIT ?",
        [origin, after_id, count_max],
    )
    return [CheckableFile(row[0], from_blob(row[1]), row[2]) for row in rows]
