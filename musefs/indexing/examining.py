"""Looks into a file at its origin and says what the catalogue should know of it."""

from __future__ import annotations

from musefs.catalog.records import ArtRecord, ContentRecord, FileRecord, Kind
from musefs.indexing.inspection import EndSizes, Inspection, identify, inspect
from origins import AccessDenied, FileChanged, FileInfo, FileMissing, Origin, OriginUnavailable


class Examiner:
    """Inspects files, `at_once_max` of them side by side."""

    def __init__(self, ends: EndSizes, at_once_max: int) -> None:
        self._ends = ends
        self.at_once_max = at_once_max

    async def examine(
        self, origin: Origin, info: FileInfo, kind: Kind
    ) -> FileRecord | OriginUnavailable | None:
        """A file's record; None when it is gone; the error when the origin cannot give it now."""
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
            return _unreadable(info, kind, str(error))

    async def _examine(self, origin: Origin, info: FileInfo, kind: Kind) -> FileRecord:
        async def read(offset: int, size: int) -> bytes:
            return await origin.read(info.path, info.version, offset, size)

        if kind == "sidecar":
            fingerprint = await identify(read, info.size, self._ends)
            content = ContentRecord(fingerprint, 0, info.size)
            failure = None
        else:
            found = await inspect(read, info.path, info.size, self._ends)
            content, failure = _content(found), found.failure
        return FileRecord(info.path, info.size, info.mtime_ns, info.version, kind, content, failure)


def _content(found: Inspection) -> ContentRecord:
    return ContentRecord(
        fingerprint=found.fingerprint,
        audio_start=found.audio_start,
        audio_end=found.audio_end,
        format=str(found.format),
        duration_s=found.duration_s,
        tags=found.tags,
        art=[ArtRecord(p.kind, p.mime, p.offset, p.length) for p in found.pictures],
    )


def _unreadable(info: FileInfo, kind: Kind, reason: str) -> FileRecord:
    """No version: the next scan tries again."""
    return FileRecord(info.path, info.size, info.mtime_ns, "", kind, None, reason)
