"""Makes the layouts of edited tracks, and keeps them with the tracks that they are served by.

A layout is made from the file's own header, read through the caches, when an edit or new bytes of
the file ask for it; what is stored needs no origin. One that cannot be made now, because its origin
is away, is made later; one that can never be made is stored with its reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing

from musefs.catalog.database import Queries, Transaction
from musefs.catalog.edits import Edits
from musefs.catalog.layouts import (
    LayoutRecord,
    StoredLayout,
    drop_layout,
    keep_layout,
    layouts_of,
)
from musefs.catalog.pictures import picture_bytes
from musefs.catalog.tracks import StoredTrack, art_of, stored_tracks
from musefs.errors import ContentChanged, ContentUnavailable, NoSuchEntry
from musefs.kit.ordered import in_order
from musefs.layout.fetching import Ahead, parsed
from musefs.layout.formats import Format
from musefs.layout.pictures import Picture
from musefs.layout.ranged import Bounds, Extents, Malformed
from musefs.layout.segments import Layout
from musefs.layout.stored_layout import stored
from musefs.layout.synthesis import needs_cover_bytes, synthesise
from musefs.layout.wish import Cover, Unservable, Wish
from musefs.model import Content, ContentId, ContentSource, TrackId

log = logging.getLogger(__name__)

MADE_AT_ONCE_MAX = 8
MAKING_S = 3.0
"""So long may a step of the tree wait for layouts; what is not made by then is made later."""

HEADER_BOUNDS = Bounds(fetched_bytes_max=32 << 20)
TAIL_BYTES = 72 << 10

ContentOf = Callable[[ContentId], Awaitable[Content]]


class Retagger:
    """Makes layouts. What it needs of the files comes from `source`."""

    def __init__(self, queries: Queries, content_of: ContentOf, source: ContentSource) -> None:
        self._queries = queries
        self._content_of = content_of
        self._source = source

    async def made(self, ids: Sequence[TrackId]) -> dict[TrackId, LayoutRecord]:
        """The layouts that these tracks (some hundreds at most) are due and that can be made."""
        due = await self._due(ids)
        made: dict[TrackId, LayoutRecord] = {}
        if not due:
            return made
        try:
            async with asyncio.timeout(MAKING_S), aclosing(self._each(due)) as records:
                async for record in records:
                    if record is not None:
                        made[record.track_id] = record
        except TimeoutError:
            log.info("%d re-tagged files have to wait for their headers", len(due) - len(made))
        return made

    async def _due(self, ids: Sequence[TrackId]) -> list[StoredTrack]:
        layouts = await layouts_of(self._queries, ids)
        return [
            track
            for track in await stored_tracks(self._queries, ids, edited_only=True)
            if track.files and track.edits is not None and not track.edits.is_empty
            if not is_current(layouts.get(track.id), track)
        ]

    def _each(self, due: Sequence[StoredTrack]) -> AsyncGenerator[LayoutRecord | None, None]:
        return in_order(due, self._made, MADE_AT_ONCE_MAX)

    async def _made(self, track: StoredTrack) -> LayoutRecord | None:
        assert track.edits is not None
        try:
            content = await self._content_of(track.content_id)
        except NoSuchEntry:
            return None
        failure, blob, size = None, None, content.size
        try:
            layout = await self._layout(track, track.edits, content)
            blob, size = stored(layout), layout.size
        except (Unservable, Malformed) as error:
            failure = str(error)
        except (ContentUnavailable, ContentChanged) as error:
            log.debug("track %d cannot be re-tagged now: %s", track.id, error)
            return None
        return LayoutRecord(track.id, content.id, track.edits.edited_ns, size, blob, failure)

    async def _layout(self, track: StoredTrack, edits: Edits, content: Content) -> Layout:
        kind = Format(track.format)
        wish = await self._wish(track, edits, kind)

        async def read(offset: int, size: int) -> bytes:
            return bytes(await self._source.read(content, offset, size))

        extents = Extents(content.size, HEADER_BOUNDS)
        ahead = Ahead(tail_bytes=TAIL_BYTES)
        return await parsed(read, extents, lambda file: synthesise(kind, file, wish), ahead)

    async def _wish(self, track: StoredTrack, edits: Edits, kind: Format) -> Wish:
        embedded = [
            Picture(art.kind, art.mime, art.offset, art.length)
            for art in await art_of(self._queries, track.id)
        ]
        tags = {name: tuple(values) for name, values in track.tags.items()}
        cover = await self._cover(edits, kind)
        return Wish(tags, embedded, cover, bare=edits.art == "none")

    async def _cover(self, edits: Edits, kind: Format) -> Cover | None:
        given = edits.picture
        if given is None:
            return None
        data = None
        if needs_cover_bytes(kind):
            data = await picture_bytes(self._queries, given.id, 0, given.size)
        return Cover(given.id, given.mime, given.width, given.height, given.size, data)


def is_current(layout: StoredLayout | None, track: StoredTrack) -> bool:
    """Whether a layout was made from the track's content, for its last edit."""
    return (
        layout is not None
        and track.edits is not None
        and (layout.content_id, layout.edited_ns) == (track.content_id, track.edits.edited_ns)
    )


async def settle(
    tx: Transaction, tracks: Sequence[StoredTrack], made: Mapping[TrackId, LayoutRecord]
) -> dict[TrackId, StoredLayout]:
    """Store what was made, and drop what nobody wants: the layouts that tracks are served by now.

    Until the layout of an edit is made, the one of the edit before it is shown.
    """
    known = await layouts_of(tx, [track.id for track in tracks])
    shown: dict[TrackId, StoredLayout] = {}
    for track in tracks:
        layout, new = known.get(track.id), made.get(track.id)
        if track.edits is None or track.edits.is_empty:
            if layout is not None:
                await drop_layout(tx, track.id)
            continue
        if new is not None and new.edited_ns == track.edits.edited_ns:
            layout = await keep_layout(tx, new)
        fits = layout is not None and layout.content_id == track.content_id
        if fits and layout is not None and layout.failure is None:
            shown[track.id] = layout
    return shown
