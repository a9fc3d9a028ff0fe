"""Keeps the stored tree in step with the catalogue: O(changed), in transactions of bounded size.

The changelog names tracks and origins' folders that have changed. A track's place follows from its
tags by the template; it keeps its inode wherever it goes. A name that is taken gets a number, and
keeps it. What became of the entries is told as a TreeChange, for the kernel's caches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from musefs.catalog import nodes
from musefs.catalog.changelog import (
    Pending,
    finish,
    keep_setting,
    log_everything,
    pending,
    setting,
)
from musefs.catalog.database import Database, Transaction
from musefs.catalog.layouts import LayoutRecord, unmade
from musefs.catalog.paths import folder_of
from musefs.catalog.tracks import StoredTrack, TrackFile, stored_tracks
from musefs.library.placing import Placing, ShownTrack, TreeRules
from musefs.library.retagging import Retagger, settle
from musefs.library.sidecars import place_sidecars
from musefs.library.tree_change import TreeChange
from musefs.model import Inode, TrackId

CHANGES_PER_TRANSACTION_MAX = 500


@dataclass(frozen=True, slots=True)
class Preferences:
    """Which of a track's files stands for it: that of the origin with the lowest priority."""

    priorities: Mapping[str, int]

    def shown(self, track: StoredTrack) -> TrackFile:
        """The file whose path and date stand for the track."""
        return min(track.files, key=lambda file: (self.priorities.get(file.origin, 0), file.origin))


class Tree:
    """The tree's writer. One step runs at a time; the caller sees to that."""

    def __init__(
        self,
        database: Database,
        rules: TreeRules,
        preferences: Preferences,
        clock_ns: Callable[[], int],
        retagger: Retagger | None = None,
    ) -> None:
        """Without a `retagger` edited tracks keep the layouts that they have."""
        self._db = database
        self._rules = rules
        self._preferences = preferences
        self._clock_ns = clock_ns
        self._retagger = retagger
        self.is_open: Callable[[Inode], bool] = lambda _inode: False

    async def adopt_rules(self) -> bool:
        """Have everything placed again when the rules are not those of the stored tree."""
        text = self._rules.text
        if await setting(self._db, "tree_rules") == text:
            return False
        async with self._db.writing() as tx:
            if not self._rules.names.case_insensitive:
                await nodes.unfold(tx)
            await log_everything(tx)
            await keep_setting(tx, "tree_rules", text)
        return True

    async def refresh(self) -> TreeChange | None:
        """Follow the next changes. None when there are none left."""
        todo = await pending(self._db, CHANGES_PER_TRANSACTION_MAX)
        if todo is None:
            return None
        return await self._follow(todo.tracks, todo)

    async def place(self, tracks: Sequence[TrackId]) -> TreeChange:
        """Place these tracks (some hundreds at most) before all other changes."""
        return await self._follow(tracks, None)

    async def unmade(self) -> list[TrackId]:
        """Some of the edited tracks whose layouts could not be made yet."""
        if self._retagger is None or not self._rules.retagged:
            return []
        return await unmade(self._db, CHANGES_PER_TRANSACTION_MAX)

    async def _follow(self, tracks: Sequence[TrackId], todo: Pending | None) -> TreeChange:
        """One step. Layouts are made in front of the transaction: an origin may be slow."""
        made: dict[TrackId, LayoutRecord] = {}
        if self._retagger is not None and self._rules.retagged:
            made = await self._retagger.made(tracks)
        async with self._db.writing() as tx:
            placing = Placing(tx, self._rules, self._clock_ns(), self.is_open)
            moved = await self._place_tracks(placing, tx, tracks, made)
            folders = todo.folders if todo is not None else ()
            await place_sidecars(placing, tx, dict.fromkeys((*folders, *moved)))
            await placing.tidy()
            if todo is not None:
                await finish(tx, todo)
        return placing.change

    async def _place_tracks(
        self,
        placing: Placing,
        tx: Transaction,
        ids: Sequence[TrackId],
        made: Mapping[TrackId, LayoutRecord],
    ) -> list[tuple[str, str]]:
        """Place tracks; the (origin, folder) pairs of their files, whose sidecars go with them."""
        placed = await nodes.track_nodes(tx, ids)
        tracks = await stored_tracks(tx, ids)
        layouts = await settle(tx, tracks, made) if self._rules.retagged else {}
        # By path, so that of two equal names the first in the alphabet gets the plain one.
        tracks.sort(key=lambda track: [(file.path, file.origin) for file in track.files])
        for track in tracks:
            entry = placed.get(track.id)
            if track.files:
                shown = ShownTrack(track, self._preferences.shown(track), layouts.get(track.id))
                await placing.put_track(shown, entry)
            elif entry is not None:
                await placing.take_out(entry)
        await placing.flush()
        return [(file.origin, folder_of(file.path)) for track in tracks for file in track.files]
