"""Looks into a file at its origin and says what the catalogue should know of it.

Of files that are cached it also gathers what is to be kept near: most of it has been read anyway.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from musefs.catalog.records import ArtRecord, ContentRecord, FileRecord, Kind
from musefs.content.chunking import Span
from musefs.content.fragments import Fragments
from musefs.indexing.gathering import Gatherer
from musefs.indexing.heads import Heads, heads_of
from musefs.indexing.inspection import EndSizes, Inspection, identify, inspect
from musefs.layout.fetching import Read
from origins import AccessDenied, FileChanged, FileInfo, FileMissing, Origin, OriginUnavailable

log = logging.getLogger(__name__)

KEPT_SIDECAR_BYTES_MAX = 1 << 20
"""Covers, cue sheets and lyrics up to this size are kept near as a whole."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A file's record, and the bytes of it that are `known`, of which these spans are kept."""

    record: FileRecord
    known: Fragments | None = None
    kept: Sequence[Span] = ()

    @property
    def held_bytes(self) -> int:
        """What it takes in memory."""
        return self.known.owned_bytes if self.known is not None else 0


class Examiner:
    """Inspects files, `at_once_max` of them side by side. Without a gatherer nothing is kept."""

    def __init__(self, ends: EndSizes, at_once_max: int, gatherer: Gatherer | None = None) -> None:
        self._ends = ends
        self._gatherer = gatherer
        self.at_once_max = at_once_max

    async def examine(
        self, origin: Origin, info: FileInfo, kind: Kind
    ) -> Examined | OriginUnavailable | None:
        """What a file is; None when it is gone; the error when the origin cannot give it now."""
        try:
            try:
                return await self._examine(origin, info, kind)
            except FileChanged:
                # It was written to since it was listed: once more, as it is now.
                return await self._examine(origin, await origin.stat(info.path), kind)
        except FileMissing:
            return None
        except OriginUnavailable as error:
            return error
        except (AccessDenied, FileChanged) as error:
            return Examined(_unreadable(info, kind, str(error)))

    async def aclose(self) -> None:
        """End what is under way for nobody any more."""
        if self._gatherer is not None:
            await self._gatherer.aclose()

    async def _examine(self, origin: Origin, info: FileInfo, kind: Kind) -> Examined:
        known = Fragments()

        async def read(offset: int, size: int) -> bytes:
            return await origin.read(info.path, info.version, offset, size)

        async def noted(offset: int, size: int) -> bytes:
            data = await read(offset, size)
            known.add(offset, data)
            return data

        seen = noted if self._gatherer is not None else read
        if kind == "sidecar":
            fingerprint = await identify(seen, info.size, self._ends)
            content, failure = ContentRecord(fingerprint, 0, info.size), None
            whole = [(0, info.size)] if info.size <= KEPT_SIDECAR_BYTES_MAX else []
            heads = Heads((), tuple(whole), ())
        else:
            found = await inspect(seen, info.path, info.size, self._ends)
            heads = heads_of(found, info.size, self._ends)
            content, failure = _content(found, heads), found.failure
        record = FileRecord(
            info.path, info.size, info.mtime_ns, info.version, kind, content, failure
        )
        if self._gatherer is None or not await self._gathered(read, info.path, heads, known):
            return Examined(record)
        return Examined(record, known, heads.kept)

    async def _gathered(self, read: Read, path: str, heads: Heads, known: Fragments) -> bool:
        assert self._gatherer is not None
        try:
            await self._gatherer.gather(read, path, heads, known)
        except (AccessDenied, OriginUnavailable) as error:
            # It is known what the file is: that is worth more than what would be near.
            log.debug("%s: nothing of it is kept near for now: %s", path, error)
            return False
        return True


def _content(found: Inspection, heads: Heads) -> ContentRecord:
    return ContentRecord(
        fingerprint=found.fingerprint,
        audio_start=found.audio_start,
        audio_end=found.audio_end,
        format=str(found.format),
        duration_s=found.duration_s,
        tags=found.tags,
        art=[ArtRecord(p.kind, p.mime, p.offset, p.length) for p in found.pictures],
        regions=heads.regions,
    )


def _unreadable(info: FileInfo, kind: Kind, reason: str) -> FileRecord:
    """No version: the next scan tries again."""
    return FileRecord(info.path, info.size, info.mtime_ns, "", kind, None, reason)
