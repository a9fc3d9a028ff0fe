"""The header packets of an Ogg file, and the ranges of the file that they were cut into.

Only a file of one plain stream is taken: its identification header alone on the first page, other
headers behind it, the audio from a fresh page on (Vorbis I section A.2, RFC 7845 section 3, and
RFC 9639 section 10.1 ask for that), and no other stream at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from musefs.layout.formats import Format, ogg_codec
from musefs.layout.ogg_crc import mirrored_view
from musefs.layout.ogg_headers import HEADER_PAGES_MAX, Page, body_of, is_last_header, pages
from musefs.layout.ogg_pages import BEGINS_STREAM, CONTINUED, NO_PACKET_ENDS, page_heads
from musefs.layout.ogg_paginator import Piece, inline
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Backing
from musefs.layout.synthesis.parts import INLINE_BYTES_MAX
from musefs.layout.wish import Unservable

PACKETS_MAX = 1024
_PART_BYTES = 48 << 10
_TAIL_BYTES = 64 << 10
"""Holds the last page whole: no page is longer than 65,307 bytes."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A header packet. `runs` are its (first byte in the packet, offset in the file, length)."""

    data: bytes
    runs: tuple[tuple[int, int, int], ...]

    def ranges(self, start: int, end: int) -> Piece:
        """Bytes [start, end) of the packet as ranges of the file."""
        found: list[Backing] = []
        for place, offset, length in self.runs:
            if place >= end:
                break
            first, last = max(start - place, 0), min(end - place, length)
            if first < last:
                found.append(Backing(offset + first, last - first))
        view = memoryview(self.data)[start:end]
        parts = (view[at : at + _PART_BYTES] for at in range(0, len(view), _PART_BYTES))
        return Piece(found, len(view), map(mirrored_view, parts))

    def kept(self, start: int = 0) -> Piece:
        """The bytes from `start` on; few of them are copied, so that reading asks no origin."""
        if len(self.data) - start > INLINE_BYTES_MAX:
            return self.ranges(start, len(self.data))
        return inline(self.data[start:])


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of the one stream in a file.

    `packets` are those behind the identification header, on `pages` pages in [pages_start,
    audio_start); the first page's sequence number is `sequence`.
    """

    codec: Format
    serial: int
    sequence: int
    identification: bytes
    packets: tuple[Packet, ...]
    pages: int
    pages_start: int
    audio_start: int


@dataclass
class _Gathering:
    """Packets that are put together from the pages, one after another."""

    complete: list[Packet] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    runs: list[tuple[int, int, int]] = field(default_factory=list)
    length: int = 0

    def add(self, page: Page, body: bytes) -> None:
        """A page with its body."""
        if len(body) == 255 * len(page.lacing):  # no packet ends on it
            self._add(body, page.payload)
            return
        for start, end, ends in _laced(page.lacing):
            self._add(body[start:end], page.payload + start)
            if ends:
                self.complete.append(Packet(b"".join(self.data), tuple(self.runs)))
                self.data, self.runs, self.length = [], [], 0

    def _add(self, data: bytes, offset: int) -> None:
        """Bytes that lie at `offset` in the file."""
        if data:
            self.data.append(data)
            self.runs.append((self.length, offset, len(data)))
            self.length += len(data)


def header_packets(file: RangedFile) -> Headers:
    """Raises Need, BoundReached, Malformed, and Unservable for what is more than a plain stream."""
    gathering = _Gathering()
    seen: list[bytes] = []
    first: Page | None = None
    for number, page in enumerate(islice(pages(file), HEADER_PAGES_MAX)):
        first = first or page
        _require_plain(page, first)
        body = body_of(file, page)
        gathering.add(page, body)
        if number and len(gathering.complete) == len(seen):
            continue  # no packet ends on this page
        codec = ogg_codec(seen[0] if seen else body)
        for packet in gathering.complete[len(seen) :]:
            seen.append(packet.data)
            if number and codec and is_last_header(codec, seen):
                _require_clean(gathering, seen)
                head, *others = gathering.complete
                return Headers(
                    *(codec, first.serial, first.sequence, head.data, tuple(others)),
                    *(number, first.end, page.end),
                )
        if not codec or len(seen) > PACKETS_MAX or (not number and not _is_alone(gathering)):
            break
    raise Unservable("has Ogg headers that are not cut into packets and pages as usual")


def require_one_stream(file: RangedFile, headers: Headers) -> None:
    """Look at the last pages: a chained stream has another serial number (RFC 3533 section 4).

    Raises Need, BoundReached, and Unservable.
    """
    start = max(headers.audio_start, file.size - _TAIL_BYTES)
    data = file.exactly(start, file.size - start)
    begins_page = 0 if start == headers.audio_start else None
    found = list(page_heads(data, begins_page, None))
    if data and not found:
        raise Unservable("ends in something else than Ogg pages")
    if any(page.serial != headers.serial or page.flags & BEGINS_STREAM for page in found):
        raise Unservable("is a chain of several Ogg streams, or has several at once")


def _require_plain(page: Page, first: Page) -> None:
    begins = bool(page.flags & BEGINS_STREAM)
    if page.serial != first.serial or begins != (page is first):
        raise Unservable("has several Ogg streams at once")
    if page.granule not in (0, NO_PACKET_ENDS) or page.flags & ~(BEGINS_STREAM | CONTINUED):
        raise Unservable("has Ogg header pages with a position in the audio")


def _is_alone(gathering: _Gathering) -> bool:
    """Whether the first page holds the identification header and nothing else."""
    return len(gathering.complete) == 1 and not gathering.data


def _require_clean(gathering: _Gathering, seen: list[bytes]) -> None:
    if len(gathering.complete) > len(seen) or gathering.data:
        raise Unservable("has audio on the last page of its Ogg headers")


def _laced(lacing: bytes) -> Iterator[tuple[int, int, bool]]:
    """(start, end, whether the packet ends) of each packet's part of a page's body."""
    start = 0
    while lacing:
        rest = lacing.lstrip(b"\xff")
        end = start + 255 * (len(lacing) - len(rest)) + sum(rest[:1])
        yield start, end, bool(rest)
        start, lacing = end, rest[1:]
