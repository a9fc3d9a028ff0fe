"""Where embedded pictures lie in a file, found from the few bytes in front of them.

The payload itself is never read: it may be megabytes, and a scan wants the text only.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from musefs.layout.atoms import atoms_in, find_path
from musefs.layout.ranged import Malformed, RangedFile, in_memory

FRONT_COVER, BACK_COVER, OTHER_PICTURE = 3, 4, 0

_HEAD_BYTES = 640
_MIME_BYTES_MAX = 256
_ITUNES_MIME = {13: "image/jpeg", 14: "image/png", 27: "image/bmp"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An embedded picture.

    `kind` is a picture type of ID3v2 (3 is the front cover), `offset` the payload's place in the
    file in bytes, None when the payload does not stand there as it is (base64, unsynchronised,
    compressed).
    """

    kind: int
    mime: str
    offset: int | None
    length: int


def flac_picture(file: RangedFile, start: int, end: int) -> Picture:
    """The picture of a PICTURE metadata block, RFC 9639 section 8.8. Raises Malformed."""
    kind, mime_bytes = struct.unpack(">II", file.exactly(start, 8))
    if mime_bytes > _MIME_BYTES_MAX:
        raise Malformed("has a picture block with a media type of more than 256 bytes")
    mime = file.exactly(start + 8, mime_bytes).decode("ascii", "replace")
    (description_bytes,) = struct.unpack(">I", file.exactly(start + 8 + mime_bytes, 4))
    sizes = start + 12 + mime_bytes + description_bytes
    if sizes + 20 > end:
        raise Malformed("has a picture block whose description is longer than the block")
    (length,) = struct.unpack(">I", file.exactly(sizes + 16, 4))
    offset = sizes + 20
    # The length of the block wins: what follows it is another block.
    return Picture(kind, mime, offset, min(length, end - offset))


def vorbis_picture(text: str) -> Picture | None:
    """The picture of a METADATA_BLOCK_PICTURE comment, None when it is broken.

    Source: https://wiki.xiph.org/VorbisComment, "Cover art".
    """
    try:
        block = base64.b64decode(text)
        picture = flac_picture(in_memory(block), 0, len(block))
    except (binascii.Error, ValueError, Malformed):
        return None
    return Picture(picture.kind, picture.mime, None, picture.length)


def id3_picture(file: RangedFile, start: int, end: int, major: int, plain: bool) -> Picture | None:
    """The picture of an APIC (ID3v2.3 4.15, ID3v2.4 4.14) or PIC (ID3v2.2 4.15) frame's body.

    `plain` says that the body stands in the file as it is; if not, only its presence is told.
    """
    if not plain:
        return Picture(FRONT_COVER, "", None, end - start)
    head = file.at(start, min(end - start, _HEAD_BYTES))
    if major == 2:
        mime, place = _mime_of(head[1:4].decode("ascii", "replace")), 4
    else:
        mime_end = head.find(b"\0", 1)
        mime, place = _mime_of(head[1:mime_end].decode("latin-1")), mime_end + 1
    if place <= 0 or place >= len(head):
        return None
    kind = head[place]
    payload = _text_end(head, place + 1, wide=head[0] in (1, 2))
    if payload is None:
        return Picture(kind, mime, None, end - start)
    return Picture(kind, mime, start + payload, end - start - payload)


def mp4_pictures(file: RangedFile, moov_start: int, moov_end: int) -> Iterator[Picture]:
    """The covers of moov/udta/meta/ilst/covr (iTunes metadata), one per "data" atom."""
    path = (b"udta", b"meta", b"ilst", b"covr")
    for covr in find_path(file, (moov_start, moov_end), path):
        for atom in atoms_in(file, covr.payload, covr.end):
            if atom.kind != b"data" or atom.end - atom.payload < 8:
                continue
            (flags,) = struct.unpack(">I", file.exactly(atom.payload, 4))
            mime = _ITUNES_MIME.get(flags & 0xFFFFFF, "image/jpeg")
            offset = atom.payload + 8
            yield Picture(FRONT_COVER, mime, offset, atom.end - offset)


def ape_picture(file: RangedFile, key: str, start: int, end: int) -> Picture:
    """The picture of an APEv2 item "Cover Art (…)": a file name, NUL, the payload."""
    head = file.at(start, min(end - start, _HEAD_BYTES))
    name, nul, payload = head.partition(b"\0")
    offset = start + len(name) + 1 if nul else start
    mime = "image/png" if payload.startswith(b"\x89PNG") else "image/jpeg"
    return Picture(ape_picture_kind(key), mime, offset, end - offset)


def ape_picture_kind(key: str) -> int:
    """The kind that the key of an APEv2 picture names: all but back covers count as front ones."""
    return BACK_COVER if "back" in key.lower() else FRONT_COVER


def asf_picture(file: RangedFile, start: int, end: int) -> Picture | None:
    """The picture of a WM/Picture attribute's value; None when it is broken.

    Source: Windows Media Format SDK, WM_PICTURE: type, length, media type, description, payload.
    """
    head = file.at(start, min(end - start, _HEAD_BYTES))
    if len(head) < 9:
        return None
    kind, length = struct.unpack_from("<BI", head)
    mime_end = _text_end(head, 5, wide=True)
    payload = _text_end(head, mime_end, wide=True) if mime_end is not None else None
    if mime_end is None:
        return None
    mime = head[5 : mime_end - 2].decode("utf-16-le", "replace")
    if payload is None:
        return Picture(kind, mime, None, length)
    offset = start + payload
    return Picture(kind, mime, offset, min(length, end - offset))


def _text_end(data: bytes, start: int, *, wide: bool) -> int | None:
    """Behind the NUL (two bytes in UTF-16) that ends a text."""
    if not wide:
        end = data.find(b"\0", start)
        return end + 1 if end >= 0 else None
    for place in range(start, len(data) - 1, 2):
        if data[place : place + 2] == b"\0\0":
            return place + 2
    return None


def _mime_of(text: str) -> str:
    """ID3v2.2 and sloppy writers leave out "image/"."""
    name = text.strip().lower()
    name = {"jpg": "jpeg", "image/jpg": "image/jpeg"}.get(name, name)
    return name if "/" in name or not name or name == "-->" else f"image/{name}"
