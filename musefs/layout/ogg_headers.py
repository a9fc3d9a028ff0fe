"""The header packets of an Ogg stream (RFC 3533), read from its first pages.

Reading stops at the last header packet. The length of the stream stands in its very last page,
which is not asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from musefs.layout.formats import Format, ogg_codec
from musefs.layout.ogg_pages import (
    CAPTURE,
    LACING_VALUES_MAX,
    PAGE_BYTES_MAX,
    PAGE_HEAD_BYTES,
    body_bytes,
)
from musefs.layout.ranged import Malformed, RangedFile, parsed_once

HEADER_PAGES_MAX = 2048
_NO_PAGE = "is not an Ogg file, or its pages are damaged"
_WINDOW_BYTES = 128 << 10
_HEAD = struct.Struct("<5sBqII4xB")
COMMENT_PREFIX_BYTES = {
    Format.VORBIS: 7,  # packet type 3, "vorbis"
    Format.OPUS: 8,  # "OpusTags"
    Format.OGGFLAC: 4,  # header of a metadata block
    Format.SPEEX: 0,
}


class Page(NamedTuple):
    """One page: its lacing values and where its payload begins. Offsets in the file.

    `at_hand` is the payload when it was read along with the head, else a part of it (`body_of`).
    """

    start: int
    flags: int
    granule: int
    serial: int
    sequence: int
    lacing: bytes
    payload: int
    end: int
    at_hand: bytes


@dataclass(frozen=True, slots=True)
class OggHeaders:
    """The headers of the audio stream.

    `audio_start` is the page behind the headers, None when audio cannot be cut off there: other
    streams are multiplexed with it, or audio begins on the last header page.
    """

    codec: Format
    serial: int
    identification: bytes
    comment: bytes
    audio_start: int | None


@parsed_once
def ogg_headers(file: RangedFile) -> OggHeaders:
    """Raises Malformed when this is not an Ogg stream with a known audio codec."""
    serials: set[int] = set()
    codec: Format | None = None
    serial = -1
    packets: list[bytes] = []
    carried = b""
    for page in islice(pages(file), HEADER_PAGES_MAX):
        serials.add(page.serial)
        if codec is None:
            codec, serial = ogg_codec(body_of(file, page)), page.serial
        if codec is None:
            continue
        if page.serial != serial:
            continue
        body = body_of(file, page)
        complete, carried, rest = _packets(page, carried, body)
        for index, packet in enumerate(complete):
            packets.append(packet)
            if is_last_header(codec, packets):
                clean = index + 1 == len(complete) and not rest and len(serials) == 1
                comment = packets[1][COMMENT_PREFIX_BYTES[codec] :]
                return OggHeaders(codec, serial, packets[0], comment, page.end if clean else None)
    raise Malformed("is an Ogg file without complete audio headers")


def last_granule(file: RangedFile, serial: int) -> int | None:
    """The granule position of the last page, if that page is known already."""
    for length in (PAGE_BYTES_MAX, 16 << 10, 8 << 10):
        start = max(0, file.size - length)
        data = file.part(start, file.size, at_hand=True).at(0, length)
        if len(data) < file.size - start:
            continue
        place = data.rfind(b"OggS\0")
        if place >= 0 and len(data) >= place + 18:
            granule, found = struct.unpack_from("<qI", data, place + 6)
            return granule if found == serial and granule > 0 else None
    return None


def pages(file: RangedFile) -> Iterator[Page]:
    """The pages from the start of the file. Raises Malformed where none begins."""
    position = start = 0
    window = b""
    while position + PAGE_HEAD_BYTES <= file.size:
        if position - start + PAGE_HEAD_BYTES + LACING_VALUES_MAX > len(window):
            start, window = position, _window(file, position)
        head = position - start
        capture, flags, granule, serial, sequence, count = _HEAD.unpack_from(window, head)
        if capture != CAPTURE:
            raise Malformed(_NO_PAGE)
        lacing = window[head + PAGE_HEAD_BYTES : head + PAGE_HEAD_BYTES + count]
        payload = position + PAGE_HEAD_BYTES + count
        end = payload + body_bytes(lacing)
        if end - start > len(window) and start < position:
            start, window = position, _window(file, position)
        body = window[payload - start : end - start]
        yield Page(position, flags, granule, serial, sequence, lacing, payload, end, body)
        position = end


def _window(file: RangedFile, position: int) -> bytes:
    """What is known from a page on, its head at least. Raises Need, BoundReached, Malformed."""
    known = file.part(position, position + _WINDOW_BYTES, at_hand=True).read()
    if len(known) >= PAGE_HEAD_BYTES + LACING_VALUES_MAX:
        return known
    head = file.exactly(position, PAGE_HEAD_BYTES)
    if not head.startswith(CAPTURE):
        raise Malformed(_NO_PAGE)
    head += file.exactly(position + PAGE_HEAD_BYTES, head[-1])
    return max(head, known, key=len)


def body_of(file: RangedFile, page: Page) -> bytes:
    """The payload of a page. Raises Need, BoundReached, Malformed."""
    length = page.end - page.payload
    return page.at_hand if len(page.at_hand) == length else file.exactly(page.payload, length)


def _packets(page: Page, carried: bytes, body: bytes) -> tuple[list[bytes], bytes, bool]:
    """The packets that end on a page, what is carried on, and whether something is."""
    complete: list[bytes] = []
    place = packet_start = 0
    for value in page.lacing:
        place += value
        if value < 255:
            complete.append(carried + body[packet_start:place])
            carried, packet_start = b"", place
    rest = packet_start < place
    return complete, carried + body[packet_start:place], rest


def is_last_header(codec: Format, packets: list[bytes]) -> bool:
    """Whether the newest packet is the last header packet."""
    count, first = len(packets), packets[0]
    if codec is Format.VORBIS:
        return count == 3
    if codec is Format.OPUS:
        return count == 2
    if codec is Format.SPEEX:  # the Speex header counts extra headers at offset 68
        extra = struct.unpack_from("<I", first, 68)[0] if len(first) >= 72 else 0
        return count == 2 + min(extra, 64)
    announced = int.from_bytes(first[7:9], "big")  # RFC 9639 10.1; 0 means unknown
    if announced:
        return count == 1 + announced
    return count > 1 and bool(packets[-1][:1]) and bool(packets[-1][0] & 0x80)
