"""Checksums of Ogg pages against one that goes bit by bit, and against libogg's."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.ogg_crc import checksum, mirrored, mirrored_view, patched, stored_checksum
from tests.lab.samples import shared_samples


def bitwise(data: bytes) -> int:
    """RFC 3533 section 6, field 7, word by word."""
    register = 0
    for byte in data:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1) ^ (0x104C11DB7 if register >> 31 else 0)
    return register


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_a_checksum_equals_the_one_that_goes_bit_by_bit(parts: list[bytes]) -> None:
    assert checksum(mirrored(part) for part in parts) == bitwise(b"".join(parts))


@given(st.binary(max_size=80), st.lists(st.binary(max_size=80), max_size=4))
def test_a_checksum_stands_in_a_page_as_the_field_has_it(head: bytes, body: list[bytes]) -> None:
    wanted = struct.pack("<I", bitwise(head + b"".join(body)))
    assert stored_checksum(head, map(mirrored_view, body)) == wanted


@given(st.binary(max_size=80))
def test_a_mirrored_view_shows_mirrored_bytes(data: bytes) -> None:
    assert mirrored_view(memoryview(data)) == mirrored(data)


def test_the_checksum_is_that_of_libogg() -> None:
    page = bytearray(shared_samples()["vorbis.ogg"].read_bytes()[:58])
    (stored,) = struct.unpack_from("<I", page, 22)
    page[22:26] = bytes(4)
    assert checksum([mirrored(bytes(page))]) == stored


numbers = st.integers(0, 0xFFFF_FFFF)


@given(st.binary(max_size=70), numbers, numbers)
def test_a_patched_checksum_equals_a_new_one(body: bytes, old: int, new: int) -> None:
    def page(sequence: int) -> bytes:
        return b"OggS".ljust(18, b"\7") + struct.pack("<I", sequence) + bytes(4) + b"\1" + body

    length = len(page(old))
    assert patched(bitwise(page(old)), old, new, length) == bitwise(page(new))


def test_a_patched_checksum_of_the_largest_page() -> None:
    first, second = (b"OggS".ljust(18) + bytes([0, 0, 0, n]) + bytes(65_285) for n in (1, 9))
    old = checksum([mirrored(first)])
    assert patched(old, 1 << 24, 9 << 24, 65_307) == checksum([mirrored(second)])
