"""Queries in words: what they are understood as, what they match, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.errors import InvalidQuery
from musefs.library.query import QUERY_CHARACTERS_MAX, TERMS_MAX, Term, parse

TAGS = {"artist": ["Miles Davis", "Bill Evans"], "title": ["Blue in Green"], "genre": ["Jazz"]}


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("blue", [Term(None, "blue")]),
        ("  Blue   GREEN ", [Term(None, "blue"), Term(None, "green")]),
        ('artist:"Miles Davis" blue', [Term("artist", "miles davis"), Term(None, "blue")]),
        ('"Miles: The Second"', [Term(None, "miles: the second")]),
        ("Year:1959", [Term("date", "1959")]),
        ('"album artist"', [Term(None, "album artist")]),
        ("TRÄUME", [Term(None, "träume")]),
        ("Tra\u0308ume", [Term(None, "träume")]),
        ("Straße", [Term(None, "strasse")]),
        (":x", [Term(None, ":x")]),
    ],
)
def test_a_query_is_understood(query: str, terms: list[Term]) -> None:
    assert list(parse(query)) == terms


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('""', "nothing in it"),
        ('artist:"Miles', "never closed"),
        ('blue"', "never closed"),
        ("artist:", "has no value"),
        ('artist:""', "has no value"),
        ("artits:miles", "no such field: choose one such as artist"),
        ("12:30", "no such field"),
        ("x" * (QUERY_CHARACTERS_MAX + 1), "at most 1000"),
        ("x " * (TERMS_MAX + 1), "at most 20"),
    ],
)
def test_what_is_no_query_is_refused_in_one_line(query: str, text: str) -> None:
    with pytest.raises(InvalidQuery, match=text) as told:
        parse(query)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("query", "matches"),
    [
        ("blue", True),
        ("BLUE jazz evans", True),
        ("blue rock", False),
        ("title:blue artist:davis", True),
        ("artist:blue", False),
        ('artist:"davis bill"', False),
        ("album:blue", False),
    ],
)
def test_a_track_needs_all_terms(query: str, matches: bool) -> None:
    assert all(term.is_in(TAGS) for term in parse(query)) is matches


@given(st.text(alphabet='ab: "é\t', max_size=20))
def test_any_text_is_understood_or_refused(query: str) -> None:
    try:
        terms = parse(query)
    except InvalidQuery:
        return
    assert terms
    assert all(term.text == term.text.strip() != "" for term in terms)
