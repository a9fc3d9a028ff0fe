"""Cuts header packets into Ogg pages (RFC 3533 section 6).

A packet is a list of pieces, so that a page's body may lie in the backing content, or be the text
of a picture: a piece knows where a reader finds its bytes, and those bytes for the checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from musefs.layout.ogg_crc import mirrored_view, stored_checksum
from musefs.layout.ogg_pages import (
    CONTINUED,
    LACING_VALUES_MAX,
    NO_PACKET_ENDS,
    body_bytes,
)
from musefs.layout.segments import ArtText, Backing, Segment, Synthesised
from musefs.model import Buffer

_START = struct.Struct("<4sBBqII")
_NO_CHECKSUM = bytes(4)

Part = Synthesised | Backing | ArtText
"""What the body of a page can be made of."""


class Piece(NamedTuple):
    """So many bytes of a packet: the segments where a reader finds them, in order.

    `mirrored` are the bytes themselves, in parts as `ogg_crc` has them; they can be gone through
    once.
    """

    segments: Sequence[Part]
    length: int
    mirrored: Iterable[Buffer]


def inline(data: bytes) -> Piece:
    """A piece of bytes that exist in the layout alone."""
    return Piece((Synthesised(data),), len(data), (mirrored_view(data),))


def lacing_values(packet_bytes: int) -> int:
    """How many lacing values a packet takes: one per 255 bytes and one below 255 that ends it."""
    return packet_bytes // 255 + 1


def plan(lacings: Sequence[int], pages: int) -> list[int] | None:
    """How many lacing values to put on each of so many pages, for packets of `lacings` values.

    Each packet begins on a page of its own where there are pages enough, and the first packets are
    cut the least. None when `pages` cannot hold all values, or would not all hold one.
    """
    total = sum(lacings)
    if not -(-total // LACING_VALUES_MAX) <= pages <= total:
        return None
    shares = [-(-values // LACING_VALUES_MAX) for values in lacings]
    spare = pages - sum(shares)
    if spare < 0:
        return _even(total, pages)
    for index in reversed(range(len(shares))):
        extra = min(spare, lacings[index] - shares[index])
        shares[index] += extra
        spare -= extra
    counts: list[int] = []
    for values, share in zip(lacings, shares, strict=True):
        counts += _even(values, share)
    return counts


def _even(values: int, pages: int) -> list[int]:
    each, more = divmod(values, pages)
    return [each + (index < more) for index in range(pages)]


def paginate(
    packets: Sequence[Sequence[Piece]],
    counts: Sequence[int],
    serial: int,
    sequence: int,
    flags: int = 0,
) -> list[Segment]:
    """Pages of header packets: the first is number `sequence` and has `flags`. In many segments.

    `counts` says how many lacing values each page has (`plan`). Granule positions are 0, as headers
    have it, or -1 where no packet ends (RFC 3533 section 6, field 4).
    """
    lacing = b"".join(map(_lacing, packets))
    pieces = [piece for packet in packets for piece in packet]
    bodies = _Bodies(chain.from_iterable(piece.mirrored for piece in pieces))
    segments = _Segments(chain.from_iterable(piece.segments for piece in pieces))
    made: list[Segment] = []
    place = 0
    for count in counts:
        values = lacing[place : place + count]
        length = body_bytes(values)
        granule = NO_PACKET_ENDS if length == 255 * count else 0
        start = _START.pack(b"OggS", 0, flags, granule, serial, sequence & 0xFFFF_FFFF)
        end = bytes((count,)) + values
        crc = stored_checksum(start + _NO_CHECKSUM + end, bodies.take(length))
        made.append(Synthesised(start + crc + end))
        made += segments.take(length)
        flags = CONTINUED if values[-1] == 255 else 0
        place += count
        sequence += 1
    return made


def _lacing(packet: Sequence[Piece]) -> bytes:
    whole, rest = divmod(sum(piece.length for piece in packet), 255)
    return b"\xff" * whole + bytes([rest])


class _Bodies:
    """Mirrored bytes in a row, taken from the front."""

    def __init__(self, views: Iterable[Buffer]) -> None:
        self._waiting = iter(views)
        self._view: Buffer = b""
        self._taken = 0

    def take(self, length: int) -> list[Buffer]:
        """The next `length` bytes."""
        found: list[Buffer] = []
        start, end = self._taken, self._taken + length
        while end > len(self._view):
            found.append(self._view[start:])
            start, end = 0, end - len(self._view)
            self._view = next(self._waiting)
        found.append(self._view[start:end])
        self._taken = end
        return found


class _Segments:
    """Segments in a row, taken from the front."""

    def __init__(self, segments: Iterable[Part]) -> None:
        self._waiting = iter(segments)
        self._segment: Part = Synthesised(b"")
        self._taken = 0

    def take(self, length: int) -> list[Part]:
        """What the next `length` bytes are made of."""
        found: list[Part] = []
        segment, start = self._segment, self._taken
        end = start + length
        size = segment.length
        while end > size:
            if start < size:
                found.append(segment.part(start, size) if start else segment)
            segment = next(self._waiting)
            start, end, size = 0, end - size, segment.length
        if start < end:
            found.append(segment.part(start, end))
        self._segment, self._taken = segment, end
        return found
