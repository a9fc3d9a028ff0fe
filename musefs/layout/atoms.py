"""The atoms (boxes) of an MP4 file, ISO/IEC 14496-12 section 4.2, walked without their payloads.

In a fragmented file the walk over the top level ends at the first fragment: to hop over all of
them would be one request per fragment.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from musefs.layout.ranged import Malformed, RangedFile, parsed_once

TOP_LEVEL_MAX = 256

# What tags, length and sample rate are read from, by the atom that holds it.
_TEXTUAL = {
    b"moov": {b"mvhd", b"trak", b"udta"},
    b"trak": {b"mdia"},
    b"mdia": {b"mdhd", b"hdlr", b"minf"},
    b"minf": {b"stbl"},
    b"stbl": {b"stsd"},
    b"udta": {b"meta"},
    b"meta": {b"hdlr", b"ilst"},
}
_PICTURES = b"covr"
_HEAD = struct.Struct(">I4s")


class Atom(NamedTuple):
    """An atom from `start` to `end`; what it holds begins at `payload`. Offsets in the file.

    `end` is never behind the end of what holds the atom; `whole` says whether it had to be cut.
    """

    kind: bytes
    start: int
    payload: int
    end: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Movie:
    """What counts on the top level: the metadata, and the bytes that hold samples."""

    moov: Atom
    audio_start: int
    audio_end: int
    fragmented: bool


def atoms_in(file: RangedFile, start: int, end: int) -> Iterator[Atom]:
    """The atoms of a range, one after another. Raises Malformed."""
    while start + 8 <= end:
        length, kind = _HEAD.unpack(file.exactly(start, 8))
        header = 8
        if length == 1:
            (length,) = struct.unpack(">Q", file.exactly(start + 8, 8))
            header = 16
        elif length == 0:
            length = end - start
        if length < header:
            raise Malformed("has an MP4 atom that is shorter than its own header")
        yield Atom(kind, start, start + header, min(start + length, end), start + length <= end)
        start += length


def find_path(file: RangedFile, within: tuple[int, int], path: tuple[bytes, ...]) -> list[Atom]:
    """The atoms at a path of kinds inside a range."""
    found = [atom for atom in atoms_in(file, *within) if atom.kind == path[0]]
    if len(path) == 1:
        return found
    below: list[Atom] = []
    for atom in found:
        below += find_path(file, (_children_start(atom), atom.end), path[1:])
    return below


@parsed_once
def movie(file: RangedFile) -> Movie:
    """The top level of a file. Raises Malformed when there is no moov atom."""
    seen: dict[bytes, Atom] = {}
    for atom in islice(atoms_in(file, 0, file.size), TOP_LEVEL_MAX):
        if not _plausible(atom.kind):
            break
        known = seen.get(atom.kind)
        if known is None or (atom.kind == b"mdat" and _length(atom) > _length(known)):
            seen[atom.kind] = atom
        if seen.keys() >= {b"moov", b"moof", b"mdat"}:
            break
    moov, mdat, fragmented = seen.get(b"moov"), seen.get(b"mdat"), b"moof" in seen
    if moov is None:
        raise Malformed("is not an MP4 file, or its moov atom is missing")
    if mdat is None:
        return Movie(moov, 0, file.size, fragmented)
    end = _fragments_end(file) if fragmented else mdat.end
    return Movie(moov, mdat.payload, max(end, mdat.payload), fragmented)


def compact(file: RangedFile, atom: Atom) -> bytes:
    """The moov atom without sample tables and pictures, as a file of its own. Raises Malformed."""
    if not atom.whole:
        raise Malformed("is cut off inside its MP4 metadata")
    if atom.kind not in _TEXTUAL and atom.kind != b"ilst":
        body = file.exactly(atom.payload, atom.end - atom.payload)
        return _rendered(atom.kind, body)
    wanted = _TEXTUAL.get(atom.kind)
    start = _children_start(atom)
    body = file.exactly(atom.payload, start - atom.payload)
    for child in atoms_in(file, start, atom.end):
        if child.kind in wanted if wanted else child.kind != _PICTURES:
            body += compact(file, child)
    return _rendered(atom.kind, body)


def _rendered(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def _children_start(atom: Atom) -> int:
    """ "meta" is a full atom: four bytes of version and flags come first."""
    return atom.payload + (4 if atom.kind == b"meta" else 0)


def _plausible(kind: bytes) -> bool:
    return all(0x20 <= byte < 0x7F or byte == 0xA9 for byte in kind)


def _length(atom: Atom) -> int:
    return atom.end - atom.payload


def _fragments_end(file: RangedFile) -> int:
    """In front of the fragment index (mfra, section 8.8.9), which ends with its own length."""
    tail = file.at(file.size - 16, 16)
    if tail[4:8] == b"mfro":
        (length,) = struct.unpack(">I", tail[12:16])
        if 16 <= length < file.size:
            return file.size - int(length)
    return file.size
