"""Keeps the stored tree in step with the catalogue: O(changed), in transactions of bounded size.

The changelog names tracks and origins' folders that have changed. A track's place follows from its
tags by the template; it keeps its inode wherever it goes. A name that is taken gets a number, and
keeps it. What became of the entries is told as a TreeChange, for the kernel's caches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from musefs.catalog import nodes
from musefs.catalog.changelog import (
    finish,
    keep_setting,
    log_everything,
    pending,
    setting,
)
from musefs.catalog.database import Database, Transaction
from musefs.catalog.paths import folder_of
from musefs.catalog.tracks import StoredTrack, TrackFile, stored_tracks
from musefs.library.placing import Placing, TreeRules
from musefs.library.sidecars import place_sidecars
from musefs.library.tree_change import TreeChange
from musefs.model import TrackId

CHANGES_PER_TRANSACTION_MAX = 500


class Tree:
    """The tree's writer. One `refresh` runs at a time; the caller sees to that."""

    def __init__(
        self,
        database: Database,
        rules: TreeRules,
        priorities: Mapping[str, int],
        clock_ns: Callable[[], int],
    ) -> None:
        self._db = database
        self._rules = rules
        self._priorities = priorities
        self._clock_ns = clock_ns

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
        async with self._db.writing() as tx:
            todo = await pending(tx, CHANGES_PER_TRANSACTION_MAX)
            if todo is None:
                return None
            placing = Placing(tx, self._rules, self._clock_ns())
            moved = await self._place_tracks(placing, tx, todo.tracks)
            await place_sidecars(placing, tx, dict.fromkeys((*todo.folders, *moved)))
            await placing.tidy()
            await finish(tx, todo)
        return placing.change

    async def _place_tracks(
        self, placing: Placing, tx: Transaction, ids: tuple[TrackId, ...]
    ) -> list[tuple[str, str]]:
        """Place tracks; the (origin, folder) pairs of their files, whose sidecars go with them."""
        placed = await nodes.track_nodes(tx, ids)
        tracks = await stored_tracks(tx, ids)
        # By path, so that of two equal names the first in the alphabet gets the plain one.
        tracks.sort(key=lambda track: [(file.path, file.origin) for file in track.files])
        for track in tracks:
            entry = placed.get(track.id)
            if track.files:
                await placing.put_track(track, self._shown(track), entry)
            elif entry is not None:
                await placing.take_out(entry)
        return [(file.origin, folder_of(file.path)) for track in tracks for file in track.files]

    def _shown(self, track: StoredTrack) -> TrackFile:
        """The file whose path and date stand for the track."""
        return min(
            track.files, key=lambda file: (self._priorities.get(file.origin, 0), file.origin)
        )
