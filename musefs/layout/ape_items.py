"""The items of an APEv2 tag, https://wiki.hydrogenaud.io/index.php?title=APEv2_specification.

Walked by hand: binary items (pictures) are hopped over, and a hostile tag costs no more than its
bounds.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from musefs.layout.pictures import Picture, ape_picture
from musefs.layout.ranged import Malformed, RangedFile

ITEMS_MAX = 2048
_KEY_BYTES_MAX = 256
_FOOTER_BYTES = 32
_TEXT, _BINARY = 0, 1


@dataclass(frozen=True, slots=True)
class ApeTag:
    """Text items in the order of the tag, values split at NUL; and the pictures."""

    items: tuple[tuple[str, tuple[str, ...]], ...]
    pictures: tuple[Picture, ...]


def read_ape(file: RangedFile, start: int, end: int) -> ApeTag:
    """The tag that lies in [start, end), header and footer included. Raises Malformed."""
    position = start + (_FOOTER_BYTES if file.at(start, 8) == b"APETAGEX" else 0)
    last = end - _FOOTER_BYTES
    items: list[tuple[str, tuple[str, ...]]] = []
    pictures: list[Picture] = []
    for _ in range(ITEMS_MAX):
        if position + 11 > last:
            return ApeTag(tuple(items), tuple(pictures))
        head = file.at(position, min(8 + _KEY_BYTES_MAX, last - position))
        size, flags = struct.unpack_from("<II", head)
        key_end = head.find(b"\0", 8)
        value = position + key_end + 1
        if key_end < 0 or value + size > last:
            raise Malformed("has an APEv2 tag whose items do not fit into it")
        key = head[8:key_end].decode("ascii", "replace")
        position = value + size
        kind = flags >> 1 & 3
        if kind == _TEXT:
            text = file.exactly(value, size).decode("utf-8", "replace")
            items.append((key, tuple(text.split("\0"))))
        elif kind == _BINARY and key.lower().startswith("cover art"):
            pictures.append(ape_picture(file, key, value, position))
    raise Malformed(f"has an APEv2 tag of more than {ITEMS_MAX} items")
