"""Headers of ASF files that strangers have made, and the copy without pictures."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from mutagen.asf import ASF, ASFByteArrayAttribute

from musefs.layout.asf_objects import (
    ATTRIBUTES_MAX,
    CODEC_LIST,
    CODEC_LIST_BYTES_MAX,
    EXTENDED_CONTENT,
    EXTENSION,
    FILE_PROPERTIES,
    OBJECTS_MAX,
    asf_header,
    without_pictures,
)
from musefs.layout.formats import ASF_HEADER
from musefs.layout.ranged import Malformed, in_memory
from tests.lab.samples import shared_samples


def with_pictures() -> bytes:
    """One in each object that can have any, between other attributes."""
    target = BytesIO(shared_samples()["windows.wma"].read_bytes())
    tagged = ASF(target)
    head = b"\3" + (2000).to_bytes(4, "little") + "image/png\0\0".encode("utf-16-le")
    small, large = (ASFByteArrayAttribute(value=head + bytes(size)) for size in (2000, 70_000))
    tagged["WM/Picture"] = [small, large]
    tagged["Last"] = ["a", "b"]
    target.seek(0)
    tagged.save(target)
    return target.getvalue()


def test_the_copy_without_pictures_has_all_else() -> None:
    data = with_pictures()
    file = in_memory(data)
    header = asf_header(file)
    assert len(header.picture_attributes()) == 2
    copy = without_pictures(file, header)
    assert len(copy) < 10_000
    before, after = ASF(BytesIO(data)), ASF(BytesIO(copy))
    texts = [pair for pair in before.tags if pair[0] != "WM/Picture"]
    assert list(map(repr, after.tags)) == list(map(repr, texts))
    assert ("Last", "b") in [(name, str(value)) for name, value in after.tags]
    assert after.info.length == before.info.length


def replaced(data: bytes, guid: bytes, body: bytes) -> bytes:
    """A header whose object of a kind has another body, and sizes that fit."""
    place = data.index(guid)
    (length,) = struct.unpack_from("<Q", data, place + 16)
    made = guid + struct.pack("<Q", 24 + len(body)) + body
    out = bytearray(data[:place] + made + data[place + length :])
    (size,) = struct.unpack_from("<Q", out, 16)
    struct.pack_into("<Q", out, 16, size + len(made) - length)
    return bytes(out)


def refusal(data: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        asf_header(in_memory(data))
    return str(caught.value)


def test_headers_of_a_stranger_are_bounded() -> None:
    plain = shared_samples()["windows.wma"].read_bytes()
    small = FILE_PROPERTIES + struct.pack("<Q", 24)
    many = small * (OBJECTS_MAX + 1)
    head = struct.pack("<16sQIBB", ASF_HEADER, 30 + len(many), OBJECTS_MAX + 1, 1, 2)
    assert "objects" in refusal(head + many)
    assert "does not fit" in refusal(replaced(plain, EXTENSION, bytes(22) + bytes(100)))
    assert "codec list" in refusal(replaced(plain, CODEC_LIST, bytes(CODEC_LIST_BYTES_MAX)))
    descriptors = (ATTRIBUTES_MAX + 1).to_bytes(2, "little") + bytes(6 * (ATTRIBUTES_MAX + 1))
    assert "attributes" in refusal(replaced(plain, EXTENDED_CONTENT, descriptors))
    lying = b"\1\0" + b"\2\0a\0" + struct.pack("<HH", 1, 5000)
    assert "does not fit" in refusal(replaced(plain, EXTENDED_CONTENT, lying))
    assert "cut off" in refusal(plain[:200])
