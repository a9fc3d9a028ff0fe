"""The audio range is what other taggers leave alone, byte for byte."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen import id3
from mutagen.apev2 import BINARY, APEv2, APEValue
from mutagen.flac import Picture
from mutagen.id3 import ID3
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4Cover

from musefs.layout.audio_range import audio_range
from musefs.layout.formats import Format
from musefs.layout.ranged import in_memory
from tests.lab.samples import SAMPLE_NAMES, shared_samples
from tests.layout.test_reading import kind_of

ART = bytes(range(256)) * 400
SERIAL_AND_NUMBER = slice(14, 22)


def span(name: str, data: bytes) -> tuple[int, int]:
    return audio_range(kind_of(name), in_memory(data))


def retag(path: Path) -> None:
    """A longer title and 100 KB of art, by mutagen."""
    audio: Any = mutagen.File(path)
    if audio.tags is None:
        audio.add_tags()
    title = "A new and rather longer title " * 3
    match audio.tags:
        case ID3():
            audio.tags.add(id3.TIT2(3, [title]))
            audio.tags.add(id3.APIC(3, "image/jpeg", 3, "new", ART))
        case APEv2():
            audio["Title"] = title
            audio["Cover Art (Front)"] = APEValue(b"cover.jpg\0" + ART, BINARY)
        case _ if path.suffix == ".flac":
            picture = Picture()
            picture.data = ART
            audio["title"] = title
            audio.add_picture(picture)
        case _ if path.suffix == ".m4a":
            audio["\xa9nam"], audio["covr"] = title, [MP4Cover(ART)]
        case _ if path.suffix == ".wma":
            audio["Title"], audio["WM/Picture"] = (
                title,
                mutagen.asf.ASFByteArrayAttribute(ART[:60000]),
            )
    audio.save()


OGG = {"vorbis.ogg", "opus.opus", "flac.oga"}
NOT_BY_MUTAGEN = {"adts.aac", "rf64.wav"}


@pytest.mark.parametrize("name", sorted(set(SAMPLE_NAMES) - OGG - NOT_BY_MUTAGEN))
def test_new_tags_leave_the_audio_range_alone(name: str, tmp_path: Path) -> None:
    copy = tmp_path / name
    shutil.copyfile(shared_samples()[name], copy)
    before = copy.read_bytes()
    retag(copy)
    after = copy.read_bytes()
    assert len(after) > len(before) + 50_000
    start, end = span(name, before)
    new_start, new_end = span(name, after)
    assert end - start > 0.4 * len(before)
    assert after[new_start:new_end] == before[start:end]


def page_bodies(data: bytes) -> list[bytes]:
    """What Ogg pages hold, without their numbers and checksums."""
    bodies, place = [], 0
    while place < len(data):
        assert data[place : place + 4] == b"OggS"
        count = data[place + 26]
        lacing = data[place + 27 : place + 27 + count]
        first = place + 27 + count
        bodies.append(data[place + 6 : place + 14] + lacing + data[first : first + sum(lacing)])
        place = first + sum(lacing)
    return bodies


@pytest.mark.parametrize("name", sorted(OGG))
@pytest.mark.parametrize("title", ["Short", "A title that needs pages " * 8000])
def test_new_tags_leave_the_bodies_of_ogg_pages_alone(
    name: str, title: str, tmp_path: Path
) -> None:
    copy = tmp_path / name
    shutil.copyfile(shared_samples()[name], copy)
    before = copy.read_bytes()
    audio = mutagen.File(copy)
    audio["title"] = title
    audio.save()
    after = copy.read_bytes()
    old, new = (data[slice(*span(name, data))] for data in (before, after))
    assert page_bodies(old) == page_bodies(new)
    assert len(old) > 0.4 * len(before)


def test_tags_at_the_end_do_not_belong_to_the_audio() -> None:
    audio = shared_samples()["untagged.mp3"].read_bytes()
    ape = struct.pack("<8sIIII8x", b"APETAGEX", 2000, 32, 0, 0)
    lyrics = b"LYRICSBEGIN" + b"IND0000200" + b"000021LYRICS200"
    v1 = b"TAG" + bytes(125)
    for tail in (v1, ape, ape + v1, lyrics + v1, ape + lyrics + v1, v1 + v1):
        data = audio + tail
        assert audio_range(Format.MP3, in_memory(data)) == (0, len(audio))


def test_a_tail_tag_that_claims_the_whole_file_is_not_believed() -> None:
    audio = shared_samples()["untagged.mp3"].read_bytes()
    for size in (len(audio) + 100, 4, 0xFFFFFFFF):
        data = audio + struct.pack("<8sIIII8x", b"APETAGEX", 2000, size, 0, 0)
        assert audio_range(Format.MP3, in_memory(data)) == (0, len(data))


def test_id3v1_behind_flac_is_left_out() -> None:
    data = shared_samples()["plain.flac"].read_bytes()
    start, end = span("plain.flac", data)
    assert end == len(data)
    assert span("plain.flac", data + b"TAG" + bytes(125)) == (start, end)


def test_streamed_wave_audio_reaches_to_the_end_of_the_file() -> None:
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + bytes(16)
    for size in (b"\xff\xff\xff\xff", b"\0\0\0\0"):
        data = head + b"data" + size + bytes(1000)
        assert audio_range(Format.WAV, in_memory(data)) == (44, 1044)


def test_the_largest_mdat_is_the_audio() -> None:
    def atom(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    ftyp, small, large = atom(b"ftyp", b"M4A "), atom(b"mdat", bytes(9)), atom(b"mdat", bytes(90))
    data = ftyp + small + large + atom(b"moov", b"") + small
    start = len(ftyp) + len(small) + 8
    assert audio_range(Format.MP4, in_memory(data)) == (start, start + 90)


def test_a_64_bit_mdat_is_the_audio() -> None:
    data = struct.pack(">I4sI4sQ", 8, b"moov", 1, b"mdat", 116) + bytes(100)
    assert audio_range(Format.MP4, in_memory(data)) == (24, 124)


def test_ogg_with_a_second_stream_has_no_range_of_its_own() -> None:
    data = shared_samples()["vorbis.ogg"].read_bytes()
    first = 27 + data[26] + data[27]
    other = bytearray(data[:first])
    other[SERIAL_AND_NUMBER] = b"otherstr"
    other[28:35] = b"\x80theora"
    assert audio_range(Format.VORBIS, in_memory(bytes(other) + data)) == (0, first + len(data))


def test_what_cannot_be_told_is_the_whole_file() -> None:
    assert audio_range(Format.OTHER, in_memory(bytes(10))) == (0, 10)


def test_mpeg_frames_begin_where_the_range_begins() -> None:
    for name in ("v22.mp3", "v23.mp3", "v24.mp3", "unsynchronised.mp3"):
        start, _ = span(name, shared_samples()[name].read_bytes())
        assert MP3(shared_samples()[name]).info.frame_offset == start
