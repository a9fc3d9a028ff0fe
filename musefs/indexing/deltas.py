"""A changed file against what is stored of it: which of that is still true.

Only windows are read, so a change can be missed: `verifying` reads everything. Of a content that
nothing is stored of, there is nothing to compare, and nothing stale that could be served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

from musefs.catalog.contents import HeldContent, StoredContent
from musefs.catalog.records import ContentRecord
from musefs.content.chunking import Chunk, Span, chunks_of
from musefs.content.fragments import Fragments
from musefs.indexing.sampling import Window, variant, windows_of
from musefs.indexing.shared_art import COMPARED_END_BYTES, COMPARED_START_BYTES
from musefs.layout.fetching import Read
from musefs.model import Buffer, Content
from origins import FileChanged, FileInfo


class StoredChunks(Protocol):
    """What a chunk store has at hand, without fetching."""

    async def has(self, content: Content, offset: int) -> bool:
        """Whether the chunk that holds `offset` is there."""
        ...

    async def stored(self, content: Content, chunk: Chunk) -> Buffer | None:
        """A chunk's bytes, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was `seen` of a file: offsets in the earlier content, and the file's bytes there."""

    seen: Sequence[tuple[int, Buffer]]
    equal: bool


class Deltas:
    """Compares files of one origin with what a chunk store has of them."""

    def __init__(self, store: StoredChunks) -> None:
        self._store = store

    async def identified(
        self, read: Read, info: FileInfo, found: ContentRecord, was: HeldContent, known: Fragments
    ) -> ContentRecord:
        """What a file is whose version is another than that of `was`. Raises what `read` raises.

        `known` are the bytes of it that need not be read again.
        """
        old = was.content
        if is_like(old, info.size, found.fingerprint):
            compared = await self._compared(read, old, 0, known)
            if compared is None or compared.equal:
                return as_before(found, old)
            other = variant(old.ends, old.fingerprint, compared.seen)
            return replace(found, fingerprint=other, variant_of=old.ends)
        lengths = {old.audio_end - old.audio_start, found.audio_end - found.audio_start}
        if found.format != was.format or len(lengths) > 1:
            return found
        compared = await self._compared(read, old, found.audio_start - old.audio_start, known)
        if compared is None or not compared.equal:
            return found
        return replace(found, audio_of=old)

    async def told_apart(
        self, read: Read, found: ContentRecord, alike: Sequence[StoredContent], known: Fragments
    ) -> ContentRecord:
        """Which of these contents a file is; all have its size and ends. Raises what `read` raises.

        When it differs from what is stored of the first of them and is none of the others, it is
        one of its own.
        """
        for old in alike:
            compared = await self._compared(read, old, 0, known)
            if compared is None:
                continue
            if compared.equal:
                return as_before(found, old)
            if old.fingerprint == old.ends:
                other = variant(old.ends, old.fingerprint, compared.seen)
                found = replace(found, fingerprint=other, variant_of=old.ends)
        return found

    async def recall(
        self, read: Read, was: HeldContent, pictures: Sequence[Span], known: Fragments
    ) -> None:
        """Add those pictures of a file that are stored of what it was. Raises what `read` raises.

        A picture is taken for the same when its length, its beginning and its end are.
        """
        old = was.content.content()
        for start, end in pictures:
            if not known.missing(start, end):
                continue
            for region in _regions_of(old, end - start):
                data = await self._whole(old, region)
                if data is not None and await _agrees(read, start, data, known):
                    known.add(start, data)
                    break

    async def _compared(
        self, read: Read, old: StoredContent, shift: int, known: Fragments
    ) -> Comparison | None:
        """The file's audio, `shift` bytes behind that of `old`; None: nothing of it is stored."""
        content = old.content()
        length = content.audio_end - content.audio_start
        chunks = [
            chunk
            for chunk in chunks_of(content, content.audio_start, length)
            if await self._store.has(content, chunk.start)
        ]
        stored: dict[int, Buffer] = {}
        windows = windows_of(chunks, old.ends)
        for chunk in {w.chunk for w in windows} | {c for c in chunks if _is_seen(c, shift, known)}:
            data = await self._store.stored(content, chunk)
            if data is not None:
                stored[chunk.index] = data
        if not stored:
            return None
        windows = [window for window in windows if window.chunk.index in stored]
        parts = await _parts(read, windows, shift, known)
        equal = all(
            part == stored[w.chunk.index][w.start - w.chunk.start : w.end - w.chunk.start]
            for w, part in zip(windows, parts, strict=True)
        )
        for chunk in chunks:
            # What has been read already is compared as a whole: it costs nothing.
            if chunk.index in stored and equal:
                equal = _is_equal(chunk, stored[chunk.index], shift, known)
        return Comparison([(w.start, p) for w, p in zip(windows, parts, strict=True)], equal)

    async def _whole(self, content: Content, region: Span) -> Buffer | None:
        parts = []
        for chunk in chunks_of(content, region[0], region[1] - region[0]):
            data = await self._store.stored(content, chunk)
            if data is None:
                return None
            parts.append(data)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def is_like(old: StoredContent, size: int, fingerprint: bytes) -> bool:
    """Whether a file of this size, whose ends give this fingerprint, can be that content."""
    return old.size == size and old.ends == fingerprint


def as_before(found: ContentRecord, old: StoredContent) -> ContentRecord:
    """A file that is still what it was."""
    return replace(found, fingerprint=old.fingerprint, variant_of=old.variant_of)


async def _parts(
    read: Read, windows: Sequence[Window], shift: int, known: Fragments
) -> list[Buffer]:
    """The file's bytes in these windows, those that are not known read side by side."""

    async def part(window: Window) -> Buffer:
        start, end = window.start + shift, window.end + shift
        data = known.between(start, end)
        if data is None:
            data = await read(start, end - start)
            if len(data) != end - start:
                raise FileChanged(
                    f"{end - start} bytes at {start} were asked for, {len(data)} came"
                )
        return data

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(part(window)) for window in windows]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the origin's own word, not a group of it
    return [task.result() for task in tasks]


def _is_seen(chunk: Chunk, shift: int, known: Fragments) -> bool:
    return bool(known.overlapping(chunk.start + shift, chunk.end + shift))


def _is_equal(chunk: Chunk, data: Buffer, shift: int, known: Fragments) -> bool:
    """Whether a chunk has all the bytes that are known of the file in its place."""
    start = chunk.start + shift
    parts = known.overlapping(start, chunk.end + shift)
    return all(data[offset - start :][: len(part)] == part for offset, part in parts)


def _regions_of(content: Content, size: int) -> list[Span]:
    """The regions of so many bytes that are no audio."""
    return [
        (start, end)
        for start, end in pairwise(content.regions)
        if end - start == size and (end <= content.audio_start or start >= content.audio_end)
    ]


async def _agrees(read: Read, start: int, data: Buffer, known: Fragments) -> bool:
    """Whether the file's bytes at `start` are those, by their ends and all else that is known."""
    end = start + len(data)
    for first, last in (
        (start, min(end, start + COMPARED_START_BYTES)),
        (max(start, end - COMPARED_END_BYTES), end),
    ):
        for gap_start, gap_end in known.missing(first, last):
            known.add(gap_start, await read(gap_start, gap_end - gap_start))
        if known.between(first, last) != data[first - start : last - start]:
            return False
    parts = known.overlapping(start, end)
    return all(data[offset - start :][: len(part)] == part for offset, part in parts)
