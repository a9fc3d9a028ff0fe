"""Ogg pages (RFC 3533 section 6): finding them in the middle of a file, giving them other numbers.

A page is renumbered from its head alone; of a page that begins in front of what is asked for,
nothing is needed. So reading a range takes what lies in it and one page in front, to find where
pages begin: a page's head, and three more where they have to follow, or a page with the right
checksum. "OggS" inside a page's body is neither, unless somebody takes pains to have it so.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from musefs.layout.ogg_crc import checksum, mirrored, patched
from musefs.layout.segments import Pages

LACING_VALUES_MAX = 255
PAGE_HEAD_BYTES = 27
"""Of a page without its lacing values."""
PAGE_BYTES_MAX = PAGE_HEAD_BYTES + LACING_VALUES_MAX + LACING_VALUES_MAX * 255
CONTINUED, BEGINS_STREAM = 1, 2
NO_PACKET_ENDS = -1
"""The granule position of a page on which no packet ends."""

CAPTURE = b"OggS\0"
"""How a page begins: the capture pattern and the only version there is."""
CHECKSUM_AT = 22
_SEQUENCE_AT = 18
_FIELDS = struct.Struct("<5xB8xIIIB")
_FLAGS_MAX = 7
_HOPS = 3
_CHECKSUMS_MAX = 64
"""So many pages are hashed in one walk to see whether they are some."""


def body_bytes(lacing: bytes) -> int:
    """How long the body of a page with these lacing values is. Most pages have 255 only."""
    full = 255 * lacing.count(255)
    return full if full == 255 * len(lacing) else sum(lacing)


class PageHead(NamedTuple):
    """A page whose lacing values are at hand; `start` is its place in the data."""

    start: int
    bytes: int
    flags: int
    serial: int
    sequence: int
    checksum: int


def window(part: Pages, content_size: int) -> tuple[int, int]:
    """(offset, length) of the backing content that `renumbered` needs to answer this part."""
    start = max(part.first, part.offset - PAGE_BYTES_MAX)
    end = part.offset + part.length + PAGE_HEAD_BYTES + LACING_VALUES_MAX - 1
    return start, min(content_size, end) - start


def renumbered(part: Pages, window_offset: int, data: bytes) -> bytes:
    """The bytes of a part, from the content of its window. Raises ValueError for too short data.

    What is no page, and a page cut off by the end of the file inside its lacing values, stays as it
    is.
    """
    first = part.offset - window_offset
    end = first + part.length
    if first < 0 or len(data) < end:
        raise ValueError("the window does not hold the part")
    answer = bytearray(data[first:end])
    begins_page = window_offset == part.first
    for page in page_heads(data, 0 if begins_page else None, part.serial):
        if page.start >= end:
            break
        if page.serial == part.serial and page.start + PAGE_HEAD_BYTES > first:
            sequence = page.sequence + part.delta & 0xFFFF_FFFF
            new = patched(page.checksum, page.sequence, sequence, page.bytes)
            _overlay(answer, page.start + _SEQUENCE_AT - first, struct.pack("<II", sequence, new))
    return bytes(answer)


def _overlay(target: bytearray, place: int, data: bytes) -> None:
    """Write so much of the data as falls on the target."""
    skipped = max(0, -place)
    size = max(0, min(len(data), len(target) - place) - skipped)
    target[place + skipped : place + skipped + size] = data[skipped : skipped + size]


def page_heads(data: bytes, start: int | None, serial: int | None) -> Iterator[PageHead]:
    """The pages in the data, from one that begins at `start`; None searches for the first.

    A search, also behind damage, looks for pages of the stream `serial` only, None for any.
    """
    search = _Search(data, serial)
    page = None if start is None else _head(data, start)
    place = start or 0
    while page or (page := search.first(place)):
        yield page
        place = page.start + page.bytes
        page = _head(data, place)


def _head(data: bytes, place: int) -> PageHead | None:
    """The page that begins here, None when there is none or its lacing values are not at hand."""
    if not data.startswith(CAPTURE, place) or place + PAGE_HEAD_BYTES > len(data):
        return None
    flags, serial, sequence, crc, count = _FIELDS.unpack_from(data, place)
    lacing = data[place + PAGE_HEAD_BYTES : place + PAGE_HEAD_BYTES + count]
    if flags > _FLAGS_MAX or len(lacing) < count:
        return None
    size = PAGE_HEAD_BYTES + count + body_bytes(lacing)
    return PageHead(place, size, flags, serial, sequence, crc)


class _Search:
    """For pages in data of which nobody says where one begins."""

    def __init__(self, data: bytes, serial: int | None) -> None:
        self._data = data
        self._serial = serial
        self._checksums_left = _CHECKSUMS_MAX

    def first(self, start: int) -> PageHead | None:
        """The first page from `start` on that others follow, or whose checksum is right.

        Where there is none, the first that is not at hand to its end.
        """
        last_resort: PageHead | None = None
        place = self._data.find(CAPTURE, start)
        while place >= 0:
            page = _head(self._data, place)
            if page and self._serial in (None, page.serial):
                if self._is_page(page):
                    return page
                if page.start + page.bytes > len(self._data):
                    last_resort = last_resort or page
            place = self._data.find(CAPTURE, place + 1)
        return last_resort

    def _is_page(self, page: PageHead) -> bool:
        if _is_followed(self._data, page):
            return True
        if page.start + page.bytes > len(self._data) or not self._checksums_left:
            return False
        self._checksums_left -= 1
        return is_sound(self._data, page)


def _is_followed(data: bytes, page: PageHead) -> bool:
    """Whether as many pages follow as the data has room for: one at least, three at most."""
    place = page.start + page.bytes
    for hop in range(_HOPS):
        if place + len(CAPTURE) > len(data):
            return hop > 0
        following = _head(data, place)
        if following is None:
            rest = len(data) - place
            return data.startswith(CAPTURE, place) and rest < PAGE_HEAD_BYTES + LACING_VALUES_MAX
        place = following.start + following.bytes
    return True


def is_sound(data: bytes, page: PageHead) -> bool:
    """Whether a page that is at hand as a whole has the right checksum."""
    place = page.start + CHECKSUM_AT
    head = data[page.start : place]
    rest = data[place + 4 : page.start + page.bytes]
    return checksum((mirrored(head), bytes(4), mirrored(rest))) == page.checksum
