"""The bytes of a file that are known, in pieces, as a scan comes by them."""

from __future__ import annotations

from bisect import insort

from musefs.model import Buffer


class Fragments:
    """Pieces of one file; they may overlap. `owned_bytes`: the size of those that it alone has."""

    def __init__(self) -> None:
        self._pieces: list[tuple[int, int, Buffer]] = []
        self.owned_bytes = 0

    def add(self, offset: int, data: Buffer, *, shared: bool = False) -> None:
        """Note the bytes at an offset; `shared`: others hold the same object."""
        if len(data):
            insort(self._pieces, (offset, len(data), data), key=lambda piece: piece[:2])
            self.owned_bytes += 0 if shared else len(data)

    def between(self, start: int, end: int) -> Buffer | None:
        """Bytes [start, end) without copying where one piece has them; None: not all are known."""
        parts: list[Buffer] = []
        position = start
        while position < end:
            found = self._at(position)
            if found is None:
                return None
            offset, data = found
            parts.append(memoryview(data)[position - offset : end - offset])
            position = min(end, offset + len(data))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges of [start, end) that are not known, in order."""
        gaps = []
        position = start
        for offset, length, _ in self._pieces:
            if offset >= end:
                break
            if offset > position:
                gaps.append((position, offset))
            position = max(position, offset + length)
        if position < end:
            gaps.append((position, end))
        return gaps

    def overlapping(self, start: int, end: int) -> list[tuple[int, Buffer]]:
        """The known parts of [start, end), each with its offset; they may overlap."""
        return [
            (max(offset, start), memoryview(data)[max(start - offset, 0) : end - offset])
            for offset, length, data in self._pieces
            if max(offset, start) < min(offset + length, end)
        ]

    def _at(self, position: int) -> tuple[int, Buffer] | None:
        """The piece that reaches farthest from a position."""
        holding = [
            (offset + length, offset, data)
            for offset, length, data in self._pieces
            if offset <= position < offset + length
        ]
        if not holding:
            return None
        _, offset, data = max(holding, key=lambda piece: piece[0])
        return offset, data
