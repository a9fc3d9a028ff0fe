"""The vocabulary, and how names and values of each kind of tag become fields."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.pictures import Picture, vorbis_picture
from musefs.layout.ranged import Malformed
from musefs.layout.tags import from_ape, from_asf, from_info, from_mp4, from_vorbis
from musefs.layout.vocabulary import (
    VOCABULARY,
    field_of_ape,
    field_of_asf,
    field_of_id3,
    field_of_mp4,
    field_of_vorbis,
)
from musefs.layout.vorbis_comments import comment_pictures, vorbis_comments


@pytest.mark.parametrize("kind", ["field", "vorbis", "id3", "mp4", "asf", "info"])
def test_no_name_stands_for_two_fields(kind: str) -> None:
    names = Counter(getattr(row, kind).lower() for row in VOCABULARY if getattr(row, kind))
    shared = {name for name, count in names.items() if count > 1}
    assert shared == set()


def test_every_name_reads_back_as_its_field() -> None:
    for row in VOCABULARY:
        assert field_of_vorbis(row.vorbis) == row.field
        for name, field_of in (
            (row.id3, field_of_id3),
            (row.mp4, field_of_mp4),
            (row.asf, field_of_asf),
            (row.ape, field_of_ape),
        ):
            assert not name or field_of(name) == row.field


def test_unknown_names_are_kept_in_lower_case() -> None:
    assert field_of_id3("TXXX:My Mood") == "my mood"
    assert field_of_mp4("----:com.apple.iTunes:FOO") == "foo"
    assert field_of_ape("Foo") == field_of_vorbis("FOO") == field_of_asf("WM/Foo") == "foo"


def test_values_lose_nul_and_blanks_and_repetitions() -> None:
    comments = [("artist", "One\0"), ("artist", "Two"), ("artist", "One"), ("title", " \0")]
    assert from_vorbis(comments) == {"artist": ("One", "Two")}


def test_numbers_and_totals_come_apart() -> None:
    assert from_vorbis([("tracknumber", "03/12"), ("discnumber", "1/")]) == {
        "tracknumber": ("03",),
        "tracktotal": ("12",),
        "discnumber": ("1",),
    }


def test_a_total_of_its_own_wins() -> None:
    found = from_vorbis([("tracknumber", "3/12"), ("totaltracks", "14")])
    assert found == {"tracknumber": ("3",), "tracktotal": ("14",)}


def test_mp4_numbers_flags_and_freeform_atoms_become_text() -> None:
    atoms = {
        "trkn": [(3, 12)],
        "disk": [(1, 0)],
        "cpil": True,
        "pgap": False,
        "tmpo": [120],
        "©nam": ["Title"],
        "plID": [None],
        "covr": [b"picture"],
        "----:com.apple.iTunes:MusicBrainz Track Id": [b"some-id"],
        "----:com.apple.iTunes:FOO": [b"one", b"two"],
    }
    assert from_mp4(atoms) == {
        "tracknumber": ("3",),
        "tracktotal": ("12",),
        "discnumber": ("1",),
        "compilation": ("1",),
        "bpm": ("120",),
        "title": ("Title",),
        "musicbrainz_trackid": ("some-id",),
        "foo": ("one", "two"),
    }


def test_ape_asf_and_info_names_become_fields() -> None:
    assert from_ape([("Album Artist", ("A", "B")), ("Year", ("2001",))]) == {
        "albumartist": ("A", "B"),
        "date": ("2001",),
    }
    assert from_asf([("Author", "A"), ("WM/IsCompilation", True), ("WM/Picture", b"x")]) == {
        "artist": ("A",),
        "compilation": ("1",),
    }
    assert from_info([("INAM", "T"), ("IPRT", "4/9")]) == {
        "title": ("T",),
        "tracknumber": ("4",),
        "tracktotal": ("9",),
    }


def packed(comments: list[tuple[str, str]]) -> bytes:
    entries = [f"{key}={value}".encode() for key, value in comments]
    body = b"".join(len(entry).to_bytes(4, "little") + entry for entry in entries)
    return (4).to_bytes(4, "little") + b"test" + len(entries).to_bytes(4, "little") + body


keys = st.text(
    st.characters(min_codepoint=0x20, max_codepoint=0x7D, exclude_characters="="), min_size=1
)
values = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(keys, values), max_size=10))
def test_vorbis_comments_are_read_as_they_were_written(comments: list[tuple[str, str]]) -> None:
    found = vorbis_comments(packed(comments))
    assert found == [(key.lower(), value) for key, value in comments]


@given(st.binary(max_size=200))
def test_any_bytes_are_comments_or_malformed(data: bytes) -> None:
    try:
        found = vorbis_comments(data)
    except Malformed:
        return
    assert all(key for key, _ in found)


def test_too_many_comments_are_refused_before_they_are_looked_at() -> None:
    with pytest.raises(Malformed, match="more than"):
        vorbis_comments(bytes(4) + b"\xff\xff\xff\xff")


def test_a_broken_picture_comment_is_no_picture() -> None:
    broken = ["", "!", "AAAA", "not base64 at all", "é"]
    assert comment_pictures([("metadata_block_picture", text) for text in broken]) == ()
    assert vorbis_picture("AAAAAwAAAAlpbWFnZS9wbmcAAAAA" + "A" * 24 + "AAAA") == Picture(
        3, "image/png", None, 0
    )
