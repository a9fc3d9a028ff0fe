"""Layouts that are stored and restored, and what is no layout."""

from __future__ import annotations

import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.segments import Art, ArtText, Backing, Layout, Pages, Segment, Synthesised
from musefs.layout.stored_layout import restored, stored
from musefs.model import PictureId

lengths = st.integers(1, 1 << 62)
places = st.integers(0, (1 << 63) - 1)
pictures = places.map(PictureId)
segments = st.one_of(
    st.binary(min_size=1, max_size=300).map(Synthesised),
    st.builds(Backing, places, lengths),
    st.builds(Art, pictures, places, lengths),
    st.builds(ArtText, pictures, places, lengths),
    st.builds(
        Pages,
        places,
        lengths,
        places,
        st.integers(0, 0xFFFF_FFFF),
        st.integers(-0xFFFF_FFFF, 0xFFFF_FFFF),
    ),
)
layouts = st.lists(segments, max_size=12).map(lambda parts: Layout(tuple(parts)))


@given(layouts)
def test_a_layout_comes_back(layout: Layout) -> None:
    assert restored(stored(layout)) == layout


@given(layouts, st.data())
def test_garbage_is_a_value_error(layout: Layout, data: st.DataObject) -> None:
    blob = bytearray(stored(layout))
    for _ in range(data.draw(st.integers(1, 3))):
        blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(blob)))
    for broken in (bytes(blob), bytes(blob[:cut]), bytes(blob) + b"!", b"\1" + bytes(blob[cut:])):
        try:
            found = restored(broken)
        except ValueError:
            continue
        assert restored(stored(found)) == found


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"\2\0" + zlib.compress(b""),
        b"\1",
        b"\1\0",
        b"\1\1\5\1" + zlib.compress(b""),
        b"\1\1\1\0\0" + zlib.compress(b""),
        b"\1\1\0\1" + zlib.compress(b"ab"),
        b"\1\1\0\3" + zlib.compress(b"ab"),
        b"\1\1\0\2" + zlib.compress(b"ab") + b"x",
        b"\1\1\0\2" + zlib.compress(b"ab")[:-1],
        b"\1\1\0\2nonsense",
        b"\1\xff\xff\xff\xff\x7f",
        b"\1\1\1" + b"\xff" * 12 + b"\1\1",
        b"\1\1\1" + b"\x80" * 50 + b"\1\1",
        b"\1\1\0" + b"\xff\xff\xff\xff\1" + zlib.compress(bytes(1 << 20)),
    ],
)
def test_what_is_no_stored_layout(blob: bytes) -> None:
    with pytest.raises(ValueError, match="layout"):
        restored(blob)


def test_what_cannot_be_stored() -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        stored(Layout((Backing(1 << 63, 1),)))
    with pytest.raises(ValueError, match="cannot be stored"):
        stored(Layout((Backing(-1, 1),)))
    with pytest.raises(ValueError, match="cannot be stored"):
        stored(Layout((Synthesised(bytes((64 << 20) + 1)),)))


def test_a_small_number_of_bytes_does_not_expand_without_end() -> None:
    bomb = b"\1\1\0\x10" + zlib.compress(bytes(60 << 20))
    started = time.process_time()
    with pytest.raises(ValueError, match="another number"):
        restored(bomb)
    assert time.process_time() - started < 0.05


def measure(name: str, layout: Layout) -> int:
    started = time.process_time()
    for _ in range(100):
        blob = stored(layout)
    storing = (time.process_time() - started) * 1e4
    started = time.process_time()
    for _ in range(100):
        assert restored(blob) == layout
    restoring = (time.process_time() - started) * 1e4
    print(f"{name}: {len(blob)} bytes, {storing:.0f} µs to store, {restoring:.0f} µs to restore")
    assert storing + restoring < 20_000
    return len(blob)


def test_stored_layouts_are_small() -> None:
    text = b"".join(f"FIELD{n}=a value of number {n * n}\0".encode() for n in range(40))
    header = Synthesised(text + bytes(8192 - len(text)))
    assert measure("a typical header", Layout((header, Backing(4242, 30 << 20)))) < 600
    parts: list[Segment] = [header]
    for number in range(35):
        parts.append(ArtText(PictureId(12_345), number * 65_025, 65_025))
        parts.append(Synthesised(b"OggS" + number.to_bytes(23, "little") + b"\xff" * 255))
    assert measure("71 segments", Layout((*parts, Pages(4242, 30 << 20, 4242, 7, 35)))) < 1_500
