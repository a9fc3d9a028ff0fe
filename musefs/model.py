"""The nouns that the layers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType, Protocol

ContentId = NewType("ContentId", int)
"""A content's row in the catalogue; never reused."""

TrackId = NewType("TrackId", int)
Inode = NewType("Inode", int)

Buffer = bytes | memoryview

CHUNK_BYTES = 256 << 10
"""Size of a chunk; the last one of each region of a file is shorter."""


@dataclass(frozen=True, slots=True)
class Content:
    """Immutable bytes that one or more origins hold.

    `audio_start` and `audio_end` bound the part that a new tag leaves alone; 0 and `size` when it
    is not known. `cacheable` is False when every origin that holds it is read straight through.
    """

    id: ContentId
    size: int
    audio_start: int
    audio_end: int
    cacheable: bool = True


class ContentSource(Protocol):
    """A keeper of content. Block pool, chunk store and federation all have this interface."""

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size), fewer only at the end of the content.

        Raises ContentUnavailable when no keeper has them now, ContentChanged when they are gone for
        good.
        """
        ...
