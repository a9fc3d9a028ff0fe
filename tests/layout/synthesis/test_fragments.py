"""Offsets that fragments name, and what happens to the sound when they are left alone."""

from __future__ import annotations

import struct
from importlib import import_module
from pathlib import Path

import pytest

from musefs.layout.formats import Format
from musefs.layout.ranged import Extents, Malformed, RangedFile, in_memory
from musefs.layout.segments import Backing, Synthesised
from musefs.layout.synthesis import fragments
from musefs.layout.synthesis.corrections import corrected
from musefs.layout.synthesis.fragments import INDEX_BYTES_MAX, moved_fragments
from musefs.layout.synthesis.mp4 import mp4
from musefs.layout.wish import Unservable
from tests.lab.samples import shared_samples
from tests.layout.synthesis.retagging import TEXT, Served, ffmpeg, pcm_digest, serve

BASE_PRESENT = 1


def atom(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def fragment(base: int | None) -> bytes:
    flags = BASE_PRESENT if base is not None else 0x20000
    offset = struct.pack(">Q", base) if base is not None else b""
    header = atom(b"tfhd", struct.pack(">II", flags, 1) + offset)
    return atom(b"moof", atom(b"mfhd", bytes(8)) + atom(b"traf", header)) + atom(b"mdat", bytes(99))


def index(version: int, offsets: list[int]) -> bytes:
    """Numbers of 1, 2 and 3 bytes for traf, trun and sample."""
    form = ">QQ" if version else ">II"
    entries = b"".join(struct.pack(form, 5, offset) + b"\1" * 6 for offset in offsets)
    body = struct.pack(">B3xIII", version, 1, 0b000110, len(offsets)) + entries
    table = atom(b"tfra", body)
    size = 8 + len(table) + 16
    return atom(b"mfra", table + atom(b"mfro", struct.pack(">II", 0, size)))


def applied(data: bytes, start: int, distance: int) -> bytes:
    """What the range from `start` on becomes."""
    found = moved_fragments(in_memory(data), start, distance)
    parts = corrected(start, len(data), found)
    return b"".join(
        part.data if isinstance(part, Synthesised) else data[part.offset :][: part.length]
        for part in parts
        if isinstance(part, Synthesised | Backing)
    )


def test_absolute_bases_move_and_nothing_else_changes() -> None:
    head = bytes(50)
    data = head + fragment(50) + fragment(210) + fragment(None) + fragment(500)
    moved = fragment(4146) + fragment(4306) + fragment(None) + fragment(4596)
    assert applied(data, 50, 4096) == moved
    assert applied(data, 50, 0) == data[50:]


def two_tracks(first: int, second: int, sequence: bytes) -> bytes:
    """A fragment of two tracks, with or without its number."""
    headers = (struct.pack(">IIQ", BASE_PRESENT, 1, base) for base in (first, second))
    tracks = b"".join(atom(b"traf", atom(b"tfhd", header)) for header in headers)
    return atom(b"moof", sequence + tracks) + atom(b"mdat", bytes(99))


@pytest.mark.parametrize("sequence", [b"", atom(b"mfhd", bytes(8)), atom(b"free", bytes(30))])
def test_fragments_of_an_unusual_shape_move(sequence: bytes) -> None:
    data = bytes(50) + two_tracks(50, 90, sequence) + fragment(300) + two_tracks(20, 400, sequence)
    moved = two_tracks(58, 98, sequence) + fragment(308) + two_tracks(20, 408, sequence)
    assert applied(data, 50, 8) == moved


def test_a_header_that_is_not_the_first_in_its_track_moves() -> None:
    header = atom(b"tfhd", struct.pack(">IIQ", BASE_PRESENT, 1, 50))
    wanted = atom(b"tfhd", struct.pack(">IIQ", BASE_PRESENT, 1, 58))
    number, other = atom(b"mfhd", bytes(8)), atom(b"free", bytes(30))
    data = atom(b"moof", number + atom(b"traf", other + header))
    assert applied(data, 0, 8) == atom(b"moof", number + atom(b"traf", other + wanted))


def test_a_base_in_front_of_what_moves_stays() -> None:
    data = bytes(50) + fragment(60) + fragment(20)
    assert applied(data, 50, 8) == fragment(68) + fragment(20)


@pytest.mark.parametrize("version", [0, 1])
def test_the_index_moves(version: int) -> None:
    data = fragment(None) + index(version, [50, 210])
    assert applied(data, 0, 8192) == fragment(None) + index(version, [8242, 8402])


def test_relative_fragments_are_not_looked_into() -> None:
    """Only the first one is read, and the tail."""
    data = b"".join(fragment(None) for _ in range(100)) + index(0, [0])
    first_end, index_start = len(fragment(None)), len(data) - len(index(0, [0]))
    extents = Extents(len(data))
    extents.add(0, data[:first_end])
    extents.add(index_start, data[index_start:])
    assert len(moved_fragments(RangedFile(extents), 0, 4096)) == 1


def test_indices_of_a_stranger_are_bounded() -> None:
    huge = struct.pack(">I4sII", 16, b"mfro", 0, INDEX_BYTES_MAX + 1)
    with pytest.raises(Unservable, match="fragment index"):
        moved_fragments(in_memory(fragment(None) + huge), 0, 1)
    lying = index(0, [1, 2]).replace(struct.pack(">II", 6, 2), struct.pack(">II", 6, 1 << 31))
    with pytest.raises(Malformed, match="cut off"):
        moved_fragments(in_memory(lying), 0, 1)
    short = atom(b"mfra", atom(b"tfra", b"") + atom(b"mfro", struct.pack(">II", 0, 32)))
    with pytest.raises(Malformed, match="cut off"):
        moved_fragments(in_memory(short), 0, 1)


def test_absolute_fragments_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragments, "FRAGMENTS_MAX", 3)
    with pytest.raises(Unservable, match="more than 3 fragments"):
        moved_fragments(in_memory(fragment(1) * 10), 0, 1)


def made(name: str) -> Served:
    return serve(mp4, Format.MP4, shared_samples()[name].read_bytes(), TEXT)


def test_without_the_correction_the_sound_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = made("fragments.m4a")
    expected = pcm_digest(right.original, tmp_path, ".m4a")
    assert pcm_digest(right.data, tmp_path, ".m4a") == expected
    monkeypatch.setattr(
        import_module("musefs.layout.synthesis.mp4"), "moved_fragments", lambda *_: []
    )
    wrong = made("fragments.m4a")
    assert wrong.data != right.data
    assert pcm_digest(wrong.data, tmp_path, ".m4a") != expected


def test_the_index_of_a_served_file_names_its_fragments() -> None:
    data = made("fragments.m4a").data
    table = data.rindex(b"tfra") + 4
    sizes, count = struct.unpack_from(">II", data, table + 8)
    assert data[table] == 1
    assert sizes == 0
    assert count > 10
    for number in range(count):
        (offset,) = struct.unpack_from(">Q", data, table + 16 + number * 19 + 8)
        assert data[offset + 4 : offset + 8] == b"moof"


def test_few_bytes_of_relative_fragments_are_asked_for(tmp_path: Path) -> None:
    base = shared_samples()["first.m4a"].parent / "base.wav"
    options = ("-frag_duration", "50000", "-movflags", "+empty_moov+default_base_moof")
    ffmpeg("-i", base, "-c:a", "aac", *options, tmp_path / "a.m4a")
    found = serve(mp4, Format.MP4, (tmp_path / "a.m4a").read_bytes(), TEXT)
    assert found.original.count(b"moof") > 30
    first = found.original.index(b"moof")
    second = found.original.index(b"moof", first + 4)
    index_start = found.original.rindex(b"mfra") - 4
    assert all(end <= second or start >= index_start for start, end in found.fetched)
