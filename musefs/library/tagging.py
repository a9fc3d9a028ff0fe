"""Edits of tags and pictures by a user: committed first, then shown by the mount.

A path names a track, or a folder and with it all tracks below. What is given is checked as a whole
before anything is stored. The originals are never touched: `clear` brings back what they say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from musefs.catalog import nodes
from musefs.catalog.database import Database, Transaction
from musefs.catalog.edits import clear_edits, set_art, set_fields
from musefs.catalog.layouts import StoredLayout, layouts_of
from musefs.catalog.pictures import NewPicture, keep_picture
from musefs.catalog.tracks import StoredTrack, art_of, stored_tracks
from musefs.errors import InvalidTags, NotATrack
from musefs.layout.images import examine
from musefs.layout.pictures import FRONT_COVER, OTHER_PICTURE
from musefs.layout.tag_values import checked
from musefs.library.library import Library
from musefs.library.own_files import FOLDER_NAME
from musefs.library.refreshing import Refresher
from musefs.library.retagging import is_current
from musefs.library.track_tags import SHOWN_MAX, TOLD_MAX, ArtOfTrack, Edited, TrackTags
from musefs.model import TrackId

TRACKS_MAX = 10_000
TRACKS_AT_ONCE = 200


class Tagging:
    """What a user asks of tags and pictures.

    Every call raises NoSuchEntry and NotATrack for paths, InvalidTags and InvalidImage for what is
    given, and StateBroken when it cannot be stored.
    """

    def __init__(
        self,
        database: Database,
        library: Library,
        refresher: Refresher,
        clock_ns: Callable[[], int],
        *,
        retagged: bool = True,
    ) -> None:
        """`retagged`: whether the mount serves edited files re-tagged."""
        self._db = database
        self._library = library
        self._refresher = refresher
        self._clock_ns = clock_ns
        self._retagged = retagged

    async def show(self, path: str) -> list[TrackTags]:
        """A track's tags, or those of the first tracks below a folder."""
        return await self._shown((await self._tracks(path, SHOWN_MAX))[:SHOWN_MAX])

    async def set(self, path: str, changes: Mapping[str, Sequence[str]]) -> Edited:
        """Set fields to these values; a field without values is removed."""
        tracks = await self._tracks(path)
        present = await self._fields(tracks)
        wanted = checked(changes, present)

        async def write(tx: Transaction, ids: Sequence[TrackId], now_ns: int) -> None:
            await set_fields(tx, ids, wanted, now_ns)

        return await self._edit(tracks, write)

    async def clear(self, path: str) -> Edited:
        """Have tracks be what their files say."""
        return await self._edit(await self._tracks(path), clear_edits)

    async def set_art(self, path: str, image: bytes | None) -> Edited:
        """Give tracks this picture as their front cover; None: no picture at all."""
        tracks = await self._tracks(path)
        new = None
        if image is not None:
            found = await asyncio.to_thread(examine, image)
            new = NewPicture(found.mime, found.width, found.height, image)

        async def write(tx: Transaction, ids: Sequence[TrackId], now_ns: int) -> None:
            await set_art(tx, ids, await keep_picture(tx, new) if new else None, now_ns)

        return await self._edit(tracks, write)

    async def _edit(
        self,
        tracks: Sequence[TrackId],
        write: Callable[[Transaction, Sequence[TrackId], int], Awaitable[None]],
    ) -> Edited:
        async with self._db.writing() as tx:
            await write(tx, tracks, self._clock_ns())
        # From here on it is kept. A crash now is followed up by the changelog.
        self._refresher.wake()
        for first in range(0, len(tracks), TRACKS_AT_ONCE):
            await self._refresher.place(tracks[first : first + TRACKS_AT_ONCE])
        told = await self._shown(tracks[:TOLD_MAX])
        return Edited(tuple(told), len(tracks), await self._any_pending(tracks))

    async def _tracks(self, path: str, count_max: int = TRACKS_MAX) -> list[TrackId]:
        """The tracks at and below a path."""
        if path.strip("/").partition("/")[0] == FOLDER_NAME:
            raise NotATrack(f"{path}: it is a file of musefs itself: only tracks have tags")
        entry = await self._library.walk(path)
        if entry.track_id is not None:
            return [entry.track_id]
        if entry.kind != "folder":
            raise NotATrack(f"{path}: it is no track: only tracks have tags")
        found = await nodes.tracks_below(self._db, entry.inode, count_max + 1)
        if not found:
            raise NotATrack(f"{path}: there is no track in this folder")
        if count_max == TRACKS_MAX < len(found):
            raise InvalidTags(
                f"{path}: more than {TRACKS_MAX} tracks are below this folder: name a smaller one"
            )
        return found

    async def _fields(self, tracks: Sequence[TrackId]) -> frozenset[str]:
        """The fields that these tracks have now."""
        found: dict[str, None] = {}
        for first in range(0, len(tracks), TRACKS_AT_ONCE):
            for track in await stored_tracks(self._db, tracks[first : first + TRACKS_AT_ONCE]):
                found.update(dict.fromkeys(track.tags))
        return frozenset(found)

    async def _shown(self, ids: Sequence[TrackId]) -> list[TrackTags]:
        shown: list[TrackTags] = []
        for first in range(0, len(ids), TRACKS_AT_ONCE):
            some = ids[first : first + TRACKS_AT_ONCE]
            entries = await nodes.track_nodes(self._db, some)
            layouts = await layouts_of(self._db, some)
            tracks = {track.id: track for track in await stored_tracks(self._db, some)}
            for track_id in some:
                if track_id not in tracks or track_id not in entries:
                    continue
                path = await nodes.path_of(self._db, entries[track_id])
                track = tracks[track_id]
                shown.append(await self._track_tags(path, track, layouts.get(track_id)))
        return shown

    async def _track_tags(
        self, path: str, track: StoredTrack, layout: StoredLayout | None
    ) -> TrackTags:
        edited = sorted(track.edits.fields) if track.edits else []
        if track.edits is not None and track.edits.art != "own":
            edited.append("art")
        return TrackTags(
            path=path,
            format=track.format,
            tags={name: tuple(values) for name, values in sorted(track.tags.items())},
            edited=tuple(edited),
            art=await self._art(track),
            untouched=self._reason(track, layout),
        )

    async def _art(self, track: StoredTrack) -> tuple[ArtOfTrack, ...]:
        choice = track.edits.art if track.edits is not None else "own"
        if choice == "none":
            return ()
        own = [
            ArtOfTrack(art.kind, art.mime, art.length, given=False)
            for art in await art_of(self._db, track.id)
            if choice == "own" or art.kind not in (FRONT_COVER, OTHER_PICTURE)
        ]
        given = track.edits.picture if track.edits is not None else None
        if given is None:
            return tuple(own)
        return (ArtOfTrack(FRONT_COVER, given.mime, given.size, given=True), *own)

    def _reason(self, track: StoredTrack, layout: StoredLayout | None) -> str | None:
        if track.edits is None or track.edits.is_empty:
            return None
        if not self._retagged:
            return "the mount's mode is structure-only"
        return layout.failure if layout is not None and is_current(layout, track) else None

    async def _any_pending(self, ids: Sequence[TrackId]) -> bool:
        """Whether the layout of one of these tracks could not be made yet."""
        if not self._retagged:
            return False
        for first in range(0, len(ids), TRACKS_AT_ONCE):
            some = ids[first : first + TRACKS_AT_ONCE]
            layouts = await layouts_of(self._db, some)
            for track in await stored_tracks(self._db, some, edited_only=True):
                wanted = track.edits is not None and not track.edits.is_empty
                if wanted and not is_current(layouts.get(track.id), track):
                    return True
        return False
