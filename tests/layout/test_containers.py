"""Containers put together by hand: what is odd in them, and what is wrong."""

from __future__ import annotations

import struct

import pytest

from musefs.layout import ape_items
from musefs.layout.ape_items import read_ape
from musefs.layout.atoms import atoms_in, compact, movie
from musefs.layout.audio_range import audio_range
from musefs.layout.chunks import info_texts, wave_chunks
from musefs.layout.flac_blocks import BLOCKS_MAX, flac_blocks
from musefs.layout.formats import ASF_HEADER, Format
from musefs.layout.id3_frames import LINE_BYTES_MAX, TEXT_BYTES_MAX, VALUES_MAX, read_id3
from musefs.layout.ogg_headers import ogg_headers
from musefs.layout.pictures import (
    Picture,
    ape_picture,
    asf_picture,
    flac_picture,
    id3_picture,
    mp4_pictures,
)
from musefs.layout.ranged import Malformed, in_memory
from musefs.layout.stream_info import stream_info
from tests.lab.ranges import read_whole
from tests.lab.samples import shared_samples
from tests.layout.test_id3_frames import frame, tag, tags_of


def atom(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def data_atom(kind: int, body: bytes) -> bytes:
    return atom(b"data", struct.pack(">II", kind, 0) + body)


def page(serial: int, packets: list[bytes], flags: int = 0) -> bytes:
    """A page that ends with its last packet; checksums are not looked at."""
    lacing = b"".join(b"\xff" * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    head = struct.pack("<5sBqIIIB", b"OggS\0", flags, 0, serial, 0, 0, len(lacing))
    return head + lacing + b"".join(packets)


COMMENTS = struct.pack("<I4sII", 4, b"test", 1, 7) + b"title=T"


def test_speex_headers_are_counted() -> None:
    head = b"Speex   ".ljust(36, b"\0") + struct.pack("<I", 16_000)
    head = head.ljust(68, b"\0") + struct.pack("<I", 1) + bytes(8)
    data = page(5, [head], 2) + page(5, [COMMENTS]) + page(5, [b"extra"])
    audio = page(5, [b"audio"])[:6] + struct.pack("<q", 32_000) + page(5, [b"audio"])[14:]
    found = read_whole(Format.SPEEX, data + audio)
    assert found.tags == {"title": ("T",)}
    assert (found.audio_start, found.sample_rate, found.duration_s) == (len(data), 16_000, 2.0)


@pytest.mark.parametrize("announced", [0, 2])
def test_ogg_flac_headers_end_where_they_say(announced: int) -> None:
    rate = (44_100 << 44 | 441_000).to_bytes(8, "big")
    first = b"\x7fFLAC\1\0" + announced.to_bytes(2, "big") + b"fLaC\0\0\0\x22"
    first += bytes(10) + rate + bytes(16)
    blocks = [b"\4\0\0\x17" + COMMENTS, b"\x81\0\0\2" + bytes(2)]
    head = page(1, [first], 2) + page(1, blocks[:1]) + page(1, blocks[1:])
    found = read_whole(Format.OGGFLAC, head + page(1, [b"audio"]))
    assert found.audio_start == len(head)
    assert found.duration_s == 10


def test_audio_on_the_last_header_page_has_no_range() -> None:
    packets = [b"OpusHead" + bytes(11)], [b"OpusTags" + COMMENTS, b"audio"]
    data = page(1, packets[0], 2) + page(1, packets[1])
    assert ogg_headers(in_memory(data)).audio_start is None
    assert audio_range(Format.OPUS, in_memory(data)) == (0, len(data))


def test_the_audio_stream_among_others_is_found() -> None:
    video = page(9, [b"\x80theora"], 2)
    head = page(1, [b"OpusHead" + bytes(11)], 2)
    data = video + head + page(9, [b"video"]) + page(1, [b"OpusTags" + COMMENTS])
    found = ogg_headers(in_memory(data))
    assert (found.codec, found.serial, found.comment) == (Format.OPUS, 1, COMMENTS)


def test_a_comment_over_many_pages_is_one() -> None:
    comment = b"OpusTags" + struct.pack("<III", 0, 1, 60_000) + b"title=" + b"T" * 59_994
    first = struct.pack("<5sBqIIIB", b"OggS\0", 0, 0, 1, 0, 0, 200) + b"\xff" * 200
    data = page(1, [b"OpusHead" + bytes(11)], 2) + first + comment[:51_000]
    data += page(1, [comment[51_000:]])
    assert read_whole(Format.OPUS, data).tags == {"title": ("T" * 59_994,)}


def test_an_atom_of_length_zero_reaches_to_the_end() -> None:
    data = atom(b"moov", b"") + struct.pack(">I4s", 0, b"mdat") + bytes(50)
    assert audio_range(Format.MP4, in_memory(data)) == (16, 66)


def test_an_atom_shorter_than_its_header_is_refused() -> None:
    with pytest.raises(Malformed, match="shorter"):
        list(atoms_in(in_memory(struct.pack(">I4s", 7, b"moov")), 0, 8))


def test_a_movie_without_audio_has_no_range() -> None:
    found = movie(in_memory(atom(b"ftyp", b"M4A ") + atom(b"moov", b"")))
    assert (found.audio_start, found.audio_end) == (0, 20)


def test_a_movie_ends_its_walk_at_the_first_fragment() -> None:
    head = atom(b"ftyp", b"M4A ") + atom(b"moov", b"")
    pair = atom(b"moof", b"") + atom(b"mdat", bytes(20))
    index = atom(b"mfra", atom(b"mfro", struct.pack(">II", 0, 24)))
    start = len(head) + 16
    data = head + pair * 3
    assert movie(in_memory(data)).audio_end == len(data)
    found = movie(in_memory(data + index))
    assert (found.audio_start, found.audio_end, found.fragmented) == (start, len(data), True)


def test_a_compact_movie_keeps_text_and_loses_tables_and_pictures() -> None:
    title = atom(b"\xa9nam", data_atom(1, b"Title"))
    cover = atom(b"covr", data_atom(14, bytes(1000)) + atom(b"name", b"x"))
    ilst = atom(b"ilst", cover + title)
    udta = atom(b"udta", atom(b"meta", bytes(4) + ilst))
    stbl = atom(b"stbl", atom(b"stsz", bytes(9000)) + atom(b"stsd", b"entry"))
    data = atom(b"moov", atom(b"trak", atom(b"mdia", atom(b"minf", stbl))) + udta)
    file = in_memory(data)
    small = compact(file, movie(file).moov)
    assert len(small) < 200
    assert title in small
    assert b"entry" in small
    assert list(mp4_pictures(file, 8, len(data))) == [
        Picture(3, "image/png", data.index(cover) + 24, 1000)
    ]


def test_flac_blocks_without_an_end_are_refused() -> None:
    with pytest.raises(Malformed, match="more than"):
        flac_blocks(in_memory(b"fLaC" + b"\1\0\0\0" * (BLOCKS_MAX + 1)))


def test_id3v2_longer_than_the_file_is_refused_in_front_of_any_format() -> None:
    data = b"ID3\4\0\0\0\0\x7f\0" + b"fLaC"
    for kind in (Format.FLAC, Format.TTA, Format.WAVPACK, Format.AAC):
        with pytest.raises(Malformed, match="cut off inside its ID3v2"):
            read_whole(kind, data)


def test_a_dsf_header_that_is_cut_off_is_refused() -> None:
    whole = shared_samples()["stream.dsf"].read_bytes()
    for data in (whole[:60], whole[:85]):
        with pytest.raises(Malformed, match="cut off"):
            read_whole(Format.DSF, data)
    with pytest.raises(Malformed, match="cut off"):
        audio_range(Format.DSF, in_memory(whole[:85]))
    with pytest.raises(Malformed, match="not a DSF"):
        audio_range(Format.DSF, in_memory(bytes(100)))


def test_dsf_without_tags_has_none() -> None:
    whole = bytearray(shared_samples()["stream.dsf"].read_bytes())
    whole[20:28] = bytes(8)
    found = read_whole(Format.DSF, bytes(whole))
    assert found.tags == {}
    assert found.sample_rate == 2_822_400


def test_an_asf_header_longer_than_the_file_is_refused() -> None:
    with pytest.raises(Malformed, match="cut off"):
        audio_range(Format.ASF, in_memory(ASF_HEADER + (5000).to_bytes(8, "little") + bytes(99)))


def test_windows_text_in_info_chunks_is_understood() -> None:
    text = b"INAM" + (5).to_bytes(4, "little") + b"Gr\xf6\xdfe\0"
    body = b"INFO" + text
    data = b"RIFF\0\0\0\0WAVELIST" + len(body).to_bytes(4, "little") + body
    file = in_memory(data)
    assert info_texts(file, wave_chunks(file)) == [("INAM", "Größe")]


def ape(*items: tuple[bytes, int, bytes]) -> bytes:
    body = b"".join(struct.pack("<II", len(v), flags) + k + b"\0" + v for k, flags, v in items)
    return body + struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(body) + 32, len(items), 0)


def test_ape_items_that_are_neither_text_nor_pictures_are_passed_over() -> None:
    data = ape((b"Blob", 2, b"\1\2"), (b"Link", 4, b"http://a"), (b"Title", 0, b"T\0U"))
    assert read_ape(in_memory(data), 0, len(data)).items == (("Title", ("T", "U")),)


def test_too_many_ape_items_are_refused() -> None:
    data = ape(*[(b"Title", 0, b"T")] * (ape_items.ITEMS_MAX + 1))
    with pytest.raises(Malformed, match="more than"):
        read_ape(in_memory(data), 0, len(data))


@pytest.mark.parametrize("size", [0xFFFF, 0xFFFFFFFF])
def test_ape_items_larger_than_their_tag_are_refused(size: int) -> None:
    data = struct.pack("<II", size, 0) + b"Title\0T"
    data += struct.pack("<8sIIII8x", b"APETAGEX", 2000, len(data) + 32, 1, 0)
    with pytest.raises(Malformed, match="do not fit"):
        read_ape(in_memory(data), 0, len(data))


def test_an_ape_picture_without_a_file_name_is_all_payload() -> None:
    assert ape_picture(in_memory(b"\xff" * 50), "Cover Art (Back)", 0, 50) == Picture(
        4, "image/jpeg", 0, 50
    )


def test_a_flac_picture_never_reaches_behind_its_block() -> None:
    block = struct.pack(">II9sI5sIIIII", 3, 9, b"image/png", 5, b"cover", 1, 1, 24, 0, 0xFFFF)
    data = block + bytes(100)
    assert flac_picture(in_memory(data), 0, len(data)) == Picture(3, "image/png", len(block), 100)
    with pytest.raises(Malformed, match="description"):
        flac_picture(in_memory(data), 0, len(block) - 1)
    with pytest.raises(Malformed, match="media type"):
        flac_picture(in_memory(struct.pack(">II", 3, 257) + data), 0, len(data))


def test_broken_pictures_in_other_tags_are_none_or_have_no_place() -> None:
    assert asf_picture(in_memory(b"\3"), 0, 1) is None
    assert asf_picture(in_memory(b"\3\0\0\0\0" + b"a\0" * 20), 0, 45) is None
    endless = b"\0image/png\0\3" + b"x" * 700
    assert id3_picture(in_memory(endless), 0, len(endless), 3, True) == Picture(
        3, "image/png", None, len(endless)
    )
    assert id3_picture(in_memory(b"\0image/png"), 0, 10, 3, True) is None
    sloppy = b"\0JPG\0\3\0payload"
    assert id3_picture(in_memory(sloppy), 0, len(sloppy), 3, True) == Picture(3, "image/jpeg", 7, 7)


def test_the_bounds_on_id3_text_hold() -> None:
    for body, reason in (
        (frame(b"TPE1", b"\3" + b"a" * LINE_BYTES_MAX), "larger than"),
        (frame(b"TPE1", b"\3" + b"a\0" * (VALUES_MAX + 1)), "values"),
        (frame(b"TPE1", b"\1\xff\xfe" + b"a\0\0\0" * (VALUES_MAX + 1)), "values"),
        (frame(b"USLT", b"\3eng\0" + b"a" * TEXT_BYTES_MAX), "MiB of text"),
    ):
        with pytest.raises(Malformed, match=reason):
            read_id3(in_memory(tag(body)))
    assert tags_of(tag(frame(b"USLT", b"\3eng\0" + b"a" * 500_000)))["lyrics"] == ("a" * 500_000,)


def test_versions_of_id3_that_nobody_knows_are_skipped() -> None:
    found = read_id3(in_memory(tag(frame(b"TIT2", b"\3T"), major=9) + b"audio"))
    assert found is not None
    assert (found.frames, found.end) == ((), 22)


def test_sizes_that_lead_nowhere_end_the_tag() -> None:
    data = tag(frame(b"TIT2", b"\3T"), b"TALB\0\0\x7f\x7f\0\0" + b"junk" * 10)
    assert tags_of(data) == {"title": ("T",)}
    high = tag(b"TALB\0\0\0\x90\0\0" + b"\3" + b"a" * 0x8F, frame(b"TIT2", b"\3T"))
    assert tags_of(high) == {"album": ("a" * 0x8F,), "title": ("T",)}


def test_another_format_behind_id3v2_is_not_taken_for_mpeg() -> None:
    data = tag(frame(b"TIT2", b"\3T")) + shared_samples()["plain.flac"].read_bytes()
    with pytest.raises(Malformed, match="another format"):
        read_whole(Format.MP3, data)


def test_what_a_parser_raises_is_told_in_one_line() -> None:
    movie_without_track = atom(b"ftyp", b"M4A ") + atom(b"moov", atom(b"trak", b""))
    with pytest.raises(Malformed, match="cannot be read: MP4StreamInfoError") as caught:
        read_whole(Format.MP4, movie_without_track)
    assert caught.value.__cause__ is not None
    assert len(str(caught.value).splitlines()) == 1


def test_a_parser_that_asks_for_too_much_is_told_as_malformed() -> None:
    ilst = atom(b"ilst", atom(b"abcd", b"") * 30_000)
    data = atom(b"moov", atom(b"udta", atom(b"meta", bytes(4) + ilst)))
    with pytest.raises(Malformed, match="more pieces"):
        read_whole(Format.MP4, data)


def test_a_length_is_never_worth_an_exception() -> None:
    for kind in Format:
        known = stream_info(kind, in_memory(bytes(200)), 0, 200)
        assert known.duration_s is None or known.duration_s >= 0
