"""Where the chunks of an MP4 file's tracks lie, for when they move.

Each track has a table of absolute offsets, "stco" of 32 or "co64" of 64 bits (ISO/IEC 14496-12
section 8.7.5). Chapter tracks have theirs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from musefs.layout.atoms import Atom, atoms_in, find_path
from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.synthesis.corrections import Correction
from musefs.layout.wish import Unservable

_HEAD_BYTES = 8
_WIDTHS = {b"stco": "I", b"co64": "Q"}


def moved_chunks(file: RangedFile, moov: Atom, start: int, distance: int) -> Iterator[Correction]:
    """What to write over the tables when all from `start` on moves by `distance` bytes.

    Raises Need, Malformed, Unservable.
    """
    if not distance:
        return
    path = (b"trak", b"mdia", b"minf", b"stbl")
    for tables in find_path(file, (moov.payload, moov.end), path):
        for atom in atoms_in(file, tables.payload, tables.end):
            if atom.kind in _WIDTHS:
                yield from _moved_table(file, atom, start, distance)


def _moved_table(file: RangedFile, atom: Atom, start: int, distance: int) -> Iterator[Correction]:
    (count,) = struct.unpack_from(">I", file.exactly(atom.payload, _HEAD_BYTES), 4)
    form = struct.Struct(f">{count}{_WIDTHS[atom.kind]}")
    place = atom.payload + _HEAD_BYTES
    if place + form.size > atom.end:
        raise Malformed("has a table of MP4 chunks that is cut off")
    offsets = form.unpack(file.exactly(place, form.size))
    moved = [offset + distance if offset >= start else offset for offset in offsets]
    if moved != list(offsets):
        try:
            yield place, form.pack(*moved)
        except struct.error as error:
            raise Unservable("would need MP4 chunk offsets beyond 4 GiB") from error
