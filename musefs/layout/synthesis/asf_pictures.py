"""Pictures put into an ASF header that has been rendered without any.

A picture is an attribute of the extended content description (ASF specification, 3.11), which all
players read, when it is the first one and not larger than 64 KiB; else of the metadata library
(4.8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from musefs.layout.asf_objects import (
    BYTE_ARRAY,
    EXTENDED_CONTENT,
    EXTENSION,
    EXTENSION_HEADER_BYTES,
    METADATA_LIBRARY,
    PICTURE_ATTRIBUTE,
    AsfObject,
    asf_header,
)
from musefs.layout.ranged import Malformed, in_memory
from musefs.layout.segments import Segment, Synthesised

SHORT_BYTES_MAX = 0xFFFF

_NAME = PICTURE_ATTRIBUTE.encode("utf-16-le") + b"\0\0"
_SIZE_AT = 16

Value = list[Segment]
"""A WM_PICTURE in pieces."""


def length_of(value: Value) -> int:
    """In bytes."""
    return sum(part.length for part in value)


def record_bytes(values: list[Value]) -> int:
    """How much longer a header gets with these pictures."""
    records = (record for place in _places(values).values() for record in place)
    return sum(length_of(record) for record in records)


def with_pictures(header: bytes, values: list[Value]) -> Iterator[Segment]:
    """The segments of a header with pictures; mutagen has made all of the objects for them."""
    places = _places(values)
    found = asf_header(in_memory(header))
    changed = bytearray(header)
    inserted: list[tuple[int, list[Value]]] = []
    for guid, records in places.items():
        holder, extension = found.find(guid), found.find(EXTENSION)
        if holder is None or extension is None:
            raise Malformed("has an ASF header without a place for pictures")
        added = sum(map(length_of, records))
        _grow(changed, "<Q", _SIZE_AT, added)
        _grow(changed, "<Q", holder.start + _SIZE_AT, added)
        _grow(changed, "<H", holder.payload, len(records))
        if guid == METADATA_LIBRARY:
            _grow_extension(changed, extension, added)
        inserted.append((holder.end, records))
    position = 0
    for end, records in sorted(inserted, key=lambda pair: pair[0]):
        yield Synthesised(bytes(changed[position:end]))
        position = end
        for record in records:
            yield from record
    yield Synthesised(bytes(changed[position:]))


def _places(values: list[Value]) -> dict[bytes, list[Value]]:
    """Records by the object that gets them."""
    places: dict[bytes, list[Value]] = {}
    for value in values:
        length = length_of(value)
        if length <= SHORT_BYTES_MAX and EXTENDED_CONTENT not in places:
            head = struct.pack("<H", len(_NAME)) + _NAME + struct.pack("<HH", BYTE_ARRAY, length)
            guid = EXTENDED_CONTENT
        else:
            head = struct.pack("<IHHI", 0, len(_NAME), BYTE_ARRAY, length) + _NAME
            guid = METADATA_LIBRARY
        places.setdefault(guid, []).append([Synthesised(head), *value])
    return places


def _grow_extension(header: bytearray, extension: AsfObject, added: int) -> None:
    _grow(header, "<Q", extension.start + _SIZE_AT, added)
    _grow(header, "<I", extension.start + EXTENSION_HEADER_BYTES - 4, added)


def _grow(header: bytearray, form: str, place: int, added: int) -> None:
    (number,) = struct.unpack_from(form, header, place)
    struct.pack_into(form, header, place, number + added)
