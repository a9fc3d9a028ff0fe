"""Looks into a file at its origin and says what the catalogue should know of it.

Of files that are cached it also gathers what is to be kept near: most of it has been read anyway.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from musefs.catalog.contents import HeldContent, StoredContent
from musefs.catalog.records import ArtRecord, ContentRecord, FileRecord, Kind
from musefs.content.chunking import Span
from musefs.content.fragments import Fragments
from musefs.indexing.deltas import Deltas, as_before, is_like
from musefs.indexing.gathering import Gatherer
from musefs.indexing.heads import Heads, heads_of
from musefs.indexing.inspection import EndSizes, Inspection, identify, inspect
from musefs.layout.fetching import Read
from origins import (
    AccessDenied,
    FileChanged,
    FileInfo,
    FileMissing,
    Origin,
    OriginError,
    OriginUnavailable,
)
from origins.base import Version

log = logging.getLogger(__name__)

KEPT_SIDECAR_BYTES_MAX = 1 << 20
"""Covers, cue sheets and lyrics up to this size are kept near as a whole."""

AGAIN_WITHIN_S = 5.0
"""A request that fails so soon is made once more; one that hangs is not."""


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


class _Subject(NamedTuple):
    """A file to look into, and what it was so far."""

    info: FileInfo
    kind: Kind
    was: HeldContent | None


class Examiner:
    """Inspects files, `at_once_max` of them side by side.

    Without a gatherer nothing is kept; without deltas nothing is compared with what is stored.
    """

    def __init__(
        self,
        ends: EndSizes,
        at_once_max: int,
        gatherer: Gatherer | None = None,
        deltas: Deltas | None = None,
    ) -> None:
        self._ends = ends
        self._gatherer = gatherer
        self._deltas = deltas
        self.at_once_max = at_once_max

    async def examine(
        self, origin: Origin, info: FileInfo, kind: Kind, was: HeldContent | None = None
    ) -> Examined | OriginUnavailable | None:
        """What a file is that was `was` so far.

        None when it is gone; the error when the origin cannot give it now.
        """
        subject = _Subject(info, kind, was)
        begin_s = time.monotonic()
        try:
            try:
                return await self._examine_as_it_is(origin, subject)
            except OriginUnavailable:
                # Mostly one connection that the server has closed: the next scan is minutes away.
                if time.monotonic() - begin_s > AGAIN_WITHIN_S:
                    raise
                return await self._examine_as_it_is(origin, subject)
        except FileMissing:
            return None
        except OriginUnavailable as error:
            return error
        except (AccessDenied, FileChanged) as error:
            return Examined(_unreadable(info, kind, str(error)))

    async def told_apart(
        self, origin: Origin, file: Examined, alike: Sequence[StoredContent]
    ) -> Examined | None:
        """A file that may be any of these contents, as the one it is; None: that is for later."""
        record, content = file.record, file.record.content
        if self._deltas is None or content is None:
            return file

        async def read(offset: int, size: int) -> bytes:
            return await origin.read(record.path, Version(record.version), offset, size)

        try:
            found = await self._deltas.told_apart(read, content, alike, file.known or Fragments())
        except OriginError as error:
            log.debug("%s: left for the next scan: %s", record.path, error)
            return None
        return replace(file, record=replace(record, content=found))

    async def aclose(self) -> None:
        """End what is under way for nobody any more."""
        if self._gatherer is not None:
            await self._gatherer.aclose()

    async def _examine_as_it_is(self, origin: Origin, subject: _Subject) -> Examined:
        """Once more when it was written to since it was listed."""
        try:
            return await self._examine(origin, subject)
        except FileChanged:
            now = await origin.stat(subject.info.path)
            return await self._examine(origin, subject._replace(info=now))

    async def _examine(self, origin: Origin, subject: _Subject) -> Examined:
        info, kind, was = subject
        known = Fragments()

        async def read(offset: int, size: int) -> bytes:
            return await origin.read(info.path, info.version, offset, size)

        async def noted(offset: int, size: int) -> bytes:
            data = await read(offset, size)
            known.add(offset, data)
            return data

        found, failure, heads = await self._inspected(
            noted if self._gatherer is not None else read, info, kind
        )
        if was is not None:
            found = await self._identified(read, subject, found, known)
        record = FileRecord(info.path, info.size, info.mtime_ns, info.version, kind, found, failure)
        if self._gatherer is None or not await self._gathered(read, subject, heads, known):
            return Examined(record)
        return Examined(record, known, heads.kept)

    async def _inspected(
        self, read: Read, info: FileInfo, kind: Kind
    ) -> tuple[ContentRecord, str | None, Heads]:
        """What its bytes say, the reason when they say little, and what to keep of them."""
        if kind == "sidecar":
            fingerprint = await identify(read, info.size, self._ends)
            whole = [(0, info.size)] if info.size <= KEPT_SIDECAR_BYTES_MAX else []
            return ContentRecord(fingerprint, 0, info.size), None, Heads((), tuple(whole), ())
        found = await inspect(read, info.path, info.size, self._ends)
        heads = heads_of(found, info.size, self._ends)
        return _content(found, heads), found.failure, heads

    async def _identified(
        self, read: Read, subject: _Subject, found: ContentRecord, known: Fragments
    ) -> ContentRecord:
        info, _, was = subject
        assert was is not None
        if was.version != info.version and self._deltas is not None:
            return await self._deltas.identified(read, info, found, was, known)
        return (
            as_before(found, was.content)
            if is_like(was.content, info.size, found.fingerprint)
            else found
        )

    async def _gathered(
        self, read: Read, subject: _Subject, heads: Heads, known: Fragments
    ) -> bool:
        assert self._gatherer is not None
        path = subject.info.path
        try:
            if subject.was is not None and self._deltas is not None:
                await self._deltas.recall(read, subject.was, heads.art, known)
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
