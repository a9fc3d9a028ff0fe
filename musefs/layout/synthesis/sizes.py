"""Sizes as ID3v2 writes them."""

from __future__ import annotations


def to_syncsafe(number: int) -> bytes:
    """Four bytes of seven bits each (ID3v2.4 structure, section 6.2); `number` is below 2**28."""
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))
