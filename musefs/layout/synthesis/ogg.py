"""Re-tagged Ogg files: Vorbis (Vorbis I section 5), Opus (RFC 7845), FLAC (RFC 9639 section 10.1).

The header packets are cut into pages anew. When they take as many pages as before, the audio is
served as it is; if not, the sequence numbers of all audio pages move. Art goes into comments, also
in Ogg FLAC, where most players do not look at PICTURE blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from musefs.layout.flac_blocks import PICTURE, VORBIS_COMMENT
from musefs.layout.formats import Format
from musefs.layout.ogg_headers import COMMENT_PREFIX_BYTES
from musefs.layout.ogg_pages import BEGINS_STREAM
from musefs.layout.ogg_paginator import Piece, inline, lacing_values, paginate
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Backing, Layout, Pages, Segment
from musefs.layout.synthesis.joining import joined
from musefs.layout.synthesis.ogg_comments import comments_of
from musefs.layout.synthesis.ogg_packets import (
    Headers,
    Packet,
    header_packets,
    require_one_stream,
)
from musefs.layout.synthesis.ogg_padding import HeaderSizes, arrangement
from musefs.layout.wish import Unservable, Wish

_FRAMING_BIT = b"\1"
_PADDING, _LAST, _KIND_BITS, _BLOCK_HEAD_BYTES = 1, 0x80, 0x7F, 4
_BLOCK_BYTES_MAX = (1 << 24) - 1
_FLAC_COUNT_START, _FLAC_COUNT_END = 7, 9
_NO_COMMENTS = Packet(bytes(_BLOCK_HEAD_BYTES + 8), ())


@dataclass(frozen=True, slots=True)
class _Rewritten:
    """The new headers. `padding` makes what is put behind packet `padded`, None for no padding."""

    identification: bytes
    packets: list[list[Piece]]
    padded: int | None
    padding: Callable[[int], bytes] = bytes


def ogg(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged file. Raises Need, Malformed, BoundReached, Unservable."""
    headers = header_packets(file)
    rewrite = _REWRITERS.get(headers.codec)
    if rewrite is None:
        raise Unservable("is of a format whose tags musefs does not change")
    require_one_stream(file, headers)
    new = rewrite(headers, wish)
    lengths = [sum(piece.length for piece in packet) for packet in new.packets]
    if new.padded is not None:
        lengths[new.padded] += len(new.padding(0))
    sizes = HeaderSizes(
        lengths, new.padded, headers.pages_start, headers.pages, headers.audio_start
    )
    padding, counts = arrangement(sizes)
    if new.padded is not None:
        new.packets[new.padded].append(inline(new.padding(padding)))
    first = [lacing_values(len(new.identification))]
    place = (headers.serial, headers.sequence)
    return joined(
        [
            *paginate([[inline(new.identification)]], first, *place, BEGINS_STREAM),
            *paginate(new.packets, counts, headers.serial, headers.sequence + 1),
            moved_audio(headers, file.size, len(counts) - headers.pages),
        ]
    )


def moved_audio(headers: Headers, size: int, delta: int) -> Segment:
    """The audio pages of a file of `size` bytes, behind `delta` more header pages."""
    start = headers.audio_start
    if not delta:
        return Backing(start, size - start)
    return Pages(start, size - start, start, headers.serial, delta)


def _vorbis(headers: Headers, wish: Wish) -> _Rewritten:
    """Padding behind the framing bit is ignored (Vorbis I section 5.2.1)."""
    comment, *others = headers.packets
    start = COMMENT_PREFIX_BYTES[Format.VORBIS]
    pieces = [inline(comment.data[:start]), *comments_of(comment, start).pieces(wish)]
    packets = [[*pieces, inline(_FRAMING_BIT)], *([packet.kept()] for packet in others)]
    return _Rewritten(headers.identification, packets, 0)


def _opus(headers: Headers, wish: Wish) -> _Rewritten:
    """Bytes behind the comments are padding, unless the first of them is odd (RFC 7845 5.2)."""
    (comment,) = headers.packets
    start = COMMENT_PREFIX_BYTES[Format.OPUS]
    comments = comments_of(comment, start)
    packet = [inline(comment.data[:start]), *comments.pieces(wish)]
    if comment.data[comments.end : comments.end + 1] and comment.data[comments.end] & 1:
        packet.append(comment.kept(comments.end))
        return _Rewritten(headers.identification, [packet], None)
    return _Rewritten(headers.identification, [packet], 0)


def _flac(headers: Headers, wish: Wish) -> _Rewritten:
    """The comments come first, as RFC 9639 10.1 asks; one PADDING block is the last."""
    blocks = [packet for packet in headers.packets if len(packet.data) >= _BLOCK_HEAD_BYTES]
    comment = next((block for block in blocks if _kind(block) == VORBIS_COMMENT), _NO_COMMENTS)
    packets = [_block(VORBIS_COMMENT, comments_of(comment, _BLOCK_HEAD_BYTES).pieces(wish))]
    for block in blocks:
        kind = _kind(block)
        if kind not in (VORBIS_COMMENT, _PADDING, PICTURE):
            packets.append(_block(kind, [block.kept(_BLOCK_HEAD_BYTES)]))
        elif kind == PICTURE and wish.keeps(int.from_bytes(block.data[4:8], "big")):
            packets.append(_block(kind, [block.ranges(_BLOCK_HEAD_BYTES, len(block.data))]))
    packets.append([])
    identification = _counted(headers.identification, len(packets))
    return _Rewritten(identification, packets, len(packets) - 1, _padding_block)


def _kind(block: Packet) -> int:
    return block.data[0] & _KIND_BITS


def _block(kind: int, body: list[Piece]) -> list[Piece]:
    """A metadata block that is not the last one."""
    return [inline(_block_head(kind, sum(piece.length for piece in body))), *body]


def _block_head(kind: int, length: int) -> bytes:
    if length > _BLOCK_BYTES_MAX:
        raise Unservable("would need a FLAC metadata block of 16 MiB or more")
    return bytes([kind]) + length.to_bytes(_BLOCK_HEAD_BYTES - 1, "big")


def _padding_block(length: int) -> bytes:
    return _block_head(_LAST | _PADDING, length) + bytes(length)


def _counted(identification: bytes, packets: int) -> bytes:
    """The first packet with a new number of header packets; 0, not known, stays."""
    before = identification[_FLAC_COUNT_START:_FLAC_COUNT_END]
    count = packets.to_bytes(len(before), "big") if any(before) else before
    return identification[:_FLAC_COUNT_START] + count + identification[_FLAC_COUNT_END:]


_REWRITERS: dict[Format, Callable[[Headers, Wish], _Rewritten]] = {
    Format.VORBIS: _vorbis,
    Format.OPUS: _opus,
    Format.OGGFLAC: _flac,
}
