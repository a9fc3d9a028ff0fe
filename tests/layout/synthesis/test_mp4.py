"""Re-tagged MP4 files: every flavour read back, decoded, and compared with its original."""

from __future__ import annotations

import struct
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from mutagen.mp4 import MP4, AtomDataType

from musefs.layout.formats import Format
from musefs.layout.ranged import Extents, Malformed, Need, RangedFile
from musefs.layout.synthesis.mp4 import COVERS_MAX, LIST_BYTES_MAX, mp4
from musefs.layout.tags import Tags
from musefs.layout.vocabulary import BY_FIELD
from musefs.layout.wish import PADDING_BYTES_MIN, Unservable, Wish
from tests.layout.synthesis.mp4_files import (
    CHUNKS,
    NAMES,
    OLD_PICTURE,
    atom,
    atoms,
    changed,
    make_files,
    with_open_size,
)
from tests.layout.synthesis.retagging import (
    GIVEN,
    GIVEN_PICTURE,
    LYRICS,
    SYNTHESISED_BYTES_MAX,
    TEXT,
    Served,
    fastest_s,
    ffmpeg,
    pcm_digest,
    probed,
    serve,
    sparse_copy,
)

CPU_S_MAX = 0.03
"""Ten times what a run takes on a slow machine."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """One file per flavour."""
    return make_files(tmp_path_factory.mktemp("mp4"))


def served(original: bytes, tags: Tags | None = None, **wish: Any) -> Served:
    return serve(mp4, Format.MP4, original, tags, **wish)


def check_sound(found: Served, folder: Path) -> None:
    before, after = (pcm_digest(data, folder, ".m4a") for data in (found.original, found.data))
    assert before.startswith("0 MD5=")
    assert before == after


@pytest.mark.parametrize("name", NAMES)
def test_without_a_change_all_stays(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(files[name])
    reading = found.read_anew(Format.MP4)
    assert reading.tags == found.reading.tags
    assert [p.length for p in reading.pictures] == [p.length for p in found.reading.pictures]
    assert all(found.keeps(picture) for picture in found.reading.pictures)
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    check_sound(found, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_new_text_is_read_back(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(files[name], TEXT)
    assert found.read_anew(Format.MP4).tags == TEXT
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    assert all(found.keeps(picture) for picture in found.reading.pictures)
    check_sound(found, tmp_path)
    shown = probed(found.data, tmp_path, ".m4a")
    assert shown["title"] == "Neuer Titel"
    assert shown["track"] == "7/12"


@pytest.mark.parametrize("name", NAMES)
def test_a_new_cover_takes_the_place_of_all(
    name: str, files: dict[str, bytes], tmp_path: Path
) -> None:
    found = served(files[name], TEXT, cover=GIVEN)
    reading = found.read_anew(Format.MP4)
    (cover,) = reading.pictures
    assert cover.offset is not None
    assert found.data[cover.offset : cover.offset + cover.length] == GIVEN_PICTURE
    assert reading.tags == TEXT
    assert found.synthesised_bytes < SYNTHESISED_BYTES_MAX
    check_sound(found, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_can_be_removed(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(files[name], bare=True)
    reading = found.read_anew(Format.MP4)
    assert reading.pictures == ()
    assert reading.tags == found.reading.tags
    assert not any(found.keeps(picture) for picture in found.reading.pictures)
    check_sound(found, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_long_lyrics_and_no_tags_at_all(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    lyrics: Tags = {"lyrics": (LYRICS.strip(),)}
    found = served(files[name], lyrics)
    assert found.read_anew(Format.MP4).tags == lyrics
    check_sound(found, tmp_path)
    empty = served(files[name], {})
    assert empty.read_anew(Format.MP4).tags == {}
    assert not probed(empty.data, tmp_path, ".m4a").keys() & {"title", "artist", "album", "track"}
    check_sound(empty, tmp_path)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"last", "chapters"}))
@pytest.mark.parametrize("cover", [None, GIVEN], ids=["text", "cover"])
def test_there_is_padding_and_the_audio_moves_by_whole_pages(
    name: str, cover: Any, files: dict[str, bytes]
) -> None:
    found = served(files[name], TEXT, cover=cover)
    assert found.misalignment(found.reading.audio_start + 500) == 0
    assert MP4(BytesIO(found.data)).tags._padding >= PADDING_BYTES_MIN


def test_what_is_not_of_a_changed_field_stays(files: dict[str, bytes]) -> None:
    found = served(files["covers"], {**served(files["covers"]).reading.tags, "title": ("Neu",)})
    before, after = MP4(BytesIO(files["covers"])), MP4(BytesIO(found.data))
    same = before.keys() - {"©nam"}
    assert after.keys() == before.keys()
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["----:com.apple.iTunes:Label"] == [b"Old"]
    relabelled = served(files["covers"], {**found.reading.tags, "label": ("New",)})
    keys = MP4(BytesIO(relabelled.data)).keys()
    assert "----:com.apple.iTunes:LABEL" in keys
    assert "----:com.apple.iTunes:Label" not in keys


def test_kept_covers_keep_their_bytes_and_types(files: dict[str, bytes]) -> None:
    covers = MP4(BytesIO(served(files["covers"], TEXT).data))["covr"]
    assert covers == [OLD_PICTURE, OLD_PICTURE[:5000]]
    assert [cover.imageformat for cover in covers] == [AtomDataType.PNG, AtomDataType.JPEG]


def test_chapters_stay(files: dict[str, bytes]) -> None:
    before = MP4(BytesIO(files["chapters"])).chapters
    after = MP4(BytesIO(served(files["chapters"], TEXT, cover=GIVEN).data)).chapters
    assert len(after) == 3
    assert [(c.start, c.title) for c in before] == [(c.start, c.title) for c in after]


def test_players_find_the_chapter_track(files: dict[str, bytes], tmp_path: Path) -> None:
    """Its samples are text in the audio's mdat, found by offsets of their own."""
    for data in (files["chapters"], served(files["chapters"], TEXT, cover=GIVEN).data):
        (tmp_path / "a.m4a").write_bytes(data)
        ffmpeg("-i", tmp_path / "a.m4a", "-f", "ffmetadata", tmp_path / "found.txt")
        assert "title=K 2" in (tmp_path / "found.txt").read_text()


def test_a_moov_atom_of_open_size_gets_a_size(files: dict[str, bytes], tmp_path: Path) -> None:
    found = served(with_open_size(files["last"]), TEXT)
    assert found.read_anew(Format.MP4).tags == TEXT
    check_sound(found, tmp_path)


@pytest.mark.parametrize("field", sorted(BY_FIELD))
@pytest.mark.parametrize("values", [("text",), ("3", "text"), ("3", "4"), ("0",), ("1",)])
def test_every_field_reads_back(
    field: str, values: tuple[str, ...], files: dict[str, bytes]
) -> None:
    """Also where its atom holds numbers only."""
    assert served(files["alac"], {field: values}).read_anew(Format.MP4).tags == {field: values}


@pytest.mark.parametrize(
    "tags",
    [
        {"tracknumber": ("3", "4"), "tracktotal": ("12",)},
        {"tracktotal": ("12",)},
        {"tracknumber": ("A1",), "tracktotal": ("12",)},
        {"tracknumber": ("70000",), "discnumber": ("0",)},
        {"movementnumber": ("2",), "movementtotal": ("4",), "movement": ("Adagio",)},
        {"bpm": ("120.5",), "compilation": ("no",)},
        {"pgap": ("1",), "stik": ("2",), "plid": ("99",), "purl": ("http://a.example/",)},
        {"odd:name=x": ("a", "b"), "lyrics": ("one\ntwo",)},
    ],
)
def test_odd_values_read_back(tags: Tags, files: dict[str, bytes]) -> None:
    assert served(files["alac"], tags).read_anew(Format.MP4).tags == tags


def test_numbers_lose_leading_zeros_only(files: dict[str, bytes]) -> None:
    found = served(files["alac"], {"tracknumber": ("03",)})
    assert found.read_anew(Format.MP4).tags == {"tracknumber": ("3",)}


def test_without_the_chunk_offsets_corrected_the_sound_differs(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("musefs.layout.synthesis.mp4"), "moved_chunks", lambda *_: [])
    for name in ("first", "co64"):
        found = served(files[name], TEXT)
        assert found.read_anew(Format.MP4).tags == TEXT
        with pytest.raises(AssertionError):
            check_sound(found, tmp_path)


def test_a_gigabyte_of_audio_costs_nothing(files: dict[str, bytes]) -> None:
    data = files["first"]
    place, hole = len(data) - 1000, 1 << 30
    mdat = data.rindex(b"mdat") - 4
    (length,) = struct.unpack_from(">I", data, mdat)
    grown = data[:mdat] + struct.pack(">I", length + hole) + data[mdat + 4 :]
    read = sparse_copy(grown, place, hole)
    small, large = Extents(len(data)), Extents(len(grown) + hole)
    for extents, source in ((small, sparse_copy(data, len(data), 0)), (large, read)):
        while True:
            try:
                layout = mp4(RangedFile(extents), Wish(TEXT))
                break
            except Need as need:
                extents.add(need.start, source(need.start, need.end))
    assert large.fetched_bytes == small.fetched_bytes
    assert layout.size > hole


@pytest.mark.parametrize("name", NAMES)
def test_a_file_takes_little_time(name: str, files: dict[str, bytes]) -> None:
    pictures = served(files[name]).reading.pictures
    text = fastest_s(mp4, files[name], Wish(TEXT, pictures))
    cover = fastest_s(mp4, files[name], Wish(TEXT, pictures, GIVEN))
    print(f"{name}: {text * 1e3:.2f} ms with text, {cover * 1e3:.2f} ms with a cover of 1 MB")
    assert max(text, cover) < CPU_S_MAX


def test_a_long_audio_book_takes_little_time(files: dict[str, bytes]) -> None:
    """Ten hours of audio are some 72,000 chunks: their offsets are read and corrected."""

    def change(table: bytes) -> bytes:
        return atom(b"stco", struct.pack(">II", 0, 72_000) + bytes(range(240, 256)) * 18_000)

    data = changed(files["first"], CHUNKS, change)
    seconds = fastest_s(mp4, data, Wish(TEXT), rounds=5)
    print(f"{seconds * 1e3:.2f} ms for 72,000 chunks")
    assert seconds < 10 * CPU_S_MAX


def test_a_hostile_list_takes_little_time(files: dict[str, bytes]) -> None:
    """As many values as its bound allows."""
    values = struct.pack(">I4sII", 17, b"data", 1, 0) + b"x"
    listed = atom(b"ilst", atom(b"\xa9ART", values * (LIST_BYTES_MAX // 17 - 2)))
    meta = atom(b"meta", bytes(4) + listed)
    data = changed(files["first"], [b"moov", b"udta", b"meta"], lambda _: meta)
    seconds = fastest_s(mp4, data, Wish(TEXT), rounds=2)
    print(f"{seconds * 1e3:.2f} ms for a list of {LIST_BYTES_MAX} bytes")
    assert seconds < 2


def refused(data: bytes, wish: Wish | None = None) -> str:
    with pytest.raises((Unservable, Malformed)) as caught:
        serve_whole(data, wish or Wish(TEXT))
    return str(caught.value)


def serve_whole(data: bytes, wish: Wish) -> None:
    extents = Extents(len(data))
    extents.add(0, data)
    mp4(RangedFile(extents), wish)


def test_what_cannot_be_moved_is_refused(files: dict[str, bytes]) -> None:
    first = files["first"]
    ftyp, moov = (atom(kind, body) for kind, body in atoms(first)[:2])
    moof = atom(b"moof", b"")
    assert "in front of" in refused(ftyp + moof + moov)
    assert "track" in refused(ftyp + atom(b"moov", atom(b"cmov", bytes(50))))
    assert "moov" in refused(first[:1000])
    meta = [b"moov", b"udta", b"meta"]
    assert "more than one" in refused(changed(first, meta, lambda whole: whole + whole))
    other = atom(b"meta", bytes(4) + atom(b"ID32", b""))
    assert "no iTunes" in refused(changed(first, meta, lambda _: other))
    large = atom(b"meta", bytes(4) + atom(b"ilst", atom(b"\xa9lyr", bytes(LIST_BYTES_MAX))))
    assert "larger" in refused(changed(first, meta, lambda _: large))
    pictures = served(files["covers"]).reading.pictures * COVERS_MAX
    assert "pictures" in refused(files["covers"], Wish(TEXT, pictures))
