"""Reads whole files at their origin and compares them with the digests of their chunks.

A file can get other bytes and keep its size, its date and its ends: no scan notices that. What is
found to be another file than recorded gets a content of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from musefs.catalog.chunks import CheckableFile, checkable_file, checkable_files
from musefs.catalog.contents import HeldContent
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.content.chunk_files import digest_of
from musefs.content.chunking import Chunk, chunks_of
from musefs.indexing.deltas import is_like
from musefs.indexing.examining import Examined, Examiner
from musefs.indexing.sampling import variant
from musefs.model import ContentId
from origins import FileChanged, FileMissing, Origin, OriginError
from origins.base import Version
from origins.limited import TokenBucket

log = logging.getLogger(__name__)

REQUEST_BYTES_MAX = 1 << 20
FILES_PER_QUERY = 100

Outcome = Literal["same", "other", "changed", "unread"]
"""`other`: it was not what the catalogue said, and is another content now. `changed`: it is another
version, or gone, which the next scan finds. `unread`: the origin could not give it."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of one file: `compared_bytes` of it were read; why it was `unread`."""

    path: str
    outcome: Outcome
    compared_bytes: int = 0
    reason: str | None = None


class Verifier:
    """Verifies one origin's files. `committed` is called when the tree has something to follow.

    Nothing may scan the same origin at the same time; the caller sees to that.
    """

    def __init__(
        self,
        database: Database,
        examiner: Examiner,
        digests: Callable[[ContentId], Awaitable[Mapping[int, bytes]]],
        committed: Callable[[], None],
    ) -> None:
        """`digests` gives those of a content that are known, by chunk index."""
        self._db = database
        self._files = Files(database)
        self._digests = digests
        self._examiner = examiner
        self._committed = committed

    async def verify_all(
        self, origin: Origin, bytes_per_s: int | None = None
    ) -> AsyncGenerator[Verified, None]:
        """Verify every file of which a digest is known, no faster than that."""
        bucket = TokenBucket(bytes_per_s, _now()) if bytes_per_s else None
        last_id = 0
        while files := await checkable_files(self._db, origin.id, last_id, FILES_PER_QUERY):
            for file in files:
                yield await self.verify(origin, file, bucket)
            last_id = files[-1].id

    async def verify_path(self, origin: Origin, path: str) -> Verified:
        """Verify the file at a path. Raises StateBroken."""
        file = await checkable_file(self._db, origin.id, path)
        if file is None:
            return Verified(path, "changed")
        return await self.verify(origin, file)

    async def verify(
        self, origin: Origin, file: CheckableFile, bucket: TokenBucket | None = None
    ) -> Verified:
        """Verify one file. What the origin refuses is an outcome; raises StateBroken."""
        held = (await self._files.contents.held(origin.id, [file.path])).get(file.path)
        if held is None:
            return Verified(file.path, "changed")
        digests = await self._digests(held.content.id)
        content = held.content.content()
        chunks = [c for c in chunks_of(content, 0, content.size) if c.index in digests]
        compared_bytes = sum(chunk.size for chunk in chunks)
        reading = _Reading(origin, file.path, Version(held.version), bucket)
        try:
            wrong = await reading.differing(chunks, digests)
            if not wrong:
                return Verified(file.path, "same", compared_bytes)
            return await self._separate(origin, file, held, wrong)
        except (FileChanged, FileMissing):
            return Verified(file.path, "changed")
        except OriginError as error:
            return Verified(file.path, "unread", reason=str(error))

    async def _separate(
        self,
        origin: Origin,
        file: CheckableFile,
        held: HeldContent,
        wrong: Sequence[tuple[int, bytes]],
    ) -> Verified:
        """Record the file as a content of its own."""
        info = await origin.stat(file.path)
        if info.version != held.version:
            return Verified(file.path, "changed")
        found = await self._examiner.examine(origin, info, file.kind)
        if not isinstance(found, Examined) or found.record.content is None:
            reason = found.record.failure if isinstance(found, Examined) else str(found)
            return Verified(file.path, "unread", reason=reason)
        content, old = found.record.content, held.content
        if is_like(old, found.record.size, content.fingerprint):
            other = variant(old.ends, old.fingerprint, wrong)
            content = replace(content, fingerprint=other, variant_of=old.ends)
        await self._files.record(origin.id, [replace(found.record, content=content)])
        self._committed()
        log.warning(
            "%s: %s: has other bytes than recorded, at the same version", origin.id, file.path
        )
        return Verified(file.path, "other", old.size)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One version of a file, read no faster than the bucket allows."""

    origin: Origin
    path: str
    version: Version
    bucket: TokenBucket | None

    async def differing(
        self, chunks: Sequence[Chunk], digests: Mapping[int, bytes]
    ) -> list[tuple[int, bytes]]:
        """Offsets and digests of the chunks that are not as recorded. Raises OriginError."""
        wrong = []
        for group in _requests(chunks):
            start, end = group[0].start, group[-1].end
            if self.bucket is not None:
                await asyncio.sleep(self.bucket.take(end - start, _now()))
            data = memoryview(await self.origin.read(self.path, self.version, start, end - start))
            if len(data) != end - start:
                raise FileChanged(f"{self.path}: {len(data)} bytes at {start}, not {end - start}")
            for chunk in group:
                digest = digest_of(data[chunk.start - start : chunk.end - start])
                if digest != digests[chunk.index]:
                    wrong.append((chunk.start, digest))
        return wrong


def _requests(chunks: Sequence[Chunk]) -> list[list[Chunk]]:
    """Neighbours together, REQUEST_BYTES_MAX at most."""
    groups: list[list[Chunk]] = []
    for chunk in chunks:
        together = bool(groups) and groups[-1][-1].end == chunk.start
        if together and chunk.end - groups[-1][0].start <= REQUEST_BYTES_MAX:
            groups[-1].append(chunk)
        else:
            groups.append([chunk])
    return groups


def _now() -> float:
    return asyncio.get_running_loop().time()
