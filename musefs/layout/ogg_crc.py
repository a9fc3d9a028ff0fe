"""The checksum of Ogg pages: CRC-32 with polynomial 0x04c11db7, RFC 3533 section 6.

It starts at 0, takes the highest bit of a byte first and has no final xor. zlib computes the same
polynomial with the lowest bit first: so it is given bytes whose bits are mirrored. As the checksum
is linear over GF(2), a new sequence number changes it by a term in which the page's body has no
part: difference * x^(8 * bytes behind it), modulo the polynomial.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from functools import lru_cache

from musefs.model import Buffer

_POLYNOMIAL = 0x1_04C1_1DB7
_MIRROR = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_SEQUENCE_BYTES_END = 22
_FACTORS_MAX = 1 << 14


def mirrored(data: bytes) -> bytes:
    """The same bytes, the bits of each in reverse order."""
    return data.translate(_MIRROR)


def mirrored_view(data: Buffer) -> memoryview:
    """The same for more than a few bytes; fastest for what fits a processor's cache."""
    # Unlike that of bytes, the translate of a bytearray does not look for whether anything changes.
    return memoryview(bytearray(data).translate(_MIRROR))


def stored_checksum(head: bytes, body: Iterable[Buffer]) -> bytes:
    """As it stands in a page: of a head with zeros in its place, and of a body that is mirrored."""
    state = zlib.crc32(head.translate(_MIRROR), 0xFFFF_FFFF)
    for part in body:
        state = zlib.crc32(part, state)
    return (~state & 0xFFFF_FFFF).to_bytes(4, "big").translate(_MIRROR)


def checksum(parts: Iterable[Buffer]) -> int:
    """The checksum of bytes that are given mirrored, in any number of parts."""
    state = 0xFFFF_FFFF
    for part in parts:
        state = zlib.crc32(part, state)
    return int.from_bytes(mirrored((~state & 0xFFFF_FFFF).to_bytes(4, "little")), "big")


def patched(old: int, old_sequence: int, sequence: int, page_bytes: int) -> int:
    """The checksum of a page of `page_bytes` that gets another sequence number."""
    difference = (old_sequence ^ sequence).to_bytes(4, "little")
    # The four bytes are a polynomial of degree 31 already: the checksum multiplies by x^32 more.
    factor = _power(page_bytes - _SEQUENCE_BYTES_END + 4)
    return old ^ _product(factor, int.from_bytes(difference, "big"))


def _product(first: int, second: int) -> int:
    """Of two polynomials over GF(2), modulo the checksum's."""
    product = 0
    while second:
        if second & 1:
            product ^= first
        first <<= 1
        if first >> 32:
            first ^= _POLYNOMIAL
        second >>= 1
    return product


@lru_cache(_FACTORS_MAX)
def _power(count: int) -> int:
    """x^(8 * count) modulo the polynomial, by squaring."""
    if count < 4:
        return 1 << 8 * count
    half = _power(count // 2)
    square = _product(half, half)
    return _product(square, 1 << 8) if count & 1 else square
