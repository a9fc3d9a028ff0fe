"""Reads the segments of one open file: from its content, or from the pictures that users gave."""

from __future__ import annotations

from musefs.content.block_pool import BlockPool
from musefs.layout.ogg_pages import renumbered, window
from musefs.layout.picture_text import raw_range, text
from musefs.layout.segments import Art, ArtText, Backing, Pages, Segment, Synthesised
from musefs.library.servings import Serving
from musefs.model import Buffer, Content, PeekingSource

_Range = tuple[PeekingSource, Content, int, int]
"""Whom to ask for which range of what."""


class SegmentReader:
    """The two doors to a file's segments: `peek` answers at once or not at all, `read` waits."""

    def __init__(self, serving: Serving, source: PeekingSource, pictures: BlockPool) -> None:
        self._content = serving.content
        self._given = serving.pictures
        self._source = source
        self._pictures = pictures

    @property
    def source(self) -> PeekingSource:
        """The keeper of the file's content."""
        return self._source

    def peek(self, part: Segment) -> Buffer | None:
        """The bytes of a segment, when that takes no waiting; None otherwise."""
        if isinstance(part, Backing):
            return self._source.peek(self._content, part.offset, part.length)
        if isinstance(part, Synthesised):
            return part.data
        source, content, offset, size = self._range(part)
        data = source.peek(content, offset, size)
        return None if data is None else _made(part, offset, data)

    async def read(self, part: Segment) -> Buffer:
        """The bytes of a segment. Raises ContentUnavailable, ContentChanged."""
        if isinstance(part, Synthesised):
            return part.data
        source, content, offset, size = self._range(part)
        return _made(part, offset, await source.read(content, offset, size))

    def _range(self, part: Backing | Art | ArtText | Pages) -> _Range:
        if isinstance(part, Backing):
            return self._source, self._content, part.offset, part.length
        if isinstance(part, Pages):
            return self._source, self._content, *window(part, self._content.size)
        picture = self._given[part.picture]
        if isinstance(part, Art):
            return self._pictures, picture, part.offset, part.length
        return self._pictures, picture, *raw_range(part, picture.size)


def _made(part: Backing | Art | ArtText | Pages, offset: int, data: Buffer) -> Buffer:
    """The segment's bytes out of those that were read for it, from `offset` on."""
    if isinstance(part, Pages):
        return renumbered(part, offset, bytes(data))
    if isinstance(part, ArtText):
        return text(part, bytes(data))
    return data
