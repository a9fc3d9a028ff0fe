"""The objects of an ASF header, walked without the pictures' bytes.

Sources: Advanced Systems Format (ASF) Specification, revision 01.20.03: header object 3.1, header
extension 3.4, codec list 3.5, extended content description 3.11, metadata 4.7, metadata library
4.8, names of objects 10; WM/Picture in the Windows Media Format SDK.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from musefs.layout.formats import ASF_HEADER
from musefs.layout.pictures import Picture, asf_picture
from musefs.layout.ranged import Malformed, RangedFile

OBJECTS_MAX = 256
ATTRIBUTES_MAX = 2048
CODEC_LIST_BYTES_MAX = 64 << 10
PICTURE_ATTRIBUTE = "WM/Picture"
BYTE_ARRAY = 1

HEADER_BYTES = 30
OBJECT_HEADER_BYTES = 24
EXTENSION_HEADER_BYTES = 46


def _guid(text: str) -> bytes:
    return UUID(text).bytes_le


FILE_PROPERTIES = _guid("8CABDCA1-A947-11CF-8EE4-00C00C205365")
EXTENSION = _guid("5FBF03B5-A92E-11CF-8EE3-00C00C205365")
EXTENDED_CONTENT = _guid("D2D0A440-E307-11D2-97F0-00A0C95EA850")
METADATA_LIBRARY = _guid("44231C94-9498-49D1-A141-1D134E457054")
_METADATA = _guid("C5F8CBEA-5BAF-4877-8467-AA8C44FA4CCA")
CODEC_LIST = _guid("86D15240-311D-11D0-A3A4-00A0C90348F6")
_PADDING = _guid("1806D474-CADF-4509-A4BA-9AABCB96AAE8")


@dataclass(frozen=True, slots=True)
class AsfObject:
    """An object from `start` to `end`, bytes in the file; a header of 24 bytes comes first."""

    guid: bytes
    start: int
    end: int

    @property
    def payload(self) -> int:
        """Where what it holds begins."""
        return self.start + OBJECT_HEADER_BYTES


@dataclass(frozen=True, slots=True)
class AsfAttribute:
    """An attribute from `start` to `end`; its value begins at `value`. Offsets in the file."""

    name: str
    kind: int
    start: int
    value: int
    end: int

    @property
    def is_picture(self) -> bool:
        """Whether the value is a WM_PICTURE."""
        return self.name == PICTURE_ATTRIBUTE and self.kind == BYTE_ARRAY


@dataclass(frozen=True, slots=True)
class AsfHeader:
    """A header from the start of the file to `end`: its objects, and those in its extension.

    `attributes` are those of each object that can have any, by the start of the object.
    """

    end: int
    objects: tuple[AsfObject, ...]
    extended: tuple[AsfObject, ...]
    attributes: dict[int, tuple[AsfAttribute, ...]]

    def picture_attributes(self) -> list[AsfAttribute]:
        """In the order of the file."""
        return [
            attribute
            for attributes in self.attributes.values()
            for attribute in attributes
            if attribute.is_picture
        ]

    def find(self, guid: bytes) -> AsfObject | None:
        """The first object of a kind."""
        return next((o for o in (*self.objects, *self.extended) if o.guid == guid), None)


def asf_header(file: RangedFile) -> AsfHeader:
    """Raises Malformed, also where the header is richer than any tagger makes it."""
    head = file.exactly(0, HEADER_BYTES)
    if head[:16] != ASF_HEADER:
        raise Malformed("is not an ASF file")
    end, count = struct.unpack_from("<QI", head, 16)
    if end > file.size:
        raise Malformed("is cut off inside its ASF header")
    objects = tuple(islice(_objects(file, HEADER_BYTES, end), count))
    extended: tuple[AsfObject, ...] = ()
    for found in objects:
        if found.guid == EXTENSION:
            extended += tuple(_objects(file, found.start + EXTENSION_HEADER_BYTES, found.end))
    _check((*objects, *extended))
    attributes: dict[int, tuple[AsfAttribute, ...]] = {}
    spare = ATTRIBUTES_MAX
    for found in (*objects, *extended):
        if found.guid in (EXTENDED_CONTENT, _METADATA, METADATA_LIBRARY):
            attributes[found.start] = tuple(_attributes(file, found, spare))
            spare -= len(attributes[found.start])
    return AsfHeader(end, objects, extended, attributes)


def asf_pictures(file: RangedFile, header: AsfHeader) -> tuple[Picture, ...]:
    """The pictures that can be understood."""
    found = (asf_picture(file, a.value, a.end) for a in header.picture_attributes())
    return tuple(picture for picture in found if picture is not None)


def without_pictures(file: RangedFile, header: AsfHeader) -> bytes:
    """The header in memory, without pictures and padding, as a file of its own."""
    extended = b"".join(_rendered(file, header, found) for found in header.extended)
    parts: list[bytes] = []
    for found in header.objects:
        if found.guid == EXTENSION:
            reserved = file.exactly(found.payload, EXTENSION_HEADER_BYTES - OBJECT_HEADER_BYTES - 4)
            body = reserved + struct.pack("<I", len(extended)) + extended
            parts.append(_object(EXTENSION, body))
            extended = b""
        else:
            parts.append(_rendered(file, header, found))
    body = b"".join(parts)
    count = sum(part != b"" for part in parts)
    return struct.pack("<16sQIBB", ASF_HEADER, HEADER_BYTES + len(body), count, 1, 2) + body


def _rendered(file: RangedFile, header: AsfHeader, found: AsfObject) -> bytes:
    if found.guid == _PADDING:
        return b""
    attributes = header.attributes.get(found.start)
    if attributes is None:
        return file.exactly(found.start, found.end - found.start)
    kept = [file.exactly(a.start, a.end - a.start) for a in attributes if not a.is_picture]
    return _object(found.guid, struct.pack("<H", len(kept)) + b"".join(kept))


def _object(guid: bytes, body: bytes) -> bytes:
    return struct.pack("<16sQ", guid, OBJECT_HEADER_BYTES + len(body)) + body


def _check(objects: tuple[AsfObject, ...]) -> None:
    if len(objects) > OBJECTS_MAX:
        raise Malformed(f"has an ASF header of more than {OBJECTS_MAX} objects")
    kinds = [found.guid for found in objects]
    if kinds.count(EXTENSION) > 1:
        raise Malformed("has more than one ASF header extension")
    for found in objects:
        if found.guid == CODEC_LIST and found.end - found.start > CODEC_LIST_BYTES_MAX:
            raise Malformed(f"has a codec list of more than {CODEC_LIST_BYTES_MAX >> 10} KiB")


def _objects(file: RangedFile, start: int, end: int) -> Iterator[AsfObject]:
    for _ in range(OBJECTS_MAX + 1):
        if start + OBJECT_HEADER_BYTES > end:
            return
        guid, length = struct.unpack("<16sQ", file.exactly(start, OBJECT_HEADER_BYTES))
        if length < OBJECT_HEADER_BYTES or start + length > end:
            raise Malformed("has an ASF object that does not fit into what holds it")
        yield AsfObject(guid, start, start + length)
        start += length


def _attributes(file: RangedFile, found: AsfObject, spare: int) -> Iterator[AsfAttribute]:
    (count,) = struct.unpack("<H", file.exactly(found.payload, 2))
    if count > spare:
        raise Malformed(f"has more than {ATTRIBUTES_MAX} ASF attributes")
    read = _descriptor if found.guid == EXTENDED_CONTENT else _record
    position = found.payload + 2
    for _ in range(count):
        attribute = read(file, position)
        if attribute.end > found.end:
            raise Malformed("has an ASF attribute that does not fit into its object")
        yield attribute
        position = attribute.end


def _descriptor(file: RangedFile, start: int) -> AsfAttribute:
    """Section 3.11: name length, name, type, value length, value."""
    (name_bytes,) = struct.unpack("<H", file.exactly(start, 2))
    rest = file.exactly(start + 2, name_bytes + 4)
    kind, value_bytes = struct.unpack_from("<HH", rest, name_bytes)
    value = start + 2 + len(rest)
    return AsfAttribute(_name(rest[:name_bytes]), kind, start, value, value + value_bytes)


def _record(file: RangedFile, start: int) -> AsfAttribute:
    """Sections 4.7 and 4.8: language, stream, name length, type, value length, name, value."""
    _, name_bytes, kind, value_bytes = struct.unpack("<IHHI", file.exactly(start, 12))
    name = _name(file.exactly(start + 12, name_bytes))
    value = start + 12 + int(name_bytes)
    return AsfAttribute(name, kind, start, value, value + int(value_bytes))


def _name(data: bytes) -> str:
    return data.decode("utf-16-le", "replace").strip("\0")
