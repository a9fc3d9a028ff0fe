"""Re-tagged WavPack, Monkey's Audio and Musepack files, against mutagen's APEv2 and ffmpeg."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen.apev2 import BINARY, EXTERNAL, APEBadItemError, APENoHeaderError, APEv2, APEValue
from mutagen.id3 import ID3, TIT2

from musefs.layout.ape_items import ITEMS_MAX
from musefs.layout.formats import Format
from musefs.layout.ranged import Extents, Malformed, Need, RangedFile
from musefs.layout.segments import Backing
from musefs.layout.synthesis.ape import ape
from musefs.layout.tags import Tags
from musefs.layout.vocabulary import BY_FIELD
from musefs.layout.wish import Wish
from tests.lab.samples import shared_samples
from tests.layout.synthesis.retagging import (
    GIVEN,
    GIVEN_PICTURE,
    LYRICS,
    PROBED_BYTES,
    SYNTHESISED_BYTES_MAX,
    TEXT,
    Served,
    fastest_s,
    overlaps,
    pcm_digest,
    serve,
    sparse_copy,
)

CPU_S_MAX = 0.01
PICTURE = b"\x89PNG" + bytes(range(256)) * 4096
ID3V1 = b"TAG" + b"Stale title".ljust(125, b"\0")
LYRICS3 = b"LYRICSBEGININD0000210" + b"000021LYRICS200"
# A descriptor and header of no frames (Monkey's Audio SDK, APE_DESCRIPTOR): no encoder at hand.
MONKEY = struct.pack("<4sHHIIIIIII16x", b"MAC ", 3990, 0, 52, 24, 0, 0, 0, 0, 0)
MONKEY += struct.pack("<HHIIIHHI", 2000, 0, 73728, 0, 0, 16, 2, 44100) + bytes(500)

NAMES = ("wavpack", "musepack", "rich", "id3v1 only", "both", "lyrics3", "id3v2", "untagged")


def audio_of(name: str) -> bytes:
    data = shared_samples()[name].read_bytes()
    return data[: data.index(b"APETAGEX")]


def tag(**items: Any) -> bytes:
    made = APEv2()
    for key, value in items.items():
        made[key.replace("_", " ")] = value
    buffer = BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def rich_tag() -> bytes:
    made = APEv2()
    made.update({"Title": "Titre", "Artist": ["Beyoncé", "Jay-Z"], "Track": "3/12", "Own": "x"})
    made["Cover Art (Front)"] = APEValue(b"front.png\0" + PICTURE, BINARY)
    made["Cover Art (Back)"] = APEValue(b"back.png\0" + PICTURE[:9000], BINARY)
    made["Secret"] = APEValue(b"\0\1\2", BINARY)
    made["File"] = APEValue("http://a.example/", EXTERNAL)
    made["REPLAYGAIN_TRACK_GAIN"] = "-3.00 dB"
    buffer = BytesIO()
    made.save(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """One file per flavour of tags."""
    audio = audio_of("wavpack.wv")
    leading = BytesIO()
    stray = ID3()
    stray.add(TIT2(3, ["Stale"]))
    stray.save(leading, padding=lambda _: 50)
    return {
        "wavpack": shared_samples()["wavpack.wv"].read_bytes(),
        "musepack": shared_samples()["pack.mpc"].read_bytes(),
        "rich": audio + rich_tag(),
        "id3v1 only": audio + ID3V1,
        "both": audio + tag(Title="Titre", Artist="Beyoncé") + ID3V1,
        "lyrics3": audio + tag(Title="Titre") + LYRICS3 + ID3V1,
        "id3v2": leading.getvalue() + audio + tag(Title="Titre"),
        "untagged": audio,
    }


def kind_of(name: str) -> Format:
    return Format.MUSEPACK if name == "musepack" else Format.WAVPACK


def served(name: str, original: bytes, tags: Tags | None = None, **wish: Any) -> Served:
    return serve(ape, kind_of(name), original, tags, **wish)


def check_audio(found: Served, folder: Path, name: str) -> None:
    start, end = found.reading.audio_start, found.reading.audio_end
    assert found.layout.segments[0] == Backing(start, end - start)
    assert found.data[: end - start] == found.original[start:end]
    suffix = ".mpc" if name == "musepack" else ".wv"
    before, after = (pcm_digest(data, folder, suffix) for data in (found.original, found.data))
    assert before.startswith("0 MD5=")
    assert after == before


def tag_of(found: Served) -> APEv2:
    """What mutagen reads; nothing else stands behind the audio."""
    audio_bytes = found.reading.audio_end - found.reading.audio_start
    return APEv2(BytesIO(found.data[audio_bytes:]))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_change_all_stays(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(name, files[name])
    reading = found.read_anew(kind_of(name))
    assert reading.tags == found.reading.tags
    assert len(reading.pictures) == len(found.reading.pictures)
    assert all(found.keeps(picture) for picture in found.reading.pictures)
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    check_audio(found, tmp_path, name)


@pytest.mark.parametrize("name", NAMES)
def test_new_text_and_a_cover(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(name, files[name], TEXT)
    assert found.read_anew(kind_of(name)).tags == TEXT
    assert tag_of(found)["Track"] == "7/12"
    check_audio(found, tmp_path, name)
    covered = served(name, files[name], TEXT, cover=GIVEN)
    reading = covered.read_anew(kind_of(name))
    assert reading.tags == TEXT
    front = [picture for picture in reading.pictures if picture.kind == 3]
    assert [covered.data[p.offset :][: p.length] for p in front] == [GIVEN_PICTURE]
    assert covered.synthesised_bytes < SYNTHESISED_BYTES_MAX
    assert tag_of(covered)["Cover Art (Front)"].value == b"cover.jpg\0" + GIVEN_PICTURE
    check_audio(covered, tmp_path, name)


@pytest.mark.parametrize("name", NAMES)
def test_no_pictures_long_lyrics_and_no_tags(
    name: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    bare = served(name, files[name], bare=True)
    assert bare.read_anew(kind_of(name)).pictures == ()
    assert bare.read_anew(kind_of(name)).tags == bare.reading.tags
    lyrics: Tags = {"lyrics": (LYRICS.strip(),)}
    long = served(name, files[name], lyrics)
    assert long.read_anew(kind_of(name)).tags == lyrics
    empty = served(name, files[name], {})
    assert empty.read_anew(kind_of(name)).tags == {}
    for found in (bare, long, empty):
        check_audio(found, tmp_path, name)


def test_a_file_without_any_item_has_no_tag(files: dict[str, bytes]) -> None:
    found = served("both", files["both"], {})
    assert found.data == files["untagged"]
    with pytest.raises(APENoHeaderError):
        tag_of(found)


def test_what_is_not_of_a_changed_field_stays(files: dict[str, bytes]) -> None:
    original = APEv2(BytesIO(files["rich"]))
    found = served(
        "rich", files["rich"], {**served("rich", files["rich"]).reading.tags, "own": ("y",)}
    )
    after = tag_of(found)
    assert set(after.keys()) == set(original.keys())
    assert after["Own"] == "y"
    assert {k: after[k].value for k in after if k != "Own"} == {
        k: original[k].value for k in original if k != "Own"
    }
    assert [value.kind for value in (after["Secret"], after["File"])] == [BINARY, EXTERNAL]


def test_a_new_cover_replaces_the_front_cover_only(files: dict[str, bytes]) -> None:
    found = served("rich", files["rich"], cover=GIVEN)
    front, back = (p for kind in (3, 4) for p in found.reading.pictures if p.kind == kind)
    assert found.keeps(back)
    assert not found.keeps(front)
    assert len(found.read_anew(Format.WAVPACK).pictures) == 2


def test_stale_tags_go(files: dict[str, bytes]) -> None:
    for name in ("id3v1 only", "both", "lyrics3", "id3v2"):
        data = served(name, files[name], TEXT).data
        assert b"TAGStale" not in data
        assert b"LYRICS200" not in data
        assert data.startswith(b"wvpk")


def test_text_that_is_no_utf8_does_not_matter(files: dict[str, bytes]) -> None:
    """mutagen would refuse it; the bytes stay unless the field changes."""
    old = tag(Title="xxxx", Artist="Beyonce").replace(b"xxxx", b"\xe9t\xe9!")
    with pytest.raises(APEBadItemError):
        APEv2(BytesIO(old))
    original = files["untagged"] + old
    found = serve(ape, Format.WAVPACK, original)
    assert b"\xe9t\xe9!" in found.data
    changed = serve(ape, Format.WAVPACK, original, {"title": ("Été",)})
    assert tag_of(changed)["Title"] == "Été"


def test_monkeys_audio_is_served_too() -> None:
    found = serve(ape, Format.APE, MONKEY + tag(Title="Titre"), TEXT, cover=GIVEN)
    assert found.read_anew(Format.APE).tags == TEXT
    assert found.data.startswith(MONKEY)


@pytest.mark.parametrize("field", sorted(BY_FIELD))
@pytest.mark.parametrize("values", [("text",), ("3", "text")])
def test_every_field_reads_back(
    field: str, values: tuple[str, ...], files: dict[str, bytes]
) -> None:
    found = serve(ape, Format.WAVPACK, files["wavpack"], {field: values})
    assert found.read_anew(Format.WAVPACK).tags == {field: values}


@pytest.mark.parametrize(
    "tags",
    [
        {"tracknumber": ("3", "4"), "tracktotal": ("12",)},
        {"tracktotal": ("12",), "disctotal": ("1", "2")},
        {"tracknumber": ("A1",), "tracktotal": ("12", "13")},
        {"movementnumber": ("2",), "movementtotal": ("4",)},
    ],
)
def test_odd_numbers_read_back(tags: Tags, files: dict[str, bytes]) -> None:
    found = serve(ape, Format.WAVPACK, files["wavpack"], tags)
    assert found.read_anew(Format.WAVPACK).tags == tags


@pytest.mark.parametrize("field", ["x", "größe", "id3", "k" * 256])
def test_a_field_that_can_have_no_key_is_left_out(field: str, files: dict[str, bytes]) -> None:
    found = serve(ape, Format.WAVPACK, files["wavpack"], {field: ("a",), "title": ("b",)})
    assert found.read_anew(Format.WAVPACK).tags == {"title": ("b",)}


def test_a_hostile_tag_is_refused(files: dict[str, bytes]) -> None:
    items = (struct.pack("<II", 0, 0) + b"aa\0") * (ITEMS_MAX + 1)
    footer = struct.pack("<8s4I8x", b"APETAGEX", 2000, len(items) + 32, ITEMS_MAX + 1, 0)
    data = files["untagged"] + items + footer
    extents = Extents(len(data))
    extents.add(0, data)
    with pytest.raises(Malformed, match="items"):
        ape(RangedFile(extents), Wish(TEXT))


def test_a_gigabyte_of_audio_costs_nothing(files: dict[str, bytes]) -> None:
    data, hole = files["rich"], 1 << 30
    costs = []
    for size, read in (
        (len(data), sparse_copy(data, len(data), 0)),
        (len(data) + hole, sparse_copy(data, 1000, hole)),
    ):
        extents, fetched = Extents(size), []
        while True:
            try:
                ape(RangedFile(extents), Wish(TEXT))
                break
            except Need as need:
                fetched.append((need.start, need.end))
                extents.add(need.start, read(need.start, need.end))
        costs.append(extents.fetched_bytes)
        picture = size - len(data) + data.index(PICTURE)
        assert not overlaps(fetched, picture + PROBED_BYTES, picture + len(PICTURE) - PROBED_BYTES)
    assert costs[0] == costs[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_takes_little_time(name: str, files: dict[str, bytes]) -> None:
    text = fastest_s(ape, files[name], Wish(TEXT))
    cover = fastest_s(ape, files[name], Wish(TEXT, (), GIVEN))
    print(f"{name}: {text * 1e3:.2f} ms with text, {cover * 1e3:.2f} ms with a cover of 1 MB")
    assert max(text, cover) < CPU_S_MAX
