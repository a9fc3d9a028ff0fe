"""The fields that a template sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.library.fields import template_fields


def fields(path: str = "a.flac", **tags: str | list[str]) -> dict[str, str]:
    lists = {name: [value] if isinstance(value, str) else value for name, value in tags.items()}
    return template_fields(lists, "nas", path)


def test_the_parts_of_the_path_are_fields() -> None:
    found = fields("Rock/Band/Album/01 Song.live.FLAC")
    assert found == {
        "origin": "nas",
        "path": "Rock/Band/Album",
        "folder": "Album",
        "filename": "01 Song.live",
        "format": "flac",
    }


def test_a_file_at_the_root_without_extension_lacks_those_fields() -> None:
    assert fields("song") == {"origin": "nas", "filename": "song"}


def test_a_tag_is_its_first_value_but_all_artists_are_joined() -> None:
    found = fields(ARTIST=["A", "", "B"], Genre=["Rock", "Pop"], empty=[])
    assert (found["artist"], found["genre"]) == ("A; B", "Rock")
    assert "empty" not in found


def test_tags_cannot_pose_as_fields_of_the_file() -> None:
    names = ("path", "folder", "format", "origin", "filename", "track", "disc", "year")
    found = template_fields({name: ["etc"] for name in names}, "nas", "x")
    assert found == {"origin": "nas", "filename": "x"}


@pytest.mark.parametrize(
    ("number", "total", "track"),
    [
        ("3", "", "03"),
        ("03", "", "03"),
        ("3/12", "", "03"),
        ("3/120", "", "003"),
        (" 3 / 12 ", "", "03"),
        ("3/", "", "03"),
        ("7", "104", "007"),
        ("7", "0012", "07"),
        ("7", "many", "07"),
        ("123", "", "123"),
        ("0", "", None),
        ("00/12", "", None),
        ("A1", "", None),
        ("-1", "", None),
        ("٣", "", None),
        ("1234567", "", None),
        ("", "", None),
    ],
)
def test_a_track_number_is_padded_to_two_digits_or_its_total(
    number: str, total: str, track: str | None
) -> None:
    assert fields(tracknumber=number, tracktotal=total).get("track") == track
    assert fields(tracknumber=number, totaltracks=total).get("track") == track


@pytest.mark.parametrize(
    ("number", "disc"), [("1", "1"), ("01", "1"), ("2/12", "02"), ("0", None), ("x", None)]
)
def test_a_disc_number_is_as_wide_as_its_total(number: str, disc: str | None) -> None:
    assert fields(discnumber=number).get("disc") == disc


@pytest.mark.parametrize(
    ("date", "year"),
    [
        ("1999", "1999"),
        ("1999-05-12", "1999"),
        ("19990512", "1999"),
        ("12/05/1999", "1999"),
        ("1999-05-12T10:00:00", "1999"),
        ("0000", None),
        ("99", None),
        ("123456", None),
        ("unknown", None),
    ],
)
def test_the_year_is_the_four_digits_of_a_date(date: str, year: str | None) -> None:
    assert fields(date=date).get("year") == year


def test_the_year_falls_back_to_the_original_date() -> None:
    assert fields(date="??", originaldate="1971-04").get("year") == "1971"
    assert fields(date="1987", originaldate="1971").get("year") == "1987"


@given(st.dictionaries(st.text(), st.lists(st.text())), st.text(min_size=1))
def test_any_tags_and_any_path_give_fields(tags: dict[str, list[str]], path: str) -> None:
    found = template_fields(tags, "nas", path)
    assert found["origin"] == "nas"
    assert all(name == name.lower() for name in found)


@given(st.integers(1, 999_999))
def test_a_padded_number_is_the_same_number(number: int) -> None:
    assert int(fields(tracknumber=str(number))["track"]) == number
