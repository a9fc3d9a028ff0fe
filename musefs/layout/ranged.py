"""A file object over the few ranges of a remote file that have been fetched.

Parsers run synchronously on what is there. A read that misses raises Need; the caller fetches that
range and runs the parser again, which costs less than a millisecond. Need and BoundReached are
BaseExceptions, because the parsers' own except clauses must not take them for a broken file.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TypeVar, cast

from musefs.errors import MusefsError

T = TypeVar("T")

FETCHED_BYTES_MAX = 4 << 20
READ_BYTES_MAX = 64 << 20
READS_MAX = 20_000


class Need(BaseException):
    """Bytes [start, end) have to be fetched before the parser can go on."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(start, end)
        self.start = start
        self.end = end


class BoundReached(BaseException):
    """A parser wants more than any honest file needs."""


class Malformed(MusefsError):
    """The file breaks its format's rules. The text ends a sentence that begins with the file."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits on what one file may cost. Reads are counted between two fetches."""

    fetched_bytes_max: int = FETCHED_BYTES_MAX
    read_bytes_max: int = READ_BYTES_MAX
    reads_max: int = READS_MAX


class Extents:
    """The known ranges of a file of `size` bytes: fetched bytes and holes."""

    def __init__(self, size: int, bounds: Bounds | None = None) -> None:
        self.size = size
        self.fetched_bytes = 0
        self._bounds = bounds or Bounds()
        self._fetched: list[tuple[int, bytes]] = []
        self._holes: list[tuple[int, int]] = []
        self._recent: tuple[int, bytes] = 0, b""
        self._reads = 0
        self.parsed: dict[tuple[object, int, int], object] = {}

    @property
    def spare_bytes(self) -> int:
        """How many bytes may still be fetched."""
        return max(0, self._bounds.fetched_bytes_max - self.fetched_bytes)

    def add(self, offset: int, data: bytes) -> None:
        """Keep fetched bytes and start counting reads anew."""
        self._fetched.append((offset, data))
        self.fetched_bytes += len(data)
        self._reads = 0

    def hole(self, start: int, end: int) -> None:
        """Declare [start, end) not worth fetching: it reads as zeros where it is not known."""
        if (start, end) not in self._holes:
            self._holes.append((start, end))

    def known_until(self, start: int) -> int:
        """Where the run of fetched bytes that holds `start` ends; `start` when there is none."""
        position, grown = start, True
        while grown:
            grown = False
            for offset, data in self._fetched:
                if offset <= position < offset + len(data):
                    position, grown = offset + len(data), True
        return position

    def known_before(self, position: int) -> int:
        """The end of the last fetched range that begins before `position`, at most `position`."""
        ends = (offset + len(data) for offset, data in self._fetched if offset < position)
        return min(position, max(ends, default=0))

    def read(self, start: int, end: int) -> bytes:
        """Bytes [start, end), which lie inside the file. Raises Need, BoundReached."""
        self._reads += 1
        if self._reads > self._bounds.reads_max:
            raise BoundReached("has tags in more pieces than any player writes")
        if end - start > self._bounds.read_bytes_max:
            raise BoundReached(f"has tags larger than {_mebibytes(self._bounds.read_bytes_max)}")
        offset, data = self._recent  # most reads lie next to the one before
        if offset <= start and end <= offset + len(data):
            return data[start - offset : end - offset]
        pieces: list[bytes] = []
        while start < end:
            piece = self._piece(start, end)
            pieces.append(piece)
            start += len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, start: int, end: int) -> bytes:
        for offset, data in self._fetched:
            if offset <= start < offset + len(data):
                self._recent = offset, data
                return data[start - offset : end - offset]
        following = [offset for offset, _ in self._fetched if start < offset < end]
        gap_end = min(following, default=end)
        for hole_start, hole_end in self._holes:
            if hole_start <= start < hole_end:
                return bytes(min(gap_end, hole_end) - start)
        gap_end = min([gap_end, *(first for first, _ in self._holes if start < first < end)])
        if gap_end - start > self.spare_bytes:
            raise BoundReached(f"has tags larger than {_mebibytes(self._bounds.fetched_bytes_max)}")
        raise Need(start, gap_end)


class RangedFile:
    """A read-only file object over [start, end) of a file's extents.

    `at_hand` views never raise Need: what is not known reads as the end of the file.
    """

    name = "the file"

    def __init__(
        self, extents: Extents, start: int = 0, end: int | None = None, *, at_hand: bool = False
    ) -> None:
        self.extents = extents
        self.start = start
        self.size = max(0, (extents.size if end is None else min(end, extents.size)) - start)
        self._at_hand = at_hand
        self._position = 0

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes from the current position. Raises Need, BoundReached."""
        wanted = self.size if size is None or size < 0 else size
        data = self.at(self._position, wanted)
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move. Raises OSError for a place before the start, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "seek before the start of the file")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The current position in bytes."""
        return self._position

    def at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length), fewer at the end. Raises Need, BoundReached."""
        start = self.start + offset if offset > 0 else self.start
        end, last = start + length, self.start + self.size
        if end > last:
            end = last
        if self._at_hand:
            end = min(end, self.extents.known_until(start))
        return self.extents.read(start, end) if start < end else b""

    def exactly(self, offset: int, length: int) -> bytes:
        """The same, but raises Malformed where the file ends too soon."""
        data = self.at(offset, length)
        if len(data) < length:
            raise Malformed("is cut off inside its header or tags")
        return data

    def part(self, start: int, end: int, *, at_hand: bool = False) -> RangedFile:
        """A file of its own over [start, end) of this one."""
        first = self.start + start
        last = min(self.start + end, self.start + self.size)
        return RangedFile(self.extents, first, last, at_hand=at_hand)


def parsed_once(parse: Callable[[RangedFile], T]) -> Callable[[RangedFile], T]:
    """A parser that remembers what it made of a file, whose bytes never change."""

    @wraps(parse)
    def remembering(file: RangedFile) -> T:
        key = (parse, file.start, file.size)
        known = file.extents.parsed
        if key not in known:
            known[key] = parse(file)
        return cast(T, known[key])

    return remembering


def in_memory(data: bytes) -> RangedFile:
    """A ranged file that is there as a whole."""
    extents = Extents(len(data), Bounds(fetched_bytes_max=len(data)))
    extents.add(0, data)
    return RangedFile(extents)


def _mebibytes(size: int) -> str:
    return f"{size / (1 << 20):.3g} MiB"
