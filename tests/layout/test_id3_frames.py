"""ID3v2 tags as they occur in the wild."""

from __future__ import annotations

import zlib

import pytest

from musefs.layout.id3_frames import FRAMES_MAX, add_id3v1, decode, read_id3
from musefs.layout.ranged import Malformed, in_memory
from musefs.layout.tags import Tags, from_id3


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def frame(name: bytes, body: bytes, flags: int = 0, *, plain: bool = False) -> bytes:
    size = len(body).to_bytes(4, "big") if plain else syncsafe(len(body))
    return name + size + flags.to_bytes(2, "big") + body


def tag(*frames: bytes, major: int = 4, flags: int = 0) -> bytes:
    body = b"".join(frames)
    return b"ID3" + bytes([major, 0, flags]) + syncsafe(len(body)) + body


def tags_of(data: bytes) -> Tags:
    found = read_id3(in_memory(data))
    assert found is not None
    return from_id3(decode(found))


def test_plain_sizes_in_id3v24_are_understood() -> None:
    # iTunes wrote them: a title of 200 bytes is not where a syncsafe size would lead.
    data = tag(
        frame(b"TALB", b"\3" + b"a" * 300, plain=True),
        frame(b"TIT2", b"\3" + b"b" * 200, plain=True),
        frame(b"TPE1", b"\3one", plain=True),
    )
    found = tags_of(data)
    assert found == {"album": ("a" * 300,), "title": ("b" * 200,), "artist": ("one",)}


def test_syncsafe_sizes_in_id3v24_are_understood() -> None:
    data = tag(frame(b"TALB", b"\3" + b"a" * 300), frame(b"TIT2", b"\3" + b"b" * 200), bytes(64))
    assert tags_of(data) == {"album": ("a" * 300,), "title": ("b" * 200,)}


def test_several_values_stay_several() -> None:
    assert tags_of(tag(frame(b"TPE1", b"\3One\0Two\0")))["artist"] == ("One", "Two")


def test_genres_by_number_get_their_names() -> None:
    assert tags_of(tag(frame(b"TCON", b"\3" + b"17")))["genre"] == ("Rock",)
    assert tags_of(tag(frame(b"TCON", b"\0(8)(17)"), major=3))["genre"] == ("Jazz", "Rock")


def test_year_and_day_of_id3v23_become_one_date() -> None:
    data = tag(frame(b"TYER", b"\x002011"), frame(b"TDAT", b"\x003112"), major=3)
    assert tags_of(data)["date"] == ("2011-12-31",)


def test_frames_that_name_themselves_keep_their_names() -> None:
    data = tag(
        frame(b"TXXX", b"\3My Own Name\0value"),
        frame(b"TXXX", b"\3MusicBrainz Album Id\0some-id"),
        frame(b"TXXX", b"\3REPLAYGAIN_TRACK_GAIN\0-7.1 dB"),
        frame(b"UFID", b"http://musicbrainz.org\0rec-id"),
        frame(b"COMM", b"\3eng\0remark"),
        frame(b"COMM", b"\3engiTunNORM\0 000"),
        frame(b"TIPL", b"\3producer\0Ann\0DJ-mix\0Bob"),
        frame(b"TMCL", b"\3guitar\0Cid"),
        frame(b"USLT", b"\3eng\0la la"),
        frame(b"WOAR", b"https://example.org"),
        frame(b"WXXX", b"\3Shop\0https://example.com"),
    )
    assert tags_of(data) == {
        "my own name": ("value",),
        "musicbrainz_albumid": ("some-id",),
        "replaygain_track_gain": ("-7.1 dB",),
        "musicbrainz_trackid": ("rec-id",),
        "comment": ("remark",),
        "itunnorm": ("000",),
        "producer": ("Ann",),
        "djmixer": ("Bob",),
        "performer": ("Cid (guitar)",),
        "lyrics": ("la la",),
        "website": ("https://example.org",),
        "shop": ("https://example.com",),
    }


@pytest.mark.parametrize("major", [3, 4])
def test_an_extended_header_is_skipped(major: int) -> None:
    extended = (6).to_bytes(4, "big") + b"\1\0" if major == 4 else (6).to_bytes(4, "big") + bytes(6)
    data = tag(extended, frame(b"TIT2", b"\3title"), major=major, flags=0x40)
    assert tags_of(data) == {"title": ("title",)}


def test_an_extended_header_that_is_only_announced_does_no_harm() -> None:
    assert tags_of(tag(frame(b"TIT2", b"\3title"), major=3, flags=0x40)) == {"title": ("title",)}


def test_a_footer_belongs_to_the_tag() -> None:
    data = tag(frame(b"TIT2", b"\3title"), flags=0x10) + b"3DI" + bytes(7)
    found = read_id3(in_memory(data + b"audio"))
    assert found is not None
    assert found.end == len(data)


def test_more_frames_than_one_batch_are_all_read() -> None:
    frames = [frame(b"TXXX", b"\3name %d\0value" % index) for index in range(300)]
    found = tags_of(tag(frame(b"TYER", b"\x002011"), *frames, frame(b"TDAT", b"\x003112"), major=3))
    assert len(found) == 301
    assert found["date"] == ("2011-12-31",)


def test_too_many_frames_are_refused() -> None:
    with pytest.raises(Malformed, match="frames"):
        read_id3(in_memory(tag(*[frame(b"TIT2", b"\3t")] * (FRAMES_MAX + 1))))


def test_a_frame_that_would_inflate_to_gigabytes_is_left_alone() -> None:
    bomb = zlib.compress(b"\3" + b"a" * (64 << 20), 9)
    assert len(bomb) > 4096
    honest = zlib.compress(b"\3honest")
    data = tag(
        frame(b"TALB", syncsafe(64 << 20) + bomb, 0x0009),
        frame(b"TIT2", syncsafe(7) + honest, 0x0009),
    )
    assert tags_of(data) == {"title": ("honest",)}


def test_a_picture_behind_a_length_indicator_is_located() -> None:
    body = b"\0image/png\0\3cover\0" + b"payload"
    data = tag(frame(b"APIC", syncsafe(len(body)) + body, 0x0001))
    found = read_id3(in_memory(data))
    assert found is not None
    (picture,) = found.pictures
    assert picture.offset == data.index(b"payload")
    assert (picture.length, picture.mime) == (7, "image/png")


def test_a_picture_with_a_wide_description_is_located() -> None:
    body = b"\1image/png\0\3" + "Größe".encode("utf-16") + b"\0\0" + b"payload"
    data = tag(frame(b"APIC", body, plain=True), major=3)
    found = read_id3(in_memory(data))
    assert found is not None
    assert found.pictures[0].offset == data.index(b"payload")


@pytest.mark.parametrize("flags", [0x0008, 0x0004, 0x0002])
def test_an_encoded_picture_is_told_without_a_place(flags: int) -> None:
    found = read_id3(in_memory(tag(frame(b"APIC", b"\0image/png\0\3\0payload", flags))))
    assert found is not None
    assert [picture.offset for picture in found.pictures] == [None]


def test_id3v1_fills_what_id3v2_leaves_open() -> None:
    data = tag(frame(b"TIT2", b"\3A title that is longer than thirty characters"))
    found = read_id3(in_memory(data))
    assert found is not None
    decoded = decode(found)
    v1 = b"TAG" + b"A title that is longer than th" + b"Artist".ljust(30, b"\0")
    v1 += b"Album".ljust(30, b"\0") + b"1999" + b"remark".ljust(28, b"\0") + b"\0\x07\x11"
    add_id3v1(decoded, v1)
    assert from_id3(decoded) == {
        "title": ("A title that is longer than thirty characters",),
        "artist": ("Artist",),
        "album": ("Album",),
        "date": ("1999",),
        "comment": ("remark",),
        "tracknumber": ("7",),
        "genre": ("Rock",),
    }
