"""Re-tagged Windows Media Audio, against mutagen, ffmpeg and exiftool."""

from __future__ import annotations

import struct
import subprocess
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen.asf import (
    ASF,
    ASFBoolAttribute,
    ASFByteArrayAttribute,
    ASFDWordAttribute,
    ASFGUIDAttribute,
    ASFUnicodeAttribute,
)

from musefs.layout.asf_objects import FILE_PROPERTIES, PICTURE_ATTRIBUTE
from musefs.layout.formats import ASF_HEADER, Format
from musefs.layout.ranged import Extents, Need, RangedFile
from musefs.layout.segments import Backing
from musefs.layout.synthesis.asf import asf
from musefs.layout.tags import Tags
from musefs.layout.vocabulary import BY_FIELD
from musefs.layout.wish import PADDING_BYTES_MIN, Wish
from tests.lab.ranges import read_bytewise
from tests.lab.samples import shared_samples
from tests.layout.synthesis.retagging import (
    GIVEN,
    GIVEN_PICTURE,
    LYRICS,
    SYNTHESISED_BYTES_MAX,
    TEXT,
    Served,
    fastest_s,
    pcm_digest,
    probed,
    serve,
    sparse_copy,
)

CPU_S_MAX = 0.03
NAMES = ("plain", "small picture", "pictures", "rich")
BACK_COVER = 4
PADDING = bytes.fromhex("74d40618dfca0945a4ba9aabcb96aae8")  # ASF specification 10.1
LARGE = b"\x89PNG" + bytes(range(256)) * 4096
SMALL = b"\xff\xd8" + bytes(range(200)) * 10


def picture(kind: int, payload: bytes, description: str = "") -> ASFByteArrayAttribute:
    """WM_PICTURE of the Windows Media Format SDK."""
    texts = "".join(text + "\0" for text in ("image/png", description)).encode("utf-16-le")
    return ASFByteArrayAttribute(value=struct.pack("<BI", kind, len(payload)) + texts + payload)


def tagged(folder: Path, **attributes: Any) -> bytes:
    path = folder / "made.wma"
    path.write_bytes(shared_samples()["windows.wma"].read_bytes())
    made = ASF(path)
    for name, value in attributes.items():
        made[name.replace("_", "/")] = value
    made.save()
    return path.read_bytes()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One file per flavour."""
    folder = tmp_path_factory.mktemp("asf")
    return {
        "plain": shared_samples()["windows.wma"].read_bytes(),
        "small picture": tagged(folder, WM_Picture=picture(3, SMALL)),
        "pictures": tagged(
            folder, WM_Picture=[picture(3, LARGE, "vorn"), picture(BACK_COVER, LARGE[:70_000])]
        ),
        "rich": tagged(
            folder,
            WM_Picture=picture(3, SMALL),
            WM_TrackNumber=ASFDWordAttribute(3),
            WM_IsCompilation=ASFBoolAttribute(True),
            WM_Genre=[ASFUnicodeAttribute("Jazz"), ASFUnicodeAttribute("Soul")],
            WM_WMContentID=ASFGUIDAttribute(bytes(range(16))),
            WM_MediaClassPrimaryID=ASFByteArrayAttribute(b"\1\2\3"),
            Own=ASFUnicodeAttribute("value", language=0, stream=1),
        ),
    }


def served(original: bytes, tags: Tags | None = None, **wish: Any) -> Served:
    return serve(asf, Format.ASF, original, tags, **wish)


def check_audio(found: Served, folder: Path) -> None:
    start = found.reading.audio_start
    end = len(found.original)
    assert found.layout.segments[-1] == Backing(start, end - start)
    assert found.misalignment(start) == 0
    before, after = (pcm_digest(data, folder, ".wma") for data in (found.original, found.data))
    assert before.startswith("0 MD5=")
    assert after == before


def stated_size(data: bytes) -> int:
    place = data.index(FILE_PROPERTIES)
    return int.from_bytes(data[place + 40 : place + 48], "little")


@pytest.mark.parametrize("name", NAMES)
def test_without_a_change_all_stays(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(files[name])
    reading = found.read_anew(Format.ASF)
    assert reading.tags == found.reading.tags
    assert [(p.kind, p.length) for p in reading.pictures] == [
        (p.kind, p.length) for p in found.reading.pictures
    ]
    assert all(found.keeps(p) for p in found.reading.pictures if p.length > 100)
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    before, after = (ASF(BytesIO(data)).tags for data in (found.original, found.data))
    assert sorted(map(repr, after)) == sorted(map(repr, before))
    check_audio(found, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_new_text_is_read_back(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(files[name], TEXT)
    assert found.read_anew(Format.ASF).tags == TEXT
    assert all(found.keeps(p) for p in found.reading.pictures)
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    check_audio(found, tmp_path)
    shown = probed(found.data, tmp_path, ".wma")
    assert shown["title"] == "Neuer Titel"
    assert shown["track"] == "7/12"
    assert ASF(BytesIO(found.data))["WM/PartOfSet"] == ["1/2"]


@pytest.mark.parametrize("name", NAMES)
def test_a_new_front_cover(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(files[name], TEXT, cover=GIVEN)
    reading = found.read_anew(Format.ASF)
    assert reading.tags == TEXT
    (front,) = (p for p in reading.pictures if p.kind == 3)
    assert front.offset is not None
    assert found.data[front.offset : front.offset + front.length] == GIVEN_PICTURE
    for old in found.reading.pictures:
        assert found.keeps(old) == (old.kind == BACK_COVER)
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    check_audio(found, tmp_path)
    path = tmp_path / "a.wma"
    path.write_bytes(found.data)
    command: list[str | Path] = ["exiftool", "-a", "-b", "-Picture", path]
    shown = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    assert GIVEN_PICTURE in shown


@pytest.mark.parametrize("name", NAMES)
def test_no_pictures_long_lyrics_and_no_tags(
    name: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    bare = served(files[name], bare=True)
    assert bare.read_anew(Format.ASF).pictures == ()
    assert bare.read_anew(Format.ASF).tags == bare.reading.tags
    assert "WM/Picture" not in ASF(BytesIO(bare.data))
    lyrics: Tags = {"lyrics": ("short", LYRICS.strip(), "brief")}
    long = served(files[name], lyrics)
    assert long.read_anew(Format.ASF).tags == lyrics
    empty = served(files[name], {})
    assert empty.read_anew(Format.ASF).tags == {}
    assert not probed(empty.data, tmp_path, ".wma").keys() & {"title", "artist", "album", "track"}
    for found in (bare, long, empty):
        check_audio(found, tmp_path)


def test_there_is_padding(files: dict[str, bytes]) -> None:
    for name in NAMES:
        data = served(files[name], TEXT, cover=GIVEN).data
        place = data.rindex(PADDING, 0, served(files[name]).reading.audio_start + (2 << 20))
        assert int.from_bytes(data[place + 16 : place + 24], "little") >= 24 + PADDING_BYTES_MIN


def test_the_header_states_the_size_of_the_file(
    files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = served(files["plain"], TEXT, cover=GIVEN)
    assert stated_size(files["plain"]) == len(files["plain"])
    assert stated_size(found.data) == len(found.data)
    monkeypatch.setattr(
        import_module("musefs.layout.synthesis.asf"), "with_size", lambda header, _: header
    )
    stale = served(files["plain"], TEXT, cover=GIVEN)
    assert stated_size(stale.data) == len(files["plain"])


def test_what_is_not_of_a_changed_field_stays(files: dict[str, bytes]) -> None:
    found = served(files["rich"], {**served(files["rich"]).reading.tags, "title": ("Neu",)})
    before, after = (ASF(BytesIO(data)) for data in (found.original, found.data))
    assert after["Title"] == ["Neu"]
    assert sorted(repr(pair) for pair in after.tags if pair[0].lower() != "title") == sorted(
        repr(pair) for pair in before.tags if pair[0].lower() != "title"
    )
    assert isinstance(after["WM/TrackNumber"][0], ASFDWordAttribute)
    removed = served(files["rich"], {})
    left = {name for name, _ in ASF(BytesIO(removed.data)).tags}
    assert left == {"WM/WMContentID", "WM/MediaClassPrimaryID", PICTURE_ATTRIBUTE}


@pytest.mark.parametrize("field", sorted(BY_FIELD))
@pytest.mark.parametrize("values", [("text",), ("3", "text"), ("1",)])
def test_every_field_reads_back(
    field: str, values: tuple[str, ...], files: dict[str, bytes]
) -> None:
    assert served(files["plain"], {field: values}).read_anew(Format.ASF).tags == {field: values}


@pytest.mark.parametrize(
    "tags",
    [
        {"tracknumber": ("3", "4"), "tracktotal": ("12",)},
        {"tracktotal": ("12",), "disctotal": ("1", "2")},
        {"movementnumber": ("2",), "movementtotal": ("4",)},
        {"größe": ("groß",), "x": ("y",)},
        {"description": ("a",), "comment": ("b",)},
    ],
)
def test_odd_fields_read_back(tags: Tags, files: dict[str, bytes]) -> None:
    assert served(files["plain"], tags).read_anew(Format.ASF).tags == tags


def test_a_scan_does_not_read_pictures(files: dict[str, bytes]) -> None:
    found, fetched = read_bytewise(Format.ASF, files["pictures"])
    assert [p.kind for p in found.pictures] == [3, BACK_COVER]
    for place, payload in zip(found.pictures, (LARGE, LARGE[:70_000]), strict=True):
        assert place.mime == "image/png"
        assert place.offset is not None
        assert files["pictures"][place.offset : place.offset + place.length] == payload
    assert fetched < 20_000
    assert found.tags == read_bytewise(Format.ASF, files["plain"])[0].tags


def test_a_gigabyte_of_audio_costs_nothing(files: dict[str, bytes]) -> None:
    data, hole = files["pictures"], 1 << 30
    costs = []
    for size, read in (
        (len(data), sparse_copy(data, len(data), 0)),
        (len(data) + hole, sparse_copy(data, len(data) - 1000, hole)),
    ):
        extents = Extents(size)
        while True:
            try:
                pictures = read_bytewise(Format.ASF, data)[0].pictures
                layout = asf(RangedFile(extents), Wish(TEXT, pictures))
                break
            except Need as need:
                extents.add(need.start, read(need.start, need.end))
        costs.append(extents.fetched_bytes)
        assert layout.size > size
    assert costs[0] == costs[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_takes_little_time(name: str, files: dict[str, bytes]) -> None:
    pictures = read_bytewise(Format.ASF, files[name])[0].pictures
    assert files[name].startswith(ASF_HEADER)
    text = fastest_s(asf, files[name], Wish(TEXT, pictures))
    cover = fastest_s(asf, files[name], Wish(TEXT, pictures, GIVEN))
    print(f"{name}: {text * 1e3:.2f} ms with text, {cover * 1e3:.2f} ms with a cover of 1 MB")
    assert max(text, cover) < CPU_S_MAX
