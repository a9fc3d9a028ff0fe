"""Packets cut into pages, and put together again by mutagen."""

from __future__ import annotations

from io import BytesIO

from hypothesis import given
from hypothesis import strategies as st
from mutagen.ogg import OggPage

from musefs.layout.ogg_crc import mirrored
from musefs.layout.ogg_pages import BEGINS_STREAM, is_sound, page_heads
from musefs.layout.ogg_paginator import Piece, inline, lacing_values, paginate, plan
from musefs.layout.segments import Backing, Segment, Synthesised

BACKING = bytes(range(256)) * 600


def backing(offset: int, length: int) -> Piece:
    data = mirrored(BACKING[offset : offset + length])
    halves = length // 2
    places = ((offset, halves), (offset + halves, length - halves))
    segments = [Backing(*place) for place in places if place[1]]
    return Piece(segments, length, (data[: length // 3], data[length // 3 :]))


def bytes_of(segments: list[Segment]) -> bytes:
    parts = []
    for segment in segments:
        if isinstance(segment, Synthesised):
            parts.append(segment.data)
        else:
            assert isinstance(segment, Backing)
            parts.append(BACKING[segment.offset : segment.offset + segment.length])
    return b"".join(parts)


pieces = st.binary(max_size=600).map(inline) | st.builds(
    backing, st.integers(0, 1000), st.sampled_from([0, 1, 254, 255, 256, 510, 65_025, 140_000])
)
packets = st.lists(st.lists(pieces, max_size=3), min_size=1, max_size=4)


@given(packets, st.integers(0, 300), st.integers(0, 0xFFFF_FFFF))
def test_packets_come_back(parts: list[list[Piece]], more: int, sequence: int) -> None:
    wanted = [
        bytes_of([segment for piece in packet for segment in piece.segments]) for packet in parts
    ]
    lacings = [lacing_values(len(packet)) for packet in wanted]
    fewest = -(-sum(lacings) // 255)
    counts = plan(lacings, fewest + more)
    if counts is None:
        assert more
        assert fewest + more > sum(lacings)
        return
    assert (len(counts), sum(counts)) == (fewest + more, sum(lacings))
    assert all(1 <= count <= 255 for count in counts)
    data = bytes_of(paginate(parts, counts, 7, sequence, BEGINS_STREAM))
    heads = list(page_heads(data, 0, None))
    assert [head.sequence for head in heads] == [
        sequence + number & 0xFFFF_FFFF for number in range(len(counts))
    ]
    assert all(is_sound(data, head) for head in heads)
    file = BytesIO(data)
    pages = [OggPage(file) for _ in heads]
    for number, page in enumerate(pages):
        page.sequence = number
        ends = page.complete or len(page.packets) > 1
        assert page.position == (0 if ends else -1)
    assert OggPage.to_packets(pages) == wanted
    assert [bool(page.first) for page in pages] == [True] + [False] * (len(pages) - 1)


def test_packets_begin_on_pages_of_their_own_where_there_are_enough() -> None:
    assert plan([3, 300, 1], 4) == [3, 150, 150, 1]
    assert plan([3, 300, 1], 5) == [3, 100, 100, 100, 1]
    assert plan([3, 10, 1], 2) == [7, 7]
    assert plan([3, 10], 1) == [13]
    assert plan([3, 10], 14) is None
    assert plan([300], 1) is None
