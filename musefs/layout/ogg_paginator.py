"""Cuts header packets into Ogg pages (RFC 3533 section 6).

A packet is a list of pieces, so that a page's body may lie in the backing content, or be the text
of a picture: a piece knows where a reader finds its bytes, and those bytes for the checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from musefs.layout.ogg_crc import checksum, mirrored
from musefs.layout.ogg_pages import CHECKSUM_AT, CONTINUED, LACING_VALUES_MAX, NO_PACKET_ENDS
from musefs.layout.segments import ArtText, Backing, Segment, Synthesised
from musefs.model import Buffer

_HEAD = struct.Struct("<4sBBqIIIB")


class Piece(NamedTuple):
    """Bytes of a packet: where a reader finds them, and themselves mirrored (`ogg_crc`)."""

    segment: Synthesised | Backing | ArtText
    mirrored: memoryview

    def part(self, start: int, end: int) -> Piece:
        """Bytes [start, end) of this piece."""
        return Piece(self.segment.part(start, end), self.mirrored[start:end])


def inline(data: bytes) -> Piece:
    """A piece of bytes that exist in the layout alone."""
    return Piece(Synthesised(data), memoryview(mirrored(data)))


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
    lacing = b"".join(_lacing(packet) for packet in packets)
    pieces = _Pieces(piece for packet in packets for piece in packet)
    segments: list[Segment] = []
    place = 0
    for number, count in enumerate(counts):
        values = lacing[place : place + count]
        if place and lacing[place - 1] == 255:
            flags |= CONTINUED
        place += count
        body = pieces.take(sum(values))
        granule = 0 if min(values) < 255 else NO_PACKET_ENDS
        fields = (b"OggS", 0, flags, granule, serial, sequence + number & 0xFFFF_FFFF, 0, count)
        head = bytearray(_HEAD.pack(*fields) + values)
        parts: list[Buffer] = [mirrored(bytes(head)), *(piece.mirrored for piece in body)]
        struct.pack_into("<I", head, CHECKSUM_AT, checksum(parts))
        segments.append(Synthesised(bytes(head)))
        segments.extend(piece.segment for piece in body)
        flags = 0
    return segments


def _lacing(packet: Sequence[Piece]) -> bytes:
    whole, rest = divmod(sum(piece.segment.length for piece in packet), 255)
    return b"\xff" * whole + bytes([rest])


class _Pieces:
    """Pieces in a row, taken from the front."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._waiting: Iterator[Piece] = iter(pieces)
        self._rest: Piece | None = None

    def take(self, length: int) -> list[Piece]:
        """The pieces of the next `length` bytes."""
        taken: list[Piece] = []
        while length:
            piece = self._rest or next(self._waiting)
            size = piece.segment.length
            self._rest = piece.part(length, size) if size > length else None
            if size:
                taken.append(piece.part(0, length) if size > length else piece)
            length -= min(size, length)
        return taken
