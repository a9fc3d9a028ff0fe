"""Compares an origin's listing with the catalogue, and inspects what is new or changed.

Some hundreds of files make a batch: one look-up, inspections side by side, one commit in the order
of the listing. An interrupted scan goes on where it was: what is committed is not inspected again.
Files leave the catalogue only after a complete listing, and not when most of them would.
"""

from __future__ import annotations

import contextlib
import logging
from array import array
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from musefs.catalog.contents import HeldContent
from musefs.catalog.files import Files
from musefs.indexing.examining import Examined, Examiner
from musefs.indexing.keeping import Keeping
from musefs.indexing.selecting import Selection
from musefs.kit.ordered import in_order
from origins import (
    AccessDenied,
    FileInfo,
    FileMissing,
    ListingIncomplete,
    Origin,
    OriginUnavailable,
)
from origins.base import WHOLE_ORIGIN

log = logging.getLogger(__name__)

FILES_PER_BATCH = 200
HELD_BYTES_MAX = 16 << 20
"""So many bytes that are to be kept end a batch early."""

UNAVAILABLE_IN_A_ROW_MAX = 8
"""So many files in a row that the origin cannot give: it is the origin, not the files."""


@dataclass(slots=True)
class Progress:
    """How far a scan is. `expected` is how many files were known before, as an estimate."""

    origin: str
    expected: int = 0
    listed: int = 0
    inspected: int = 0
    failed: int = 0
    removed: int = 0
    held_back: int = 0
    done: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ScanOptions:
    """`paths`: files and folders to look at. `full`: inspect unchanged files too."""

    paths: Sequence[str] = (WHOLE_ORIGIN,)
    full: bool = False
    accept_removals: bool = False


@dataclass(slots=True)
class _Scan:
    """One scan: of what, how far it is, and which of the files known before it were listed.

    `marks` has a byte for each of their ids, or they are in `marked` when only some are looked at.
    """

    origin: Origin
    options: ScanOptions
    progress: Progress
    newest_id: int
    marks: bytearray = field(init=False)
    marked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.marks = bytearray(self.newest_id + 1 if self.is_whole else 0)

    @property
    def is_whole(self) -> bool:
        return WHOLE_ORIGIN in self.options.paths

    def mark(self, file_id: int) -> None:
        if file_id > self.newest_id:
            return
        if self.is_whole:
            self.marks[file_id] = 1
        else:
            self.marked.add(file_id)

    def is_missing(self, file_id: int) -> bool:
        if file_id > self.newest_id:
            return False
        return not self.marks[file_id] if self.is_whole else file_id not in self.marked


class Scanner:
    """Scans one origin, one scan at a time; the caller sees to that.

    `committed` is called after every commit that the tree has to follow. Without `keeping` nothing
    of the files is kept near.
    """

    def __init__(
        self,
        files: Files,
        examiner: Examiner,
        selection: Selection,
        committed: Callable[[], None],
        keeping: Keeping | None = None,
    ) -> None:
        self._files = files
        self._examiner = examiner
        self._selection = selection
        self._committed = committed
        self._keeping = keeping

    async def scan(self, origin: Origin, options: ScanOptions, progress: Progress) -> None:
        """Bring the catalogue up to date. Raises OriginError when the origin cannot be listed."""
        progress.expected = await self._files.count(origin.id)
        scan = _Scan(origin, options, progress, await self._files.newest_id())
        if self._keeping is not None:
            await self._keeping.begin(whole=scan.is_whole)
        try:
            complete = await self._follow_listing(scan)
        finally:
            await self._examiner.aclose()
        if complete:
            await self._remove(scan)
        if self._keeping is not None:
            await self._keeping.settle()

    async def _follow_listing(self, scan: _Scan) -> bool:
        """Follow all that is listed; False when the listing is not complete."""
        batch: list[FileInfo] = []
        try:
            async with aclosing(_listing(scan.origin, scan.options.paths)) as listing:
                async for info in listing:
                    batch.append(info)
                    if len(batch) >= FILES_PER_BATCH:
                        await self._follow(scan, batch)
                        batch = []
            await self._follow(scan, batch)
        except ListingIncomplete as error:
            await self._follow(scan, batch)
            log.warning("%s: nothing is removed from the library: %s", scan.origin.id, error)
            return False
        return True

    async def _follow(self, scan: _Scan, batch: Sequence[FileInfo]) -> None:
        wanted = [info for info in batch if self._selection.kind_of(info.path)]
        if not wanted:
            return
        origin, paths = scan.origin.id, [info.path for info in wanted]
        known = await self._files.known(origin, paths)
        for file in known.values():
            scan.mark(file.id)
        scan.progress.listed += len(wanted)
        again = set(paths) if scan.options.full else await self._headless(origin, list(known))
        changed = [
            info
            for info in wanted
            if info.path in again
            or info.path not in known
            or known[info.path].version != info.version
        ]
        held = await self._files.contents.held(origin, [i.path for i in changed if i.path in known])
        await self._examine(scan, changed, held)

    async def _headless(self, origin: str, paths: Sequence[str]) -> set[str]:
        return await self._keeping.headless(origin, paths) if self._keeping else set()

    async def _examine(
        self, scan: _Scan, changed: Sequence[FileInfo], held: Mapping[str, HeldContent]
    ) -> None:
        found: list[Examined] = []
        in_a_row = held_bytes = 0

        async def examined(info: FileInfo) -> Examined | OriginUnavailable | None:
            kind = self._selection.kind_of(info.path)
            assert kind is not None
            return await self._examiner.examine(scan.origin, info, kind, held.get(info.path))

        # Closed at once when it is left: nothing may go on reading behind the scan's back.
        async with aclosing(in_order(changed, examined, self._examiner.at_once_max)) as examining:
            async for file in examining:
                if isinstance(file, OriginUnavailable):
                    in_a_row += 1
                    scan.progress.failed += 1
                    if in_a_row >= UNAVAILABLE_IN_A_ROW_MAX:
                        raise file
                    continue
                in_a_row = 0
                if file is None:
                    continue
                found.append(file)
                held_bytes += file.held_bytes
                scan.progress.inspected += 1
                scan.progress.failed += file.record.failure is not None
                if held_bytes > HELD_BYTES_MAX:
                    await self._record(scan, found)
                    found, held_bytes = [], 0
        await self._record(scan, found)

    async def _record(self, scan: _Scan, found: Sequence[Examined]) -> None:
        found = await self._told_apart(scan, found)
        if not found:
            return
        records = [file.record for file in found]
        contents = await self._files.record(scan.origin.id, records)
        self._committed()
        if self._keeping is not None:
            await self._keeping.keep(contents, found)

    async def _told_apart(self, scan: _Scan, found: Sequence[Examined]) -> Sequence[Examined]:
        """The files, each as that of several contents with equal ends which it is."""
        contents = [file.record.content for file in found]
        plain = [one.fingerprint for one in contents if one is not None and not one.variant_of]
        alike = await self._files.contents.alike(plain)
        if not alike:
            return found
        settled: list[Examined] = []
        for file, content in zip(found, contents, strict=True):
            key = (file.record.size, content.fingerprint) if content is not None else None
            if key in alike:
                told = await self._examiner.told_apart(scan.origin, file, alike[key])
                settled += [told] if told is not None else []
                scan.progress.failed += told is None
            else:
                settled.append(file)
        return settled

    async def _remove(self, scan: _Scan) -> None:
        origin, options, progress = scan.origin, scan.options, scan.progress
        missing = array("q")  # of a disk that is not mounted, every file
        for path in options.paths:
            async with aclosing(self._files.ids(origin.id, path)) as ids:
                async for file_id in ids:
                    if scan.is_missing(file_id):
                        missing.append(file_id)
        if not missing:
            return
        total = await self._files.count(origin.id)
        single = len(missing) == 1 and not scan.is_whole
        if len(missing) * 2 > total and not single and not options.accept_removals:
            progress.held_back = len(missing)
            log.warning(
                "%s: %d of %d files are no longer listed; they stay in the library: if that is "
                "meant, run `musefs rescan %s --accept-removals`",
                origin.id,
                len(missing),
                total,
                origin.id,
            )
            return
        await self._files.remove(origin.id, missing)
        progress.removed = len(missing)
        self._committed()


async def _listing(origin: Origin, paths: Sequence[str]) -> AsyncGenerator[FileInfo, None]:
    """The files at and below these paths; those that are not there are left out.

    Raises ListingIncomplete at the end when some could not be looked at, and whatever else a
    listing of the whole origin raises.
    """
    unseen: list[str] = []
    for path in paths:
        files = origin.list() if path == WHOLE_ORIGIN else _at_and_below(origin, path)
        try:
            async for info in files:
                yield info
        except ListingIncomplete as error:
            unseen.append(str(error))
        except AccessDenied as error:
            if path == WHOLE_ORIGIN:
                raise
            unseen.append(str(error))
    if unseen:
        more = f", and {len(unseen) - 1} more like it" if len(unseen) > 1 else ""
        raise ListingIncomplete(unseen[0] + more)


async def _at_and_below(origin: Origin, path: str) -> AsyncIterator[FileInfo]:
    with contextlib.suppress(FileMissing):
        yield await origin.stat(path)
        return
    with contextlib.suppress(FileMissing):
        async for info in origin.list(path):
            yield info
