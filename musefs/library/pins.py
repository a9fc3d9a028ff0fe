"""Tracks that stay in the disk cache: what the pinned queries come to, within one byte budget.

A pin is stored first; what follows can be done again at any time, and is: after a start, when the
tree has changed, and when chunks are missing. A content counts once, however many pins name it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from musefs.catalog import pins as catalog
from musefs.catalog.database import Database
from musefs.catalog.pins import Pin
from musefs.errors import (
    InvalidQuery,
    MusefsError,
    NoSuchEntry,
    NotAFolder,
    NotATrack,
    UnknownPin,
)
from musefs.library.choosing import Choosing, ChosenTrack
from musefs.library.prefetching import Prefetch, Warmer
from musefs.library.tree_change import TreeChange
from musefs.model import ContentId

log = logging.getLogger(__name__)

RESOLVE_PAUSE_S = 2.0
"""Changes of the tree come in batches: so long more of them are waited for."""

FETCH_EVERY_S = 30.0
"""So often missing chunks are looked for, when nothing else wakes the task."""

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class PinStatus:
    """A pin: when it was made, in seconds since 1970, what it names, and how much is there.

    `over_budget`: not all of its tracks fit. `error`: why some are not there, as far as known.
    """

    query: str
    pinned_at_s: float
    tracks: int
    bytes: int
    bytes_present: int
    over_budget: bool
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Allotted:
    """What the budget gives to: pinned contents with their sizes, and queries it is short for."""

    contents: Mapping[ContentId, int]
    short: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Resolved:
    pin: Pin
    tracks: Sequence[ChosenTrack] = ()
    error: str | None = None


@dataclass(slots=True)
class _Known:
    """What the last steps found out."""

    pinned: set[ContentId] = field(default_factory=set)
    failures: dict[ContentId, str] = field(default_factory=dict)
    told_short: frozenset[str] = frozenset()


def allot(wanted: Sequence[tuple[str, Sequence[ChosenTrack]]], bytes_max: int) -> Allotted:
    """Whole tracks, pin by pin in the order of paths, as long as they fit. Pure."""
    contents: dict[ContentId, int] = {}
    short = set()
    left = bytes_max
    for query, tracks in wanted:
        for track in tracks:
            if not track.is_cached or track.content_id in contents:
                continue
            if track.size > left:
                short.add(query)
                continue
            contents[track.content_id] = track.size
            left -= track.size
    return Allotted(contents, frozenset(short))


class Pins:
    """All pins. `run` keeps what they name in the chunk store until it is cancelled."""

    def __init__(
        self,
        database: Database,
        choosing: Choosing,
        warmer: Warmer,
        bytes_max: int,
        clock_ns: Callable[[], int],
    ) -> None:
        """`bytes_max`: the budget of all pins together."""
        self._db = database
        self._choosing = choosing
        self._warmer = warmer
        self._bytes_max = bytes_max
        self._clock_ns = clock_ns
        self._known = _Known()
        self._one_at_a_time = asyncio.Lock()
        self._tree_changed = asyncio.Event()
        self._contents_changed = asyncio.Event()

    async def pin(self, query: str) -> PinStatus:
        """Pin what a query names, now and later. Raises InvalidQuery, StateBroken."""
        query = await self._choosing.normal(query)
        await catalog.add_pin(self._db, query, self._clock_ns())
        statuses = await self.statuses()
        return next(status for status in statuses if status.query == query)

    async def unpin(self, query: str) -> None:
        """End a pin. Raises UnknownPin, StateBroken."""
        for known in (query.strip(), "/" + query.strip(" /")):
            if await catalog.remove_pin(self._db, known):
                await self._resolve()
                return
        raise UnknownPin(f"{query}: it is not pinned: see `musefs pins` for what is")

    async def statuses(self) -> list[PinStatus]:
        """Every pin, in the order in which they were made. Raises StateBroken."""
        resolved, allotted = await self._resolve()
        contents = {t.content_id for one in resolved for t in one.tracks if t.is_cached}
        present = await catalog.present_bytes(self._db, list(contents))
        return [self._status(one, allotted, present) for one in resolved]

    async def follow(self, change: TreeChange) -> None:  # noqa: ARG002 - all pins are looked at
        """The tree is another now."""
        self._tree_changed.set()

    async def run(self) -> None:
        """Follow the tree, and fetch what is missing."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_tree())
            tasks.create_task(self._fetch_missing())

    async def _follow_tree(self) -> None:
        while True:
            self._tree_changed.clear()
            try:
                await self._resolve()
            except MusefsError as error:
                log.warning("pins cannot follow the library, will be tried again: %s", error)
                await asyncio.sleep(FETCH_EVERY_S)
                continue
            await self._tree_changed.wait()
            await asyncio.sleep(RESOLVE_PAUSE_S)

    async def _fetch_missing(self) -> None:
        while True:
            self._contents_changed.clear()
            try:
                missing = await catalog.incomplete_contents(self._db)
                tracks = [ChosenTrack("", one, size, True) for one, size in missing.items()]
                prefetch = Prefetch(self._warmer, tracks, lambda one: one in self._known.pinned)
                await prefetch.run()
                self._known.failures = prefetch.failures
            except MusefsError as error:
                log.warning("pinned tracks cannot be fetched, will be tried again: %s", error)
            try:
                async with asyncio.timeout(FETCH_EVERY_S):
                    await self._contents_changed.wait()
            except TimeoutError:
                continue

    async def _resolve(self) -> tuple[list[_Resolved], Allotted]:
        """Have the store pin what the pins come to now."""
        async with self._one_at_a_time:
            resolved = [await self._tracks(pin) for pin in await catalog.stored_pins(self._db)]
            allotted = allot([(r.pin.query, r.tracks) for r in resolved], self._bytes_max)
            self._tell_short(allotted.short)
            wanted = set(allotted.contents)
            stored = await catalog.pinned_contents(self._db)
            if wanted != stored:
                await catalog.change_contents(self._db, wanted - stored, stored - wanted)
            for content_id in (self._known.pinned | stored) - wanted:
                self._warmer.door.release(content_id)
            for content_id in wanted - self._known.pinned:
                await self._warmer.door.pin(content_id)
            if wanted - self._known.pinned:
                self._contents_changed.set()
            self._known.pinned = wanted
            return resolved, allotted

    async def _tracks(self, pin: Pin) -> _Resolved:
        try:
            return _Resolved(pin, await self._choosing.tracks(pin.query))
        except (InvalidQuery, NoSuchEntry, NotAFolder, NotATrack) as error:
            return _Resolved(pin, error=str(error))

    def _status(
        self, one: _Resolved, allotted: Allotted, present: Mapping[ContentId, int]
    ) -> PinStatus:
        distinct = {track.content_id: track for track in one.tracks}
        failures = [self._known.failures[c] for c in distinct if c in self._known.failures]
        return PinStatus(
            query=one.pin.query,
            pinned_at_s=one.pin.pinned_ns / NS_PER_S,
            tracks=len(one.tracks),
            bytes=sum(track.size for track in distinct.values()),
            bytes_present=sum(
                present.get(track.content_id, 0) if track.is_cached else track.size
                for track in distinct.values()
            ),
            over_budget=one.pin.query in allotted.short,
            error=one.error or next(iter(failures), None),
        )

    def _tell_short(self, short: frozenset[str]) -> None:
        for query in short - self._known.told_short:
            log.warning("pin %r: not all of its tracks fit: raise cache.pins", query)
        self._known.told_short = short
