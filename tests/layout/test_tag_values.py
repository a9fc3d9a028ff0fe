"""Which fields and values a user may give, and what becomes of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from musefs.errors import InvalidTags
from musefs.layout.tag_values import (
    FIELDS_MAX,
    LINE_BYTES_MAX,
    NUMBER_MAX,
    VALUE_BYTES_MAX,
    VALUES_MAX,
    checked,
)
from musefs.layout.tags import from_vorbis
from musefs.layout.vocabulary import BY_FIELD

NUMBERS = ("tracknumber", "discnumber", "movementnumber")
FREE = sorted(
    set(BY_FIELD)
    - {*NUMBERS, "tracktotal", "disctotal", "movementtotal", "bpm", "compilation"}
    - {"date", "originaldate", "releasedate", "originalyear"}
)


def refusal(field: str, *values: str) -> str:
    """The one line why this is refused."""
    with pytest.raises(InvalidTags) as caught:
        checked({field: values}, ())
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) < 300
    return line


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("title", "title"),
        (" Title\t", "title"),
        ("YEAR", "date"),
        ("track", "tracknumber"),
        ("TotalDiscs", "disctotal"),
        ("Album Artist", "albumartist"),
        ("unsyncedlyrics", "lyrics"),
        ("movement", "movement"),
        ("movementname", "movement"),
        ("MusicBrainz_AlbumType", "releasetype"),
    ],
)
def test_a_name_stands_for_its_field(name: str, field: str) -> None:
    value = "7" if field in ("date", "tracknumber", "disctotal") else "text"
    value = "2007" if field == "date" else value
    assert checked({name: [value]}, ()) == {field: (value,)}


def test_every_field_of_the_vocabulary_can_be_named_and_removed() -> None:
    names = list(BY_FIELD)
    assert checked(dict.fromkeys(names[:FIELDS_MAX], ()), ()) == dict.fromkeys(names, ())
    assert checked({"genre": ["", " \n "]}, ()) == {"genre": ()}


def test_a_field_outside_of_the_vocabulary_has_to_be_there() -> None:
    assert checked({"My Rating": ["5"]}, {"my rating"}) == {"my rating": ("5",)}
    assert refusal("my rating", "5").startswith("my rating: there is no such field: choose one")


def test_an_unknown_field_is_told_with_the_nearest_ones() -> None:
    line = refusal("albumartits", "x")
    assert line == (
        "albumartits: there is no such field: choose one such as albumartists, albumartist, "
        "albumartistsort"
    )
    assert refusal("trak", "1").endswith("such as tracktotal, tracknumber, work")
    with pytest.raises(InvalidTags, match="such as mood ring"):
        checked({"moodring": ["x"]}, {"mood ring"})
    for odd in ("", " ", "=", "\x1b[2J", "a" * 1_000_000, "\ud800", "\ud800" * 100):
        refusal(odd, "x")


def test_values_of_several_names_for_one_field_add_up() -> None:
    changes = {"label": ["A", "B"], "publisher": ["B", "C"], "Organization": []}
    assert checked(changes, ()) == {"label": ("A", "B", "C")}


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_may_come_with_its_total(number: str) -> None:
    total = number.replace("number", "total")
    assert checked({number: ["3"]}, ()) == {number: ("3",)}
    assert checked({number: ["03 / 012"]}, ()) == {number: ("3",), total: ("12",)}
    assert checked({number: ["3/12"], total: ["12"]}, ())[total] == ("12",)
    with pytest.raises(InvalidTags, match=f"^{total}: is given twice"):
        checked({number: ["3/12"], total: ["13"]}, ())
    with pytest.raises(InvalidTags, match=f"^{total}: is given twice"):
        checked({number: ["3/12"], total: []}, ())


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "-1",
        "3/",
        "/3",
        "/",
        "3/x",
        "3/4/5",
        "65536",
        "3/65536",
        "1.5",
        "1e3",
        "٣",
        "²",
        "1_0",
        "0x1",
        "9999999999",
    ],
)
def test_what_is_no_number_is_refused(value: str) -> None:
    assert "tra" in refusal("tracknumber", value)
    assert "tra" in refusal("tracknumber", value + "9" * 5000)
    if "/" not in value:
        assert "no whole number from 0 to 65535" in refusal("disctotal", value)


@given(st.integers(0, NUMBER_MAX), st.integers(0, NUMBER_MAX))
def test_every_number_that_fits_is_taken(number: int, total: int) -> None:
    assert checked({"track": [f"{number:03}/{total}"]}, ()) == {
        "tracknumber": (str(number),),
        "tracktotal": (str(total),),
    }


@pytest.mark.parametrize("field", ["tracknumber", "tracktotal", "bpm", "compilation"])
def test_a_field_that_is_one_number_takes_one_value(field: str) -> None:
    assert "has 2 values: give one value" in refusal(field, "0", "1")
    assert checked({field: ["1", "1"]}, ()) == {field: ("1",)}


def test_a_tempo_is_a_number() -> None:
    assert checked({"bpm": ["0128"]}, ()) == {"bpm": ("128",)}
    assert checked({"tempo": ["128.5"]}, ()) == {"bpm": ("128.5",)}
    for wrong in ("fast", "-3", "1e5", "65536", "12.", ".5", "nan"):
        assert "no number from 0 to 65535" in refusal("bpm", wrong)


@pytest.mark.parametrize(
    ("value", "flag"), [("1", "1"), ("TRUE", "1"), ("yes", "1"), ("0", "0"), ("no", "0")]
)
def test_a_flag_is_yes_or_no(value: str, flag: str) -> None:
    assert checked({"compilation": [value]}, ()) == {"compilation": (flag,)}


def test_a_flag_that_is_neither_is_refused() -> None:
    assert refusal("compilation", "maybe").endswith("maybe is neither yes nor no: give 1 or 0")


@given(st.datetimes(), st.sampled_from([4, 7, 10, 13, 16, 19]))
def test_every_timestamp_is_taken_at_every_precision(moment: object, length: int) -> None:
    text = str(moment).replace(" ", "T")[:length]
    for field in ("date", "originaldate", "releasedate"):
        assert checked({field: [text]}, ()) == {field: (text,)}


@pytest.mark.parametrize(
    "value",
    [
        *("99", "1999-1", "1999-13", "1999-00", "1999-02-29", "1999-04-31", "1999-01-00"),
        *("1999-01-01T24", "1999-01-01T10:60", "1999-01-01T10:00:60", "1999-01-01 10", "1999-"),
        *("19990101", "١٩٩٩", "1999-01-01T10:00:00Z", "yesterday", "1999/2000"),
    ],
)
def test_what_is_no_date_is_refused(value: str) -> None:
    assert "no date: give YYYY, YYYY-MM, YYYY-MM-DD or" in refusal("date", value)
    assert "no year: give YYYY" in refusal("originalyear", value)


def test_a_year_is_a_year() -> None:
    assert checked({"originalyear": ["1967"], "date": ["2000-02-29"]}, ()) == {
        "originalyear": ("1967",),
        "date": ("2000-02-29",),
    }


@pytest.mark.parametrize("character", [chr(c) for c in (*range(32), *range(127, 160))])
def test_control_characters_are_refused(character: str) -> None:
    line = refusal("title", f"a{character}b")
    assert f"control character U+{ord(character):04X}" in line
    if character in "\n\t\r":
        assert checked({"lyrics": [f"a{character}b"]}, ())
    else:
        assert "line breaks and tabs apart" in refusal("comment", f"a{character}b")


def test_line_breaks_are_those_of_unix() -> None:
    for field in ("lyrics", "comment", "description"):
        assert checked({field: ["a\r\nb\rc\n\td\r\n"]}, ()) == {field: ("a\nb\nc\n\td",)}


def test_a_lone_surrogate_is_refused() -> None:
    assert refusal("title", "caf\udce9") == ("title: caf\\udce9 is not valid Unicode: give UTF-8")


def test_values_fields_and_texts_have_bounds() -> None:
    longest = "ü" * (VALUE_BYTES_MAX // 2)
    assert checked({"lyrics": [longest]}, ()) == {"lyrics": (longest,)}
    assert refusal("lyrics", longest + "a") == (
        "lyrics: has a value of more than 512 KiB: make it shorter"
    )
    line = "x" * (LINE_BYTES_MAX // 2 - 1)
    assert checked({"genre": [line, line[1:] + "y"]}, ()) == {"genre": (line, line[1:] + "y")}
    assert refusal("genre", line, line + "y") == "genre: has more than 48 KiB: make it shorter"
    names = [str(number) for number in range(VALUES_MAX)]
    assert checked({"genre": names * 2}, ()) == {"genre": tuple(names)}
    assert "has 257 values: give at most 256" in refusal("genre", *names, "more")
    many = [f"field {number}" for number in range(FIELDS_MAX + 1)]
    with pytest.raises(InvalidTags, match="201 fields at once: give at most 200"):
        checked(dict.fromkeys(many, ()), many)


def test_a_large_text_of_many_scripts_is_checked_quickly() -> None:
    text = "ключ 鍵\u3000\n" * (VALUE_BYTES_MAX // 20)
    started_s = time.process_time()
    checked({"lyrics": [text]}, ())
    assert time.process_time() - started_s < 1.0


@given(st.dictionaries(st.sampled_from(FREE), st.lists(st.text(), max_size=4), max_size=6))
def test_what_passes_is_what_a_reader_tells(changes: dict[str, list[str]]) -> None:
    try:
        passed = checked(changes, ())
    except InvalidTags as error:
        event(str(error))
        return
    comments = [
        (BY_FIELD[field].vorbis, value) for field, values in passed.items() for value in values
    ]
    assert from_vorbis(comments) == {field: values for field, values in passed.items() if values}
    assert checked(passed, ()) == passed
