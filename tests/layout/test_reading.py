"""Tags, pictures and lengths against mutagen, which sees the plain files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mutagen
import pytest
from mutagen.apev2 import APEv2
from mutagen.asf import ASFTags
from mutagen.id3 import ID3
from mutagen.mp4 import MP4Tags

from musefs.layout.formats import Format, format_of
from musefs.layout.pictures import Picture
from musefs.layout.ranged import Malformed
from musefs.layout.tags import NO_TAGS, Tags, from_ape, from_asf, from_id3, from_mp4, from_vorbis
from tests.lab.ranges import read_bytewise, read_whole
from tests.lab.samples import SAMPLE_NAMES, shared_samples

WITHOUT_MUTAGEN = {"info.wav", "texts.aiff", "rf64.wav", "true.tta"}
"""mutagen reads neither LIST/INFO nor AIFF's text chunks, nor RF64, nor APEv2 in TTA."""


def tags_by_mutagen(path: Path) -> Tags:
    found: Any = mutagen.File(path).tags
    match found:
        case None:
            return NO_TAGS
        case ID3():
            return from_id3(found)
        case MP4Tags():
            return from_mp4(found)
        case APEv2():
            return from_ape((key, tuple(value)) for key, value in found.items())
        case ASFTags():
            return from_asf(found)
    return from_vorbis(list(found))


def kind_of(name: str) -> Format:
    return Format.OGGFLAC if name == "flac.oga" else format_of(name) or Format.OTHER


@pytest.mark.parametrize("name", sorted(set(SAMPLE_NAMES) - WITHOUT_MUTAGEN))
def test_the_tags_are_those_that_mutagen_reads(name: str) -> None:
    path = shared_samples()[name]
    found = read_whole(kind_of(name), path.read_bytes())
    assert dict(found.tags) == dict(tags_by_mutagen(path))
    assert found.format is kind_of(name)


UNTAGGED = {"adts.aac", "rf64.wav", "untagged.mp3"}


@pytest.mark.parametrize("name", sorted(set(SAMPLE_NAMES) - UNTAGGED))
def test_every_tagged_sample_tells_its_title(name: str) -> None:
    found = read_whole(kind_of(name), shared_samples()[name].read_bytes())
    assert found.tags["title"] == ("Titre",)


@pytest.mark.parametrize(
    "name", sorted(set(SAMPLE_NAMES) - UNTAGGED - {"v1.mp3", "texts.aiff", "unsynchronised.mp3"})
)
def test_a_number_and_its_total_come_apart(name: str) -> None:
    tags = read_whole(kind_of(name), shared_samples()[name].read_bytes()).tags
    assert tags["tracknumber"] == ("3",)
    assert tags["artist"][0] in ("Beyoncé", "Beyonce")


@pytest.mark.parametrize("name", sorted(set(SAMPLE_NAMES) - {"fragments.m4a"}))
def test_the_length_is_the_one_that_was_made(name: str) -> None:
    found = read_whole(kind_of(name), shared_samples()[name].read_bytes())
    assert found.duration_s == pytest.approx(3, abs=0.1)
    expected = {".dsf": 2_822_400, ".dff": 2_822_400, ".opus": 48_000}
    assert found.sample_rate == expected.get(Path(name).suffix, 44_100)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_pictures_are_found_where_they_stand(name: str) -> None:
    data = shared_samples()[name].read_bytes()
    cover = (shared_samples()[name].parent / "cover.jpg").read_bytes()
    for picture in read_whole(kind_of(name), data).pictures:
        if picture.offset is not None:
            assert data[picture.offset : picture.offset + picture.length] == cover
            assert picture.mime == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "count", "located"),
    [
        *[(name, 1, True) for name in ("plain.flac", "id3.flac", "v22.mp3", "v23.mp3", "v24.mp3")],
        *[(name, 1, True) for name in ("first.m4a", "last.m4a", "chunk.wav", "stream.dsf")],
        *[(name, 1, False) for name in ("opus.opus", "unsynchronised.mp3")],
        *[(name, 0, False) for name in ("vorbis.ogg", "v1.mp3", "alac.m4a", "windows.wma")],
    ],
)
def test_samples_with_a_cover_show_it(name: str, count: int, located: bool) -> None:
    pictures = read_whole(kind_of(name), shared_samples()[name].read_bytes()).pictures
    assert len(pictures) == count
    assert all((picture.offset is not None) is located for picture in pictures)


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_what_is_fetched_piece_by_piece_reads_the_same(name: str) -> None:
    data = shared_samples()[name].read_bytes()
    whole = read_whole(kind_of(name), data)
    found, fetched = read_bytewise(kind_of(name), data)
    assert found.tags == whole.tags
    assert found.pictures == whole.pictures
    assert (found.audio_start, found.audio_end) == (whole.audio_start, whole.audio_end)
    if name not in ("opus.opus", "untagged.mp3", "v1.mp3"):  # art in a comment; proof of frames
        assert fetched < 17_000


def test_an_apev2_tag_in_an_mp3_counts_only_when_there_is_no_id3v2(tmp_path: Path) -> None:
    stale = read_whole(Format.MP3, shared_samples()["ape_v1.mp3"].read_bytes())
    assert stale.tags["title"] == ("Titre",)
    copy = tmp_path / "ape.mp3"
    copy.write_bytes(shared_samples()["untagged.mp3"].read_bytes())
    ape = APEv2()
    ape["Title"], ape["Artist"] = "Alone", ["One", "Two"]
    ape.save(copy)
    found = read_whole(Format.MP3, copy.read_bytes())
    assert found.tags == {"title": ("Alone",), "artist": ("One", "Two")}


def test_pictures_in_apev2_are_located_and_not_read(tmp_path: Path) -> None:
    copy = tmp_path / "art.wv"
    copy.write_bytes(shared_samples()["wavpack.wv"].read_bytes())
    tag = APEv2(copy)
    payload = b"\x89PNG" + bytes(3 << 20)
    value = b"cover.png\0" + payload
    tag["Cover Art (Front)"] = mutagen.apev2.APEValue(value, mutagen.apev2.BINARY)
    tag.save()
    data = copy.read_bytes()
    found, fetched = read_bytewise(Format.WAVPACK, data)
    offset = data.index(payload)
    assert found.pictures == (Picture(3, "image/png", offset, len(payload)),)
    assert found.tags["title"] == ("Titre",)
    assert fetched < 3000


def test_pictures_in_windows_media_are_told(tmp_path: Path) -> None:
    copy = tmp_path / "art.wma"
    copy.write_bytes(shared_samples()["windows.wma"].read_bytes())
    audio = mutagen.File(copy)
    head = b"\3" + (500).to_bytes(4, "little") + "image/png\0".encode("utf-16-le") + b"\0\0"
    audio["WM/Picture"] = mutagen.asf.ASFByteArrayAttribute(value=head + bytes(500))
    audio.save()
    data = copy.read_bytes()
    found = read_whole(Format.ASF, data)
    offset = data.index(head) + len(head)
    assert found.pictures == (Picture(3, "image/png", offset, 500),)


@pytest.mark.parametrize("kind", sorted(set(Format) - {Format.OTHER}))
def test_foreign_bytes_are_refused_with_a_reason(kind: Format) -> None:
    with pytest.raises(Malformed) as caught:
        read_whole(kind, b"This is not music, it only says so. " * 300)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


def test_other_audio_is_taken_as_it_is() -> None:
    found = read_whole(Format.OTHER, b"whatever")
    assert (found.tags, found.audio_start, found.audio_end) == ({}, 0, 8)
