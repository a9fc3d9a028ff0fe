"""A small service to be operated: remembers what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace

from musefs.errors import (
    BackupFailed,
    InvalidImage,
    InvalidQuery,
    InvalidTags,
    NoSuchEntry,
    NotATrack,
    StateBroken,
    UnknownOrigin,
    UnknownPin,
    UnknownTier,
)
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.library.pins import PinStatus
from musefs.library.prefetching import WarmingProgress
from musefs.library.track_tags import ArtOfTrack, Edited, TrackTags
from musefs.status import (
    BackedUp,
    CacheStats,
    CacheStatus,
    Cleared,
    OriginStatus,
    Status,
    VerifyProgress,
)
from origins import OriginUnavailable

STATUS = Status(
    version="1.2.3",
    pid=4711,
    state="/var/lib/musefs",
    mountpoint="/srv/müsik",
    mode="synthesis",
    uptime_s=12.5,
    tracks=3,
    sidecars=2,
    folders=5,
    library_bytes=1 << 40,
    pending=6,
    unserved=1,
    open_files=4,
    origins=(
        OriginStatus("nas", "local", 10, "healthy", 5, True, 5, 2, 1, 0, 0, ""),
        OriginStatus("box", "sftp", 50, "offline", 9, False, 3, 1, 0, 0, 7, "box: no route"),
    ),
    cache=CacheStatus(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
)

PIN = PinStatus('artist:"Ana Luz"', 1_700_000_000.5, 12, 3 << 30, 1 << 30, over_budget=True)

CACHE_STATS = CacheStats(STATUS.cache, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)

TRACK = TrackTags(
    path="Ana Luz/Blue/01 Träume.flac",
    format="flac",
    tags={
        "title": ("Träume",),
        "artist": ("Ana Luz", "Bo"),
        "lyrics": ("one\n\ttwo \x1b[31m",),
        "my rating": ("5",),
    },
    edited=("art", "genre", "title"),
    art=(ArtOfTrack(3, "image/png", 2048, given=True), ArtOfTrack(7, "", 10, given=False)),
    untouched=None,
)
OTHER = TrackTags(
    path="Ana Luz/Blue/02.mp3",
    format="mp3",
    tags={},
    edited=("title",),
    art=(),
    untouched="it has an ID3v2 tag of more than 4096 frames",
)
FAILURES = {
    "away": NoSuchEntry("away: there is no such file or folder in the tree"),
    "cover.jpg": NotATrack("cover.jpg: it is no track: only tracks have tags"),
    "odd": InvalidTags("tracknumber: x is no whole number from 0 to 65535: give one"),
    "gif": InvalidImage("the picture is GIF, not JPEG or PNG: convert it"),
    "broken": StateBroken("catalogue.db: the disk is gone: plug it in"),
    "long": NoSuchEntry("\udcffé" * 50_000),
}


class SmallTagging:
    """One album of two tracks. Paths that are named in FAILURES go wrong."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.tracks: tuple[TrackTags, ...] = (TRACK, OTHER)
        self.edited = Edited((TRACK, OTHER), 2, pending=False)

    async def show(self, path: str) -> list[TrackTags]:
        """The track of this path, or all."""
        self._ask("show", path)
        return [track for track in self.tracks if track.path == path] or list(self.tracks)

    async def set(self, path: str, changes: Mapping[str, Sequence[str]]) -> Edited:
        """Remembers it."""
        return self._ask("set", path, {name: list(values) for name, values in changes.items()})

    async def clear(self, path: str) -> Edited:
        """Remembers it."""
        return self._ask("clear", path)

    async def set_art(self, path: str, image: bytes | None) -> Edited:
        """Remembers it."""
        return self._ask("set_art", path, image)

    def _ask(self, *asked: object) -> Edited:
        self.asked.append(asked)
        if asked[1] in FAILURES:
            raise FAILURES[str(asked[1])]
        return self.edited


class SmallCaching:
    """Caches that hold little; the tier "odd" and the path "/taken" go wrong."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []
        self.progresses = [
            VerifyProgress(chunks=3, checked=1),
            VerifyProgress(chunks=3, checked=3, wrong=1, repaired=1, done=True),
        ]
        self.verify_ended = asyncio.Event()

    def stats(self) -> CacheStats:
        """Always the same."""
        return CACHE_STATS

    async def clear(self, tier: str, *, dry_run: bool) -> Cleared:
        """Remembers it."""
        self.asked.append(("clear", tier, dry_run))
        if tier == "odd":
            raise UnknownTier("odd: there is no such cache: choose one of memory, chunks, all")
        return Cleared(1 << 20, 3 << 30)

    async def verify(self, *, originals: bool) -> AsyncIterator[VerifyProgress]:
        """The progresses there are; without any, it fails."""
        try:
            if not self.progresses:
                raise StateBroken("catalogue.db: the disk is gone: plug it in")
            for progress in self.progresses:
                yield progress
        finally:
            self.verify_ended.set()

    async def back_up(self, path: str | None) -> BackedUp:
        """Remembers it."""
        self.asked.append(("back_up", path))
        if path == "/taken":
            raise BackupFailed("/taken: there is something already: name another file")
        return BackedUp(path or "/state/backups/catalogue.db", 4096)


class SmallPins:
    """One pin; the query "odd:" goes wrong, and only PIN's is pinned."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.found = [PIN]

    async def pin(self, query: str) -> PinStatus:
        """Remembers it."""
        self.asked.append(("pin", query))
        if query == "odd:":
            raise InvalidQuery('odd: there is no such field: choose one, or quote the "word"')
        return replace(PIN, query=query)

    async def unpin(self, query: str) -> None:
        """Remembers it."""
        self.asked.append(("unpin", query))
        if query != PIN.query:
            raise UnknownPin(f"{query}: it is not pinned: see `musefs pins` for what is")

    async def statuses(self) -> list[PinStatus]:
        """What was found."""
        return self.found


class SmallWarming:
    """Progress with one failure; "endless" has no end, "nothing" names no track."""

    def __init__(self) -> None:
        self.pins = SmallPins()
        self.asked: list[str] = []
        self.ended = asyncio.Event()
        self.last = WarmingProgress(2, 1, 1, 100, 60, 50, done=True, error="a.flac: gone \udcff")

    async def prefetch(self, query: str) -> AsyncIterator[WarmingProgress]:
        """See the class."""
        self.asked.append(query)
        if query == "nothing":
            raise NoSuchEntry("nothing: no track in the tree matches: try fewer words")
        try:
            yield WarmingProgress(2, 0, 0, 100, 10, 0)
            while query == "endless":
                await asyncio.sleep(0.01)
                yield WarmingProgress(2, 0, 0, 100, 10, 0)
            yield self.last
        finally:
            self.ended.set()


class SmallService:
    """Scans of "nas" end at once; "endless" has no end, other origins go wrong."""

    def __init__(self) -> None:
        self.drains_s: list[float] = []
        self.options: ScanOptions | None = None
        self.scan_ended = asyncio.Event()
        self.broken = False
        self.tagging = SmallTagging()
        self.caching = SmallCaching()
        self.warming = SmallWarming()

    async def status(self) -> Status:
        """How it does, or why it cannot tell."""
        if self.broken:
            raise StateBroken("catalogue.db: the disk is gone: plug it in")
        return STATUS

    async def rescan(self, origin: str | None, options: ScanOptions) -> AsyncIterator[Progress]:
        """See the class."""
        self.options = options
        if origin == "away":
            raise OriginUnavailable("away: no route to host: check the network")
        if origin not in (None, "nas", "endless"):
            raise UnknownOrigin(f"{origin}: there is no such origin: choose one of nas, endless")
        try:
            yield Progress("nas", expected=2, listed=1)
            while origin == "endless":
                await asyncio.sleep(0.01)
                yield Progress("endless")
            yield Progress("nas", 2, 2, 1, failed=1, done=True, error="nas: broke off \udcff")
        finally:
            self.scan_ended.set()

    def request_shutdown(self, drain_s: float) -> None:
        """Remembers it."""
        self.drains_s.append(drain_s)
