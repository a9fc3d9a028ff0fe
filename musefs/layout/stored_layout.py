"""A layout as bytes, to be kept in the catalogue.

A version byte, the number of segments, the segments as a kind byte and numbers of seven bits a byte
(lowest first, the highest bit says that more follow); behind them all synthesised bytes together,
compressed by zlib (RFC 1950): padding and lacing values shrink to nothing.
"""

from __future__ import annotations

import zlib
from enum import IntEnum

from musefs.layout.segments import Art, ArtText, Backing, Layout, Pages, Segment, Synthesised
from musefs.model import PictureId

SYNTHESISED_BYTES_MAX = 64 << 20
_VERSION = 1
_COMPRESSION_LEVEL = 1
_NUMBER_BITS_MAX = 63


class _Kind(IntEnum):
    SYNTHESISED = 0
    BACKING = 1
    ART = 2
    ART_TEXT = 3
    PAGES = 4


def stored(layout: Layout) -> bytes:
    """Raises ValueError for more than SYNTHESISED_BYTES_MAX of synthesised bytes."""
    inline = [segment.data for segment in layout.segments if isinstance(segment, Synthesised)]
    if sum(map(len, inline)) > SYNTHESISED_BYTES_MAX:
        raise ValueError("a layout of so many synthesised bytes cannot be stored")
    table = bytearray([_VERSION])
    _append(table, len(layout.segments))
    for segment in layout.segments:
        kind, *numbers = _numbers(segment)
        table.append(kind)
        for number in numbers:
            _append(table, number)
    return bytes(table) + zlib.compress(b"".join(inline), _COMPRESSION_LEVEL)


def restored(blob: bytes) -> Layout:
    """The layout that was stored. Raises ValueError for anything that `stored` does not make."""
    if blob[:1] != bytes([_VERSION]):
        raise ValueError("not a stored layout of this version")
    numbers = _Numbers(blob, 1)
    count = numbers.next()
    if count > len(blob):
        raise ValueError("a stored layout is cut off")
    entries = [_entry(numbers) for _ in range(count)]
    lengths = [entry for entry in entries if isinstance(entry, int)]
    inline = _expanded(blob[numbers.position :], sum(lengths))
    position = 0
    segments: list[Segment] = []
    for entry in entries:
        if isinstance(entry, int):
            segments.append(Synthesised(inline[position : position + entry]))
            position += entry
        else:
            segments.append(entry)
    if not all(segment.length for segment in segments):
        raise ValueError("a stored layout has an empty segment")
    return Layout(tuple(segments))


def _numbers(segment: Segment) -> tuple[int, ...]:
    match segment:
        case Synthesised():
            return _Kind.SYNTHESISED, segment.length
        case Backing(offset, length):
            return _Kind.BACKING, offset, length
        case Art(picture, offset, length):
            return _Kind.ART, picture, offset, length
        case ArtText(picture, offset, length):
            return _Kind.ART_TEXT, picture, offset, length
        case Pages(offset, length, first, serial, delta):
            # Zigzag: the sign in the lowest bit.
            folded = delta * 2 if delta >= 0 else -delta * 2 - 1
            return _Kind.PAGES, offset, length, first, serial, folded


def _entry(numbers: _Numbers) -> Segment | int:
    """The next segment; of synthesised bytes, their number. Raises ValueError."""
    kind = numbers.byte()
    if kind > max(_Kind):
        raise ValueError("a stored layout has a segment of an unknown kind")
    match _Kind(kind):
        case _Kind.SYNTHESISED:
            return numbers.next()
        case _Kind.BACKING:
            return Backing(numbers.next(), numbers.next())
        case _Kind.ART:
            return Art(PictureId(numbers.next()), numbers.next(), numbers.next())
        case _Kind.ART_TEXT:
            return ArtText(PictureId(numbers.next()), numbers.next(), numbers.next())
        case _Kind.PAGES:
            offset, length, first, serial, folded = (numbers.next() for _ in range(5))
            delta = -(folded + 1 >> 1) if folded & 1 else folded >> 1
            return Pages(offset, length, first, serial, delta)


def _append(target: bytearray, number: int) -> None:
    if number < 0 or number.bit_length() > _NUMBER_BITS_MAX:
        raise ValueError("a layout with such a number cannot be stored")
    while number > 0x7F:
        target.append(number & 0x7F | 0x80)
        number >>= 7
    target.append(number)


class _Numbers:
    """Reads bytes and numbers, one after another."""

    def __init__(self, data: bytes, position: int) -> None:
        self.position = position
        self._data = data

    def byte(self) -> int:
        """The next byte. Raises ValueError at the end."""
        if self.position >= len(self._data):
            raise ValueError("a stored layout is cut off")
        self.position += 1
        return self._data[self.position - 1]

    def next(self) -> int:
        """The next number. Raises ValueError at the end, and for one that is too large."""
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if number.bit_length() > _NUMBER_BITS_MAX or shift > _NUMBER_BITS_MAX + 7:
                raise ValueError("a stored layout has a number that is too large")
            if byte < 0x80:
                return number


def _expanded(data: bytes, size: int) -> bytes:
    if size > SYNTHESISED_BYTES_MAX:
        raise ValueError("a stored layout has too many synthesised bytes")
    expander = zlib.decompressobj()
    try:
        # One byte more than expected: what is too long is seen, and what is endless stops.
        inline = expander.decompress(data, size + 1)
    except zlib.error as error:
        raise ValueError("a stored layout has bytes that cannot be decompressed") from error
    if len(inline) != size or not expander.eof or expander.unused_data:
        raise ValueError("a stored layout has another number of bytes than it says")
    return inline
