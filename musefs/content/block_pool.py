"""Content in memory: blocks that readers share, within a fixed number of bytes.

A block is one chunk. A hit is answered at once through `peek`, with a slice and no waiting. A miss
is fetched from below once, however many readers want it; room is reserved before a byte is asked
for. A read over several blocks pins those it has until it has put all of them together, and asks
for many neighbours that are missing in one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from musefs.content.blocks import Block, BlockKey, BlockTable
from musefs.content.chunking import Chunk, Span, chunks_of, locate
from musefs.content.reservations import Reservations
from musefs.errors import ContentUnavailable
from musefs.kit.single_flight import SingleFlight
from musefs.model import Buffer, Content, ContentId, ContentSource

RUN_CHUNKS_MIN = 3
"""So many neighbours are fetched together; fewer come sooner side by side."""

ASSEMBLED_BLOCKS_MAX = 8
"""A longer read is put together in steps of so many blocks, so that it pins no more at a time."""


class AtHand(Protocol):
    """Who has bytes nearly as near as the memory."""

    def peek(self, content: Content, offset: int, size: int, *, is_keepable: bool) -> Buffer | None:
        """The bytes, when that needs no waiting; None also for what should rather be kept here."""
        ...


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Counts since the start (hits, misses, joined, evictions: in blocks) and the state now."""

    hits: int
    misses: int
    joined: int
    evictions: int
    blocks: int
    bytes: int
    reserved_bytes: int
    pinned: int
    in_flight: int


class BlockPool:
    """A content source over another, with a memory."""

    def __init__(
        self,
        below: ContentSource,
        memory_bytes_max: int,
        *,
        room_wait_s: float = 5.0,
        at_hand: AtHand | None = None,
    ) -> None:
        """`at_hand` is asked for what is not in memory, before `below`."""
        self._below = below
        self._at_hand = at_hand
        self._memory_bytes_max = memory_bytes_max
        self._blocks = BlockTable()
        self._room = Reservations(self._blocks, memory_bytes_max, room_wait_s)
        self._flights: SingleFlight[BlockKey, Block] = SingleFlight()
        self._runs: SingleFlight[tuple[ContentId, Span], Buffer] = SingleFlight()
        self._hits = self._misses = self._joined = 0

    def __repr__(self) -> str:
        used, limit = self._blocks.bytes >> 20, self._memory_bytes_max >> 20
        return (
            f"<BlockPool {len(self._blocks)} blocks, {used} MB of {limit}, "
            f"{len(self._flights)} loading>"
        )

    def stats(self) -> PoolStats:
        """The counters now; costs the same however many blocks there are."""
        return PoolStats(
            hits=self._hits,
            misses=self._misses,
            joined=self._joined,
            evictions=self._blocks.evictions,
            blocks=len(self._blocks),
            bytes=self._blocks.bytes,
            reserved_bytes=self._room.reserved_bytes,
            pinned=self._blocks.pinned,
            in_flight=len(self._flights),
        )

    def has(self, content: Content, offset: int) -> bool:
        """Whether the block that holds `offset` is there or on its way; counts as no use of it."""
        key = (content.id, locate(content, offset)[0])
        return key in self._blocks or key in self._flights

    def peek(self, content: Content, offset: int, size: int) -> Buffer | None:
        """What `read` would answer, when it can without waiting; None otherwise."""
        found = self._held(content, offset, size)
        if found is None and self._at_hand is not None:
            has_room = self._blocks.bytes + content.size <= self._memory_bytes_max
            return self._at_hand.peek(content, offset, size, is_keepable=has_room)
        return found

    def _held(self, content: Content, offset: int, size: int) -> Buffer | None:
        end = min(offset + size, content.size)
        if offset >= end:
            return b""
        index, start, stop = locate(content, offset)
        block = self._blocks.hit((content.id, index))
        if block is None:
            return None
        if end > stop:
            return self._held_over_blocks(content, offset, end)
        self._hits += 1
        return block.view[offset - start : end - start]

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size), fewer only at the end of the content.

        Raises what the source below raises: ContentUnavailable, ContentChanged.
        """
        found = self._held(content, offset, size)
        if found is not None:
            return found
        if not content.cacheable:
            return await self._below.read(content, offset, size)
        end = min(offset + size, content.size)
        chunks = list(chunks_of(content, offset, size))
        parts = []
        for first in range(0, len(chunks), ASSEMBLED_BLOCKS_MAX):
            step = chunks[first : first + ASSEMBLED_BLOCKS_MAX]
            parts.append(await self._assemble(content, step, offset, end))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def drop(self, content_id: ContentId) -> None:
        """Give a content's memory back."""
        self._blocks.drop(content_id)
        self._room.settle()

    def release(self, content: Content, offset: int) -> None:
        """Give the memory of the chunk at `offset` back, unless a reader has it pinned."""
        self._blocks.remove((content.id, locate(content, offset)[0]))
        self._room.settle()

    def clear(self) -> int:
        """Give all memory back; how many bytes that were."""
        freed = self._blocks.bytes
        self._blocks.clear()
        self._room.settle()
        return freed

    async def aclose(self) -> None:
        """End every fetch and give all memory back."""
        await self._flights.aclose()
        await self._runs.aclose()
        self._blocks.clear()

    def _held_over_blocks(self, content: Content, offset: int, end: int) -> Buffer | None:
        chunks = list(chunks_of(content, offset, end - offset))
        blocks = []
        for chunk in chunks:
            block = self._blocks.hit((content.id, chunk.index))
            if block is None:
                return None
            blocks.append(block)
        self._hits += len(blocks)
        return _join(chunks, blocks, offset, end)

    async def _assemble(
        self, content: Content, chunks: Sequence[Chunk], offset: int, end: int
    ) -> Buffer:
        """Get all blocks of a step side by side, each pinned from when it is there."""
        pins: list[Block] = []
        try:
            found = [self._present(content, chunk, pins) for chunk in chunks]
            missing = [chunk for chunk, block in zip(chunks, found, strict=True) if block is None]
            if len(missing) == 1:
                loaded = [await self._shared(content, missing[0], pins, None)]
            else:
                loaded = await self._side_by_side(content, missing, pins)
            arrived = iter(loaded)
            return _join(chunks, [block or next(arrived) for block in found], offset, end)
        finally:
            for block in pins:
                self._blocks.unpin(block)
            self._room.settle()

    def _present(self, content: Content, chunk: Chunk, pins: list[Block]) -> Block | None:
        block = self._blocks.hit((content.id, chunk.index))
        if block is not None:
            self._hits += 1
            self._pin(block, pins)
        return block

    async def _side_by_side(
        self, content: Content, chunks: Sequence[Chunk], pins: list[Block]
    ) -> list[Block]:
        """Load several blocks at once; waits for all of them even when one fails."""
        runs = self._runs_of(content, chunks)
        outcomes = await asyncio.gather(
            *(self._shared(content, chunk, pins, runs.get(chunk.index)) for chunk in chunks),
            return_exceptions=True,
        )
        blocks = []
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
            blocks.append(outcome)
        return blocks

    def _runs_of(self, content: Content, chunks: Sequence[Chunk]) -> dict[int, _Run]:
        """The run that each chunk comes in, by its index; those that come alone are left out."""
        found: dict[int, _Run] = {}
        run: list[Chunk] = []
        for chunk in [*chunks, None]:
            joins = chunk is not None and (content.id, chunk.index) not in self._flights
            if run and (chunk is None or not joins or chunk.start != run[-1].end):
                if len(run) >= RUN_CHUNKS_MIN:
                    found |= dict.fromkeys((c.index for c in run), _Run(run[0].start, run[-1].end))
                run = []
            if chunk is not None and joins:
                run.append(chunk)
        return found

    async def _shared(
        self, content: Content, chunk: Chunk, pins: list[Block], run: _Run | None
    ) -> Block:
        key = (content.id, chunk.index)
        block = self._blocks.hit(key)
        if block is not None:  # it came while others of this read were being started
            self._hits += 1
        else:
            if key in self._flights:
                self._joined += 1
            else:
                self._misses += 1
            block = await self._flights.fetch(key, lambda: self._load(content, chunk, run))
        self._pin(block, pins)
        return block

    def _pin(self, block: Block, pins: list[Block]) -> None:
        self._blocks.pin(block)
        pins.append(block)

    async def _load(self, content: Content, chunk: Chunk, run: _Run | None) -> Block:
        async with self._room.room(chunk.size) as kept:
            data = await self._fetched(content, chunk, run)
            if len(data) != chunk.size:
                raise ContentUnavailable(
                    f"content {content.id}: {len(data)} bytes instead of {chunk.size} at "
                    f"{chunk.start}; rescan its origin"
                )
            block = Block((content.id, chunk.index), _owned(data))
            if kept:
                self._blocks.insert(block)
            return block

    async def _fetched(self, content: Content, chunk: Chunk, run: _Run | None) -> Buffer:
        key = (content.id, (run.start, run.end)) if run is not None else None
        if run is None or key is None or (run.is_started and key not in self._runs):
            # Alone, or its run has landed while it waited for room.
            return await self._below.read(content, chunk.start, chunk.size)
        run.is_started = True
        whole = await self._runs.fetch(key, lambda: self._read_run(content, run))
        return bytes(whole[chunk.start - run.start : chunk.end - run.start])

    async def _read_run(self, content: Content, run: _Run) -> Buffer:
        return memoryview(await self._below.read(content, run.start, run.end - run.start))


@dataclass(slots=True)
class _Run:
    """Neighbouring chunks that are fetched in one request."""

    start: int
    end: int
    is_started: bool = False


def _owned(data: Buffer) -> Buffer:
    """The bytes alone: a slice of something larger would keep all of it in memory, uncounted."""
    if isinstance(data, memoryview) and len(memoryview(data.obj)) != len(data):
        return bytes(data)
    return data


def _join(chunks: Sequence[Chunk], blocks: Sequence[Block], offset: int, end: int) -> Buffer:
    """Bytes [offset, end), as far as these blocks reach."""
    parts = [
        block.view[max(offset - chunk.start, 0) : min(end, chunk.end) - chunk.start]
        for chunk, block in zip(chunks, blocks, strict=True)
    ]
    return parts[0] if len(parts) == 1 else b"".join(parts)
