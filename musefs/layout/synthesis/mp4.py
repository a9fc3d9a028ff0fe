"""Re-tagged MP4 files (ISO/IEC 14496-12) with iTunes metadata: M4A, M4B, fragmented or not.

The metadata list is written anew by mutagen, in memory and without its pictures. It takes the place
of the old one and of the padding next to it; the atoms around it get their new sizes, and what
names absolute places is corrected. All else is the backing file, chapters and tables included.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

from mutagen.mp4 import MP4

from musefs.layout.atoms import TOP_LEVEL_MAX, Atom, atoms_in, compact
from musefs.layout.pictures import FRONT_COVER
from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.segments import Art, Backing, Layout, Segment, Synthesised
from musefs.layout.synthesis.chunk_offsets import moved_chunks
from musefs.layout.synthesis.corrections import Correction, corrected
from musefs.layout.synthesis.fragments import moved_fragments
from musefs.layout.synthesis.joining import joined
from musefs.layout.synthesis.mp4_fields import set_atoms
from musefs.layout.tags import Tags
from musefs.layout.wish import Unservable, Wish, aligned_padding

COVERS_MAX = 64
LIST_BYTES_MAX = 1 << 20
"""Of texts in the metadata list: what mutagen is given to decode."""

_HEADER_BYTES = 8
_VERSION_BYTES = 4
_HANDLER = bytes(8) + b"mdirappl" + bytes(9)
_IMAGE_TYPES = {"image/jpeg": 13, "image/png": 14, "image/gif": 12, "image/bmp": 27}
_NO_TYPE = 0


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the new list goes: in place of [start, end), inside of `parents`, outermost first.

    `missing` are the atoms that have to be made around it, innermost first.
    """

    start: int
    end: int
    parents: tuple[Atom, ...]
    missing: tuple[bytes, ...] = ()


def mp4(file: RangedFile, wish: Wish) -> Layout:
    """Raises Need, Malformed, Unservable and what mutagen raises."""
    moov = _moov(file)
    children = list(atoms_in(file, moov.payload, moov.end))
    place = _place(file, moov, children)
    parts = _metadata(place, _rendered_list(file, moov, wish.tags), list(_covers(wish)))
    growth = sum(part.length for part in parts) - (place.end - place.start)
    corrections = [
        *_sizes(file, place.parents, growth),
        *moved_chunks(file, moov, place.end, growth),
    ]
    if any(atom.kind == b"mvex" for atom in children):  # it announces fragments, section 8.8.1
        corrections += moved_fragments(file, moov.end, growth)
    before = corrected(0, place.start, corrections)
    behind = corrected(place.end, file.size, corrections)
    return joined([*before, *parts, *behind])


def _moov(file: RangedFile) -> Atom:
    for atom in islice(atoms_in(file, 0, file.size), TOP_LEVEL_MAX):
        if atom.kind == b"moof":
            raise Unservable("has fragments in front of its moov atom")
        if atom.kind == b"moov" and atom.whole:
            return atom
    raise Malformed("is not an MP4 file, or its moov atom is missing or cut off")


def _place(file: RangedFile, moov: Atom, children: list[Atom]) -> _Place:
    if not any(atom.kind == b"trak" for atom in children):
        raise Unservable("has no track in its moov atom, or a compressed one")
    if not all(atom.whole for atom in children):
        raise Malformed("is cut off inside its MP4 metadata")
    holders = [atom for atom in children if atom.kind == b"udta"]
    if not holders:
        return _Place(moov.end, moov.end, (moov,), (b"meta", b"udta"))
    metas = [
        atom
        for holder in holders
        for atom in atoms_in(file, holder.payload, holder.end)
        if atom.kind == b"meta"
    ]
    if not metas:
        # In front: a zero may end what QuickTime calls user data.
        return _Place(holders[0].payload, holders[0].payload, (moov, holders[0]), (b"meta",))
    if len(metas) > 1 or metas[0].start > holders[0].end:
        raise Unservable("has more than one place for iTunes metadata")
    return _place_of_list(file, (moov, holders[0], metas[0]))


def _place_of_list(file: RangedFile, parents: tuple[Atom, ...]) -> _Place:
    """The old list and the padding next to it."""
    meta = parents[-1]
    inside = list(atoms_in(file, meta.payload + _VERSION_BYTES, meta.end))
    lists = [number for number, atom in enumerate(inside) if atom.kind == b"ilst"]
    if len(lists) != 1 or not all(atom.whole for atom in inside):
        raise Unservable("has metadata that is no iTunes metadata")
    first = last = lists[0]
    items = atoms_in(file, inside[first].payload, inside[first].end)
    if sum(item.end - item.start for item in items if item.kind != b"covr") > LIST_BYTES_MAX:
        raise Unservable(f"has tags larger than {LIST_BYTES_MAX >> 20} MiB")
    if last + 1 < len(inside) and inside[last + 1].kind == b"free":
        last += 1
    if first and inside[first - 1].kind == b"free":
        first -= 1
    return _Place(inside[first].start, inside[last].end, parents)


def _rendered_list(file: RangedFile, moov: Atom, tags: Tags) -> bytes:
    """The items of the new list, without pictures."""
    tagged = MP4(BytesIO(compact(file, moov)))
    if tagged.tags is None:
        tagged.add_tags()
    set_atoms(tagged.tags, tags)
    empty = _atom(b"udta", _atom(b"meta", bytes(_VERSION_BYTES) + _atom(b"ilst", b"")))
    rendered = BytesIO(_atom(b"moov", empty))
    tagged.tags.save(rendered, padding=lambda _: 0)
    place = 3 * _HEADER_BYTES + _VERSION_BYTES
    rendered.seek(place)
    (length,) = struct.unpack(">I", rendered.read(4))
    return rendered.getvalue()[place + _HEADER_BYTES : place + length]


def _covers(wish: Wish) -> Iterator[tuple[int, Segment]]:
    """Types and payloads. MP4 knows no kinds of pictures: each counts as a front cover."""
    if wish.cover is not None:
        yield _IMAGE_TYPES.get(wish.cover.mime, _NO_TYPE), Art(wish.cover.id, 0, wish.cover.length)
    if len(wish.embedded) > COVERS_MAX:
        raise Unservable(f"has more than {COVERS_MAX} pictures")
    for picture in wish.embedded:
        if picture.offset is not None and wish.keeps(FRONT_COVER):
            kind = _IMAGE_TYPES.get(picture.mime, _NO_TYPE)
            yield kind, Backing(picture.offset, picture.length)


def _metadata(place: _Place, items: bytes, covers: list[tuple[int, Segment]]) -> list[Segment]:
    """The list with covers and padding behind it, and with what has to be made around it."""
    parts: list[Segment] = []
    for kind, payload in covers:
        head = struct.pack(">I4sII", 2 * _HEADER_BYTES + payload.length, b"data", kind, 0)
        parts += [Synthesised(head), payload]
    if parts:
        parts.insert(0, Synthesised(_header(b"covr", parts)))
    parts.insert(0, Synthesised(items))
    parts.insert(0, Synthesised(_header(b"ilst", parts)))
    around = b""
    if b"meta" in place.missing:
        around = bytes(_VERSION_BYTES) + _atom(b"hdlr", _HANDLER)
    made_bytes = len(around) + _HEADER_BYTES * (1 + len(place.missing))
    needed = made_bytes + sum(part.length for part in parts)
    padding = aligned_padding(place.end - place.start - needed)
    parts = [Synthesised(around), *parts, Synthesised(_atom(b"free", bytes(padding)))]
    for kind_of_atom in place.missing:
        parts.insert(0, Synthesised(_header(kind_of_atom, parts)))
    return parts


def _header(kind: bytes, parts: list[Segment]) -> bytes:
    return struct.pack(">I4s", _HEADER_BYTES + sum(part.length for part in parts), kind)


def _atom(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", _HEADER_BYTES + len(body), kind) + body


def _sizes(file: RangedFile, parents: tuple[Atom, ...], growth: int) -> Iterator[Correction]:
    """Of atoms that hold what grows. A last atom may leave its size open (section 4.2)."""
    for atom in parents:
        (length,) = struct.unpack(">I", file.exactly(atom.start, 4))
        size = atom.end - atom.start + growth
        if length == 1:
            yield atom.start + _HEADER_BYTES, struct.pack(">Q", size)
        elif length:
            yield atom.start, struct.pack(">I", size)
