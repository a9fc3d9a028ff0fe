"""Templates: what they may say, and what a track's fields become."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.errors import ConfigError, TemplateError
from musefs.library.template import Template

DEFAULT = "$albumartist/[$year - ]$album/[$disc-]$track $title"
SONG = {
    "albumartist": "Artist",
    "year": "1999",
    "album": "Album",
    "disc": "1",
    "track": "03",
    "title": "Title",
}


def render(text: str, **fields: str) -> str:
    return "/".join(Template.parse(text).render(fields))


def test_the_default_template_gives_the_promised_path() -> None:
    assert Template.parse(DEFAULT).render(SONG) == ("Artist", "1999 - Album", "1-03 Title")


@pytest.mark.parametrize(
    ("missing", "path"),
    [
        ("year", "Artist/Album/1-03 Title"),
        ("disc", "Artist/1999 - Album/03 Title"),
        ("albumartist", "Unknown/1999 - Album/1-03 Title"),
        ("track", "Artist/1999 - Album/1- Title"),
    ],
)
def test_a_missing_field_takes_its_section_with_it_or_is_the_default(
    missing: str, path: str
) -> None:
    assert render(DEFAULT, **{k: v for k, v in SONG.items() if k != missing}) == path


def test_a_missing_number_leaves_no_blank_in_front() -> None:
    assert render("$track $title", title="Title") == "Title"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("${nothing|b|a}", "B"),
        ("${ nothing | a }", "A"),
        ("${nothing|none}", "Unknown"),
        ("${year|none}x", "x"),
        ("$a$b", "AB"),
        ("$A-$b", "A-B"),
        ("[$a[ ($nothing)]] end", "A end"),
        ("[$a[ ($b)]] end", "A (B) end"),
        ("[$nothing[$a]] end", "end"),
        ("[plain]", "plain"),
        ("[Disc $a/]$b", "Disc A/B"),
        ("[Disc $nothing/]$b", "B"),
        ("$$a $[$a$]", "$a [A]"),
        ("/$a//$b", "A/B"),
        (" $a /x", "A/x"),
        ("$a/[$nothing]", "A/"),
        ("$a/$blank", "A/Unknown"),
        ("100% {x} $a", "100% {x} A"),
    ],
)
def test_a_template_is_read_as_its_grammar_says(text: str, path: str) -> None:
    assert render(text, a="A", b="B", blank=" \t") == path


@pytest.mark.parametrize(
    ("text", "position", "reason"),
    [
        ("$", 1, "needs a field"),
        ("a $ b", 3, "needs a field"),
        ("${a", 1, "needs a field"),
        ("${a/b}", 1, "needs a field"),
        ("$1", 1, "needs a field"),
        ("x${}", 2, "needs names"),
        ("${a||b}", 1, "needs names"),
        ("$a]", 3, "never opened"),
        ("ab[$a[$b]", 3, "never closed"),
        ("[" * 17 + "]" * 17, 17, "nested more than 16 deep"),
    ],
)
def test_a_template_with_a_mistake_is_refused_at_its_position(
    text: str, position: int, reason: str
) -> None:
    with pytest.raises(TemplateError, match=rf"^template: position {position}: .*{reason}"):
        Template.parse(text)


@pytest.mark.parametrize("text", ["", "a" * 4097, "$artist/"])
def test_a_template_that_names_no_file_or_never_ends_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^template: ."):
        Template.parse(text)


def test_a_fallback_stands_in_and_only_one_step_far() -> None:
    template = Template.parse(
        "$AlbumArtist[ - $composer]", {"albumartist": ["Artist"], "artist": ["composer"]}
    )
    assert template.render({"artist": "A", "composer": "C"}) == ("A - C",)
    assert template.render({"composer": "C"}) == ("Unknown - C",)


def test_what_the_template_names_comes_before_the_fallbacks() -> None:
    template = Template.parse("${albumartist|composer}", {"albumartist": ["artist"]})
    assert template.render({"artist": "A", "composer": "C"}) == ("C",)


def test_a_track_without_a_title_takes_its_file_name() -> None:
    template = Template.parse("$title", {"title": ["work"]})
    assert template.render({"filename": "03 song"}) == ("03 song",)
    assert template.render({"filename": "03 song", "work": "Suite"}) == ("Suite",)


def test_the_default_word_is_the_configured_one() -> None:
    assert Template.parse("$genre", default="Other").render({}) == ("Other",)


@given(st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_a_value_is_inserted_once_and_never_expands_or_separates(value: str) -> None:
    rendered = Template.parse("<$title>/[$artist]|").render({"title": value, "artist": value})
    assert rendered == (f"<{value}>", f"{value}|".strip())


@given(st.text(alphabet="$[]{}|/ab_ ", max_size=30))
def test_any_text_is_parsed_or_refused_with_one_line(text: str) -> None:
    refused = ""
    try:
        *folders, file = Template.parse(text).render({"a": "/$b[", "b": "]"})
    except TemplateError as error:
        refused = str(error)
    if refused:
        assert re.fullmatch(r"template: .+", refused)
    else:
        assert all(folders)
        assert file == file.strip()


@given(st.text(alphabet=st.characters(exclude_characters="$[]/"), min_size=1))
def test_text_without_marks_is_itself(text: str) -> None:
    assert Template.parse(text).render({}) == (text.strip(),)
