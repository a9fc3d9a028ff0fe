"""The nouns that the layers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NewType, Protocol

ContentId = NewType("ContentId", int)
"""A content's row in the catalogue; never reused."""

TrackId = NewType("TrackId", int)
PictureId = NewType("PictureId", int)
"""A picture that a user gave, a row of the catalogue."""

Inode = NewType("Inode", int)

Buffer = bytes | memoryview

Accepts = Callable[[Buffer], bool]
"""Whether the bytes of a read are those that are wanted."""

CHUNK_BYTES = 256 << 10
"""Size of a chunk; the last one of each region of a file is shorter."""


@dataclass(frozen=True, slots=True)
class Content:
    """Immutable bytes that one or more origins hold.

    `audio_start` and `audio_end` bound the part that a new tag leaves alone; 0 and `size` when it
    is not known. `cacheable` is False when every origin that holds it is read straight through.
    `regions`: where each region begins, sorted from 0, and `size` at the end; when not given, head,
    audio and tail. `first_chunks`: the number of each region's first chunk, and of all chunks at
    the end. `body`: [start, end) of the audio without its beginning and end, which every scan of
    tags reads.
    """

    id: ContentId
    size: int
    audio_start: int
    audio_end: int
    cacheable: bool = True
    regions: tuple[int, ...] = ()
    first_chunks: tuple[int, ...] = field(init=False, repr=False, compare=False)
    body: tuple[int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Count the chunks once, so that finding one takes no more than a bisection."""
        regions = self.regions or tuple(sorted({0, self.audio_start, self.audio_end, self.size}))
        counts = [0]
        for start, end in pairwise(regions):
            counts.append(counts[-1] - (start - end) // CHUNK_BYTES)
        cuts = [cut for cut in regions if self.audio_start < cut < self.audio_end]
        body = (cuts[0], cuts[-1]) if len(cuts) > 1 else (self.audio_start, self.audio_end)
        object.__setattr__(self, "body", body)
        object.__setattr__(self, "regions", regions)
        object.__setattr__(self, "first_chunks", tuple(counts))


class ContentSource(Protocol):
    """A keeper of content. Block pool, chunk store and federation all have this interface."""

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size), fewer only at the end of the content.

        Raises ContentUnavailable when no keeper has them now, ContentChanged when they are gone for
        good.
        """
        ...


class PeekingSource(ContentSource, Protocol):
    """A keeper with a second, synchronous door."""

    def peek(self, content: Content, offset: int, size: int) -> Buffer | None:
        """What `read` would answer, when it can without waiting; None otherwise."""
        ...


class CheckedSource(Protocol):
    """A keeper that has more than one copy of a content, and can be told that one is wrong."""

    async def read(
        self, content: Content, offset: int, size: int, accepts: Accepts | None = None
    ) -> Buffer:
        """As a ContentSource; bytes that `accepts` says no to are looked for elsewhere.

        Raises ContentUnavailable, and ContentChanged also when no copy has right bytes.
        """
        ...
