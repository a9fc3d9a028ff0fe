"""Reads files by ranges and counts what that costs."""

from __future__ import annotations

from pathlib import Path

from musefs.indexing.inspection import EndSizes, Inspection, inspect
from musefs.layout.formats import Format
from musefs.layout.ranged import Bounds, Extents, Need, RangedFile
from musefs.layout.reading import TagReading, read_tags


class CountedFile:
    """A file on disk, or bytes, behind the `read` that an inspection is given."""

    def __init__(self, source: Path | bytes) -> None:
        self._data = source.read_bytes() if isinstance(source, Path) else source
        self.size = len(self._data)
        self.requests: list[tuple[int, int]] = []

    async def read(self, offset: int, size: int) -> bytes:
        """Bytes [offset, offset + size), fewer at the end."""
        self.requests.append((offset, size))
        return self._data[offset : offset + size]

    @property
    def bytes_read(self) -> int:
        """In all requests."""
        return sum(size for _, size in self.requests)

    async def inspect(self, name: str, ends: EndSizes | None = None) -> Inspection:
        """Inspect this file under a name."""
        return await inspect(self.read, name, self.size, ends or EndSizes())


def read_whole(kind: Format, data: bytes) -> TagReading:
    """Read tags with every byte at hand."""
    extents = Extents(len(data), Bounds(fetched_bytes_max=len(data)))
    extents.add(0, data)
    return read_tags(kind, RangedFile(extents))


def read_bytewise(kind: Format, data: bytes) -> tuple[TagReading, int]:
    """Read tags with no byte at hand, fetching exactly what is asked for; and how many bytes."""
    extents = Extents(len(data))
    while True:
        try:
            return read_tags(kind, RangedFile(extents)), extents.fetched_bytes
        except Need as need:
            extents.add(need.start, data[need.start : need.end])
