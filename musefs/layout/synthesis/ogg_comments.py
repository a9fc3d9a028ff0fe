"""The comment block of an Ogg file, written anew: texts first, then pictures, which stay ranges.

Comments that need not change are copied byte for byte, so that not even broken UTF-8 changes. Texts
come first, so that a reader of the first page sees them. A picture is a FLAC picture block in
base64 (https://wiki.xiph.org/VorbisComment, "Cover art"; RFC 9639 section 8.8).
"""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from mutagen.flac import Picture as PictureBlock
from mutagen.flac import VCFLACDict

from musefs.layout.ogg_paginator import Piece, inline
from musefs.layout.picture_text import MirroredTexts, text_length
from musefs.layout.pictures import FRONT_COVER, OTHER_PICTURE
from musefs.layout.ranged import Malformed
from musefs.layout.segments import ArtText
from musefs.layout.synthesis.comment_fields import PICTURE_COMMENTS, set_comments
from musefs.layout.synthesis.ogg_packets import Packet
from musefs.layout.vorbis_comments import COMMENTS_MAX, PICTURE_KEY
from musefs.layout.wish import Cover, Unservable, Wish

_KEY_BYTES_MAX = 64
_KIND_CHARACTERS = 8
_PICTURE_NAME = PICTURE_KEY.upper().encode() + b"="
_COMMENT_BYTES_MAX = (1 << 32) - 1

_TEXTS = MirroredTexts()
"""Of the covers that were given to the last files: an album's tracks come one after another."""


@dataclass
class Comments:
    """The comments in a packet, from `start` to `end`."""

    packet: Packet
    end: int
    vendor: bytes = b""
    texts: VCFLACDict = field(default_factory=VCFLACDict)
    written: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """The texts as they stand in the file."""
    nameless: list[bytes] = field(default_factory=list)
    pictures: list[tuple[int, int, int]] = field(default_factory=list)
    """(kind, start, end), the length in front of each included."""

    def pieces(self, wish: Wish) -> list[Piece]:
        """The block with the wished texts and pictures, without a framing bit."""
        set_comments(self.texts, wish.tags)
        plain = [self.written.get(pair) or _encoded(pair) for pair in self.texts] + self.nameless
        kept = [(start, end) for kind, start, end in self.pictures if wish.keeps(kind)]
        count = len(plain) + len(kept) + bool(wish.cover)
        if count > COMMENTS_MAX:
            raise Unservable(f"would have more than {COMMENTS_MAX} Vorbis comments")
        fields = [self.vendor, struct.pack("<I", count), *(map(_sized, plain))]
        found = [inline(struct.pack("<I", len(self.vendor)) + b"".join(fields))]
        for start, end in kept:
            found.append(self.packet.ranges(start, end))
        return [*found, *(_cover(wish.cover) if wish.cover else ())]


def comments_of(packet: Packet, start: int) -> Comments:
    """The comments that begin at byte `start` of a packet. Raises Malformed."""
    data = packet.data
    vendor_end = start + 4 + _number(data, start)
    count = _number(data, vendor_end)
    if count > COMMENTS_MAX:
        raise Malformed(f"has more than {COMMENTS_MAX} Vorbis comments")
    found = Comments(packet, vendor_end + 4, data[start + 4 : vendor_end])
    for _ in range(count):
        first = found.end + 4
        found.end = first + _number(data, found.end)
        if found.end > len(data):
            raise Malformed("has Vorbis comments that are cut off")
        _sort_in(found, first)
    return found


def _number(data: bytes, place: int) -> int:
    if place + 4 > len(data):
        raise Malformed("has Vorbis comments that are cut off")
    return int.from_bytes(data[place : place + 4], "little")


def _sort_in(found: Comments, start: int) -> None:
    """The comment that ends at `found.end` is a text, a picture, or neither."""
    data, end = found.packet.data, found.end
    name_end = data.find(b"=", start, min(end, start + _KEY_BYTES_MAX))
    if name_end >= 0 and data[start:name_end].lower().decode("latin-1") in PICTURE_COMMENTS:
        kind = _picture_kind(data, start, name_end, end)
        found.pictures.append((kind, start - 4, end))
        return
    comment = data[start:end]
    name, equals, value = comment.decode("utf-8", "replace").partition("=")
    if not equals or not name:
        found.nameless.append(comment)
        return
    found.texts.append((name, value))
    found.written.setdefault((name, value), comment)


def _picture_kind(data: bytes, start: int, name_end: int, end: int) -> int:
    """The type of a picture block; that of a bare image, COVERART, is the front cover's."""
    if data[start:name_end].lower() != PICTURE_KEY.encode():
        return FRONT_COVER
    head = data[name_end + 1 : min(end, name_end + 1 + _KIND_CHARACTERS)]
    try:
        return int.from_bytes(b64decode(head, validate=True)[:4], "big")
    except ValueError:
        return OTHER_PICTURE


def _encoded(pair: tuple[str, str]) -> bytes:
    return "=".join(pair).encode()


def _sized(comment: bytes) -> bytes:
    return struct.pack("<I", len(comment)) + comment


def _cover(cover: Cover) -> Iterator[Piece]:
    """The comment of a new front cover.

    The description is spaces that bring what precedes the image to whole groups of three bytes: so
    the image's base64 is a text of its own.
    """
    if cover.data is None or len(cover.data) != cover.length:
        raise Unservable("is of a format for which the cover's bytes are needed")
    block = PictureBlock()
    block.type, block.mime = FRONT_COVER, cover.mime
    block.width, block.height, block.depth = cover.dimensions
    block.desc = " " * (-len(block.write()) % 3)
    fields = block.write()[:-4] + cover.length.to_bytes(4, "big")
    characters = text_length(cover.length)
    head = _PICTURE_NAME + b64encode(fields)
    if len(head) + characters > _COMMENT_BYTES_MAX:
        raise Unservable("cannot take a cover of 3 GiB or more")
    yield inline(struct.pack("<I", len(head) + characters) + head)
    text = ArtText(cover.id, 0, characters)
    yield Piece((text,), characters, _TEXTS.of(cover.id, cover.data))
