"""Why a virtual path is what it is: track, content, replicas, layout and cache, from the catalogue.

Reads only what is stored, so it can be asked of a mounted library and of one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog.chunks import Chunks
from musefs.catalog.contents import Contents, StoredContent
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.catalog.layouts import segments_of
from musefs.catalog.nodes import Node
from musefs.catalog.records import ArtRecord
from musefs.catalog.tracks import StoredTrack, art_of, stored_tracks
from musefs.content.chunking import chunk_count, chunks_of
from musefs.layout.segments import Layout, Segment, Synthesised, original
from musefs.layout.stored_layout import restored
from musefs.library.library import Library


@dataclass(frozen=True, slots=True)
class OriginPreference:
    """How an origin of the configuration is used: lower priorities are read first."""

    priority: int
    cached: bool


@dataclass(frozen=True, slots=True)
class ExplainedReplica:
    """A file at an origin that holds the content. `priority` None: no such origin any more."""

    origin: str
    path: str
    version: str
    priority: int | None
    failure: str | None


@dataclass(frozen=True, slots=True)
class ExplainedSegment:
    """A part of the virtual file: bytes of the content from `offset` on, or synthesised ones."""

    kind: str
    offset: int | None
    length: int


@dataclass(frozen=True, slots=True)
class ExplainedContent:
    """The bytes behind a file. Sizes and positions in bytes; `cached_bytes` are on the disk."""

    id: int
    size: int
    fingerprint: str
    audio_start: int
    audio_end: int
    cacheable: bool
    cached_bytes: int
    cached_chunks: int
    chunks: int
    replicas: tuple[ExplainedReplica, ...]
    layout: tuple[ExplainedSegment, ...]


@dataclass(frozen=True, slots=True)
class ExplainedTrack:
    """What is known of the music."""

    id: int
    format: str
    tags: Mapping[str, Sequence[str]]
    art: tuple[ArtRecord, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A virtual path explained. `entries` of a folder; `content` of a file, `track` of a track."""

    path: str
    kind: str
    inode: int
    size: int
    mtime_ns: int
    entries: int | None = None
    track: ExplainedTrack | None = None
    content: ExplainedContent | None = None


async def explain(
    database: Database, library: Library, preferences: Mapping[str, OriginPreference], path: str
) -> Explanation:
    """Explain the entry at a path below the root. Raises NoSuchEntry, NotAFolder, StateBroken."""
    node = await library.walk(path)
    return Explanation(
        path="/" + path.strip("/"),
        kind=node.kind,
        inode=node.inode,
        size=node.size,
        mtime_ns=node.mtime_ns,
        entries=len(await library.children(node.inode)) if node.kind == "folder" else None,
        track=await _track(database, node),
        content=await _content(database, node, preferences),
    )


async def _track(database: Database, node: Node) -> ExplainedTrack | None:
    if node.track_id is None:
        return None
    tracks: Sequence[StoredTrack] = await stored_tracks(database, [node.track_id])
    if not tracks:
        return None
    [track] = tracks
    art = await art_of(database, track.id)
    return ExplainedTrack(track.id, track.format, dict(track.tags), tuple(art))


async def _content(
    database: Database, node: Node, preferences: Mapping[str, OriginPreference]
) -> ExplainedContent | None:
    contents = Contents(database)
    stored = await contents.content(node.content_id) if node.content_id is not None else None
    if stored is None:
        return None
    replicas = await _replicas(database, contents, stored, preferences)
    used = [preferences[replica.origin] for replica in replicas if replica.origin in preferences]
    content = stored.content()
    digests = await Chunks(database).chunks(stored.id)
    cached = [chunk for chunk in chunks_of(content, 0, content.size) if chunk.index in digests]
    return ExplainedContent(
        id=stored.id,
        size=stored.size,
        fingerprint=stored.fingerprint.hex(),
        audio_start=stored.audio_start,
        audio_end=stored.audio_end,
        cacheable=any(preference.cached for preference in used),
        cached_bytes=sum(chunk.size for chunk in cached),
        cached_chunks=len(cached),
        chunks=chunk_count(content),
        replicas=replicas,
        layout=tuple(map(_segment, (await _layout(database, node, stored)).segments)),
    )


async def _replicas(
    database: Database,
    contents: Contents,
    stored: StoredContent,
    preferences: Mapping[str, OriginPreference],
) -> tuple[ExplainedReplica, ...]:
    """The replicas in the order of their origins' priorities, those of unknown origins last."""
    failures = {(f.origin, f.path): f.reason for f in await Files(database).failures()}
    explained = [
        ExplainedReplica(
            origin=replica.origin_id,
            path=replica.path,
            version=replica.version,
            priority=known.priority if (known := preferences.get(replica.origin_id)) else None,
            failure=failures.get((replica.origin_id, replica.path)),
        )
        for replica in await contents.replicas(stored.id)
    ]
    explained.sort(key=lambda replica: (replica.priority is None, replica.priority or 0))
    return tuple(explained)


async def _layout(database: Database, node: Node, stored: StoredContent) -> Layout:
    blob = await segments_of(database, node.layout_id) if node.layout_id is not None else None
    return original(stored.size) if blob is None else restored(blob)


def _segment(segment: Segment) -> ExplainedSegment:
    if isinstance(segment, Synthesised):
        return ExplainedSegment("synthesised", None, segment.length)
    return ExplainedSegment(type(segment).__name__.lower(), segment.offset, segment.length)
