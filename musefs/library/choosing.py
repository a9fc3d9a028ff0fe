"""The tracks that a query names: a path in the tree, or words that their tags must have."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from musefs.catalog import nodes
from musefs.catalog.database import Database
from musefs.catalog.matching import PlacedTrack, candidates, pattern, placed_tracks
from musefs.catalog.tracks import stored_tracks
from musefs.errors import InvalidQuery, NoSuchEntry, NotAFolder, NotATrack
from musefs.library.library import Library
from musefs.library.query import Term, parse
from musefs.model import ContentId, Inode, TrackId

TRACKS_MAX = 100_000
TRACKS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class ChosenTrack:
    """A track, where it is in the tree, and its content of `size` bytes.

    `is_cached`: some of its origins are not read straight through.
    """

    path: str
    content_id: ContentId
    size: int
    is_cached: bool


class Choosing:
    """Finds the tracks of queries."""

    def __init__(self, database: Database, library: Library, read_through: Collection[str]) -> None:
        """`read_through`: the origins whose files are not cached."""
        self._db = database
        self._library = library
        self._read_through = frozenset(read_through)

    async def normal(self, query: str) -> str:
        """The one way to write a query: paths begin with "/". Raises InvalidQuery."""
        if query.startswith("/"):
            return "/" + _inside(query)
        if await self._walks(query):
            return "/" + _inside(query)
        parse(query)
        return query.strip()

    async def tracks(self, query: str) -> list[ChosenTrack]:
        """What a normal query names now, by their paths.

        Raises InvalidQuery, also when it names more than TRACKS_MAX, and NoSuchEntry or NotATrack
        for paths.
        """
        if query.startswith("/"):
            ids = await self._below(query)
            chosen = await self._chosen(ids)
        else:
            chosen = await self._matching(parse(query))
        if len(chosen) > TRACKS_MAX:
            raise InvalidQuery(
                f"{query}: more than {TRACKS_MAX} tracks match: name fewer, such as a folder"
            )
        return sorted(chosen, key=lambda track: track.path)

    async def _walks(self, query: str) -> bool:
        if not query.strip("/ "):
            return False
        try:
            await self._library.walk(_inside(query))
        except (NoSuchEntry, NotAFolder):
            return False
        return True

    async def _below(self, path: str) -> list[TrackId]:
        entry = await self._library.walk(_inside(path))
        if entry.track_id is not None:
            return [entry.track_id]
        if entry.kind != "folder":
            raise NotATrack(f"{path}: it is no track: name a track or a folder")
        return await nodes.tracks_below(self._db, entry.inode, TRACKS_MAX + 1)

    async def _matching(self, terms: Sequence[Term]) -> list[ChosenTrack]:
        chosen: list[ChosenTrack] = []
        ids: list[TrackId] = []
        patterns = [pattern(term.field, term.text) for term in terms]
        async with aclosing(candidates(self._db, patterns)) as found:
            async for track_id in found:
                ids.append(track_id)
                if len(ids) == TRACKS_AT_ONCE:
                    chosen += await self._chosen(await self._having(terms, ids))
                    ids = []
                if len(chosen) > TRACKS_MAX:
                    return chosen
        return chosen + await self._chosen(await self._having(terms, ids))

    async def _having(self, terms: Sequence[Term], ids: Sequence[TrackId]) -> list[TrackId]:
        tracks = await stored_tracks(self._db, ids) if ids else []
        return [track.id for track in tracks if all(term.is_in(track.tags) for term in terms)]

    async def _chosen(self, ids: Sequence[TrackId]) -> list[ChosenTrack]:
        placed: list[PlacedTrack] = []
        for first in range(0, len(ids), TRACKS_AT_ONCE):
            some = ids[first : first + TRACKS_AT_ONCE]
            placed += await placed_tracks(self._db, some, self._read_through)
        folders: dict[Inode, str] = {}
        chosen = []
        for track in placed:
            if track.parent not in folders:
                folders[track.parent] = await self._path_of(track.parent)
            path = posixpath.join(folders[track.parent], track.name)
            chosen.append(ChosenTrack(path, track.content_id, track.size, track.is_cached))
        return chosen

    async def _path_of(self, folder: Inode) -> str:
        entry = await nodes.node(self._db, folder)
        return await nodes.path_of(self._db, entry) if entry is not None else ""


def _inside(path: str) -> str:
    inside = posixpath.normpath(path).strip("/")
    return "" if inside == "." else inside
