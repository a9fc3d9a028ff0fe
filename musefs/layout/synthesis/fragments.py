"""What fragments of an MP4 file say of absolute places, for when everything moves.

Track fragment headers may give a base offset in the file (ISO/IEC 14496-12 section 8.8.7), and the
fragment index at the end of the file says where each fragment begins (8.8.10). All else is
relative. Whether bases are absolute is decided from the first fragment, as every writer treats all
alike: looking into each would cost one request per fragment.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import islice

from musefs.layout.atoms import TOP_LEVEL_MAX, Atom, atoms_in, find_path
from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.synthesis.corrections import Correction
from musefs.layout.wish import Unservable

FRAGMENTS_MAX = 4096
INDEX_BYTES_MAX = 256 << 10

_BASE_DATA_OFFSET_PRESENT = 1
_PLAIN = struct.Struct(">8xI4s8xI4s4x4sI4xQ")
"""A "moof" that begins with "mfhd", "traf" and in it "tfhd": up to the base offset."""
_PLAIN_HEAD_BYTES = 24
_BASE_AT = 48
_MFRO_BYTES = 16
_TFRA_HEAD_BYTES = 16


def moved_fragments(file: RangedFile, start: int, distance: int) -> list[Correction]:
    """What to write over the fragments from `start` on when they move by `distance` bytes.

    Raises Need, Malformed, Unservable.
    """
    if not distance:
        return []
    return [*_bases(file, start, distance), *_index(file, start, distance)]


def _bases(file: RangedFile, start: int, distance: int) -> Iterator[Correction]:
    top = atoms_in(file, start, file.size)
    first = next((atom for atom in islice(top, TOP_LEVEL_MAX) if atom.kind == b"moof"), None)
    if first is None:
        return
    found = list(_bases_of(file, first, start, distance))
    if not found:
        return
    yield from found
    for count, atom in enumerate(top):
        if count > 2 * FRAGMENTS_MAX:
            raise Unservable(f"has more than {FRAGMENTS_MAX} fragments with absolute offsets")
        if atom.kind == b"moof":
            yield from _bases_of(file, atom, start, distance)


def _bases_of(file: RangedFile, moof: Atom, start: int, distance: int) -> Iterator[Correction]:
    head = file.at(moof.start, min(_PLAIN.size, moof.end - moof.start))
    if len(head) == _PLAIN.size:
        sequence_bytes, sequence, track_bytes, track, header, flags, base = _PLAIN.unpack(head)
        only = _PLAIN_HEAD_BYTES + track_bytes == moof.end - moof.start
        if only and (sequence_bytes, sequence, track, header) == (16, b"mfhd", b"traf", b"tfhd"):
            # As nearly every fragment of a sound file: one track, which has one header (8.8.7).
            if flags & _BASE_DATA_OFFSET_PRESENT and base >= start:
                yield moof.start + _BASE_AT, struct.pack(">Q", base + distance)
            return
    for header in find_path(file, (moof.payload, moof.end), (b"traf", b"tfhd")):
        (flags,) = struct.unpack(">I", file.exactly(header.payload, 4))
        if flags & _BASE_DATA_OFFSET_PRESENT:
            (base,) = struct.unpack(">Q", file.exactly(header.payload + 8, 8))
            if base >= start:
                yield header.payload + 8, struct.pack(">Q", base + distance)


def _index(file: RangedFile, start: int, distance: int) -> Iterator[Correction]:
    """Of "mfra", whose length stands in the last bytes of the file (section 8.8.11)."""
    tail = file.at(file.size - _MFRO_BYTES, _MFRO_BYTES)
    if tail[4:8] != b"mfro":
        return
    (length,) = struct.unpack(">I", tail[12:16])
    if length > INDEX_BYTES_MAX:
        raise Unservable(f"has a fragment index of more than {INDEX_BYTES_MAX >> 10} KiB")
    place = max(start, file.size - length), file.size
    for table in find_path(file, place, (b"mfra", b"tfra")):
        body = file.exactly(table.payload, table.end - table.payload)
        yield table.payload, _moved_table(body, start, distance)


def _moved_table(body: bytes, start: int, distance: int) -> bytes:
    """The payload of "tfra": a head, then times and offsets with numbers of one to four bytes."""
    if len(body) < _TFRA_HEAD_BYTES:
        raise Malformed("has a fragment index that is cut off")
    sizes, count = struct.unpack_from(">II", body, 8)
    numbers = (sizes >> 4 & 3) + (sizes >> 2 & 3) + (sizes & 3) + 3
    offset = struct.Struct(">Q" if body[0] == 1 else ">I")
    step = 2 * offset.size + numbers
    if _TFRA_HEAD_BYTES + count * step > len(body):
        raise Malformed("has a fragment index that is cut off")
    moved = bytearray(body)
    for number in range(count):
        place = _TFRA_HEAD_BYTES + number * step + offset.size
        (value,) = offset.unpack_from(body, place)
        if value >= start:
            offset.pack_into(moved, place, value + distance)
    return bytes(moved)
