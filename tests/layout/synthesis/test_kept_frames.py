"""Frames that a new ID3v2 tag takes over from the old one, in every disguise they have."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from mutagen.id3 import ID3

from musefs.layout.formats import Format
from musefs.layout.ranged import in_memory
from musefs.layout.reading import read_tags
from musefs.layout.segments import Backing, Layout
from musefs.layout.synthesis import synthesise
from musefs.layout.tags import Tags
from musefs.layout.wish import Unservable, Wish
from tests.layout.synthesis.retagging import materialise
from tests.layout.synthesis.wishes import sample

AUDIO = sample("untagged.mp3")
PICTURE = b"\xff\xd8" + bytes(range(1, 255)) * 20
APIC = b"\0image/jpeg\0\4back\0"
TITLE: Tags = {"title": ("Neu",)}


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(major: int, name: bytes, body: bytes, flags: int = 0) -> bytes:
    size = syncsafe(len(body)) if major == 4 else len(body).to_bytes(4, "big")
    return name + size + flags.to_bytes(2, "big") + body


def tag(major: int, frames: bytes, flags: int = 0) -> bytes:
    return b"ID3" + bytes([major, 0, flags]) + syncsafe(len(frames)) + frames + AUDIO


def made(original: bytes, tags: Tags = TITLE, **wished: Any) -> tuple[Layout, Any]:
    """The layout, and mutagen's ID3 of it."""
    file = in_memory(original)
    pictures = read_tags(Format.MP3, file).pictures
    layout = synthesise(Format.MP3, file, Wish(tags, pictures, **wished))
    return layout, ID3(BytesIO(materialise(layout, original)), load_v1=False)


def test_a_picture_with_a_data_length_stays_a_range_without_it() -> None:
    body = syncsafe(len(APIC + PICTURE)) + APIC + PICTURE
    original = tag(4, frame(4, b"APIC", body, 0x0001))
    layout, read = made(original)
    assert Backing(original.index(PICTURE), len(PICTURE)) in layout.segments
    assert (read["APIC:back"].data, read["APIC:back"].type) == (PICTURE, 4)


def test_an_unsynchronised_picture_of_id3v24_stays_as_it_is() -> None:
    body = (APIC + PICTURE).replace(b"\xff", b"\xff\0")
    layout, read = made(tag(4, frame(4, b"APIC", body), 0x80))
    assert read["APIC:back"].data == PICTURE
    assert any(isinstance(part, Backing) and part.length == len(body) for part in layout.segments)
    assert not made(tag(4, frame(4, b"APIC", body), 0x80), bare=True)[1].getall("APIC")


def test_an_unsynchronised_picture_of_id3v23_is_decoded() -> None:
    frames = frame(3, b"APIC", APIC + PICTURE).replace(b"\xff", b"\xff\0")
    _, read = made(tag(3, frames, 0x80))
    assert read["APIC:back"].data == PICTURE


def test_a_picture_that_nobody_can_read_stays_unless_pictures_go() -> None:
    original = tag(4, frame(4, b"APIC", b"\0no end of the type"))
    assert b"no end of the type" in materialise(made(original)[0], original)
    assert b"no end of the type" not in materialise(made(original, bare=True)[0], original)


@pytest.mark.parametrize("major", [3, 4])
def test_frames_behind_an_extended_header_are_found(major: int) -> None:
    extended = syncsafe(6) + b"\1\0" if major == 4 else (6).to_bytes(4, "big") + bytes(6)
    original = tag(major, extended + frame(major, b"PCNT", b"\0\0\0\7"), 0x40)
    assert made(original)[1]["PCNT"].count == 7


def test_frames_that_are_not_known_stay_and_places_in_the_file_go() -> None:
    names = (b"XYZA", b"TXYZ", b"SEEK", b"ASPI")
    original = tag(4, b"".join(frame(4, name, b"\0" + name * 3) for name in names))
    data = materialise(made(original)[0], original)
    assert [name * 3 in data for name in names] == [True, True, False, False]


@pytest.mark.parametrize(("major", "flag"), [(3, 0x40), (4, 0x04)])
def test_encrypted_text_stays_encrypted(major: int, flag: int) -> None:
    original = tag(major, frame(major, b"TPE1", b"\x80secret", flag))
    layout, _ = made(original)
    data = materialise(layout, original)
    place = data.index(b"TPE1")
    assert data[place : place + 17] == b"TPE1" + syncsafe(7) + b"\0\4\x80secret"


@pytest.mark.parametrize("name", [b"TPE1", b"USLT"])
def test_long_compressed_text_is_refused(name: bytes) -> None:
    original = tag(4, frame(4, name, bytes(5000), 0x0008))
    with pytest.raises(Unservable, match="compressed"):
        synthesise(Format.MP3, in_memory(original), Wish(TITLE))


def test_a_tag_of_an_unknown_version_is_replaced() -> None:
    original = tag(5, frame(4, b"TPE1", b"\0x"))
    assert list(made(original)[1]) == ["TIT2"]


def test_two_names_of_one_field_become_one_frame() -> None:
    frames = frame(4, b"TXXX", b"\0YEAR\x001999") + frame(4, b"TDRC", b"\x002001")
    read = made(tag(4, frames), {"date": ("irgendwann",), "producer": ("A",), "mixer": ("B",)})[1]
    assert read["TXXX:YEAR"].text == ["irgendwann"]
    assert read["TIPL"].people == [["producer", "A"], ["mix", "B"]]
    assert "TDRC" not in read


def test_many_small_frames_are_copied_up_to_a_bound() -> None:
    frames = b"".join(frame(4, b"PRIV", b"%05d\0" % place + bytes(500)) for place in range(200))
    layout, read = made(tag(4, frames))
    assert len(read.getall("PRIV")) == 200
    inline = sum(part.length for part in layout.segments if not isinstance(part, Backing))
    assert inline < 16_384 + 8192 + 10_000
