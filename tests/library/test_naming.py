"""Names are safe for every filesystem, whatever the tags say."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.library.naming import (
    NAME_BYTES_MAX,
    NamingRules,
    file_name,
    fold,
    number_of,
    numbered,
    safe_component,
    unique_name,
    virtual_path,
)
from musefs.library.template import Template

UNIX = NamingRules()
WINDOWS = NamingRules(names="windows")
ANY_CASE = NamingRules(case_insensitive=True)

any_text = st.text(st.characters(), max_size=400) | st.text(
    "./ \0\ude00\u0301a~CON¹é", max_size=400
)
some_rules = st.sampled_from([UNIX, WINDOWS])


def assert_safe(name: str, rules: NamingRules) -> None:
    assert 0 < len(name.encode("utf-8")) <= NAME_BYTES_MAX
    assert not name.startswith(".")
    assert name == name.strip()
    assert not re.search("[\0-\x1f\x7f-\x9f/\u2028\u2029]", name)
    assert unicodedata.is_normalized("NFC", name)
    assert safe_component(name, rules) == name
    if rules.names == "windows":
        assert not re.search(r'[<>:"\\|?*]|[. ]$', name)
        assert not re.fullmatch(r"(?i)(CON|PRN|AUX|NUL|COM[0-9¹²³]|LPT[0-9¹²³])( *\..*)?", name)


@given(any_text, some_rules)
def test_any_text_becomes_a_safe_name(text: str, rules: NamingRules) -> None:
    assert_safe(safe_component(text, rules), rules)


@given(any_text, any_text, some_rules)
def test_any_stem_and_extension_become_a_safe_file_name(
    stem: str, extension: str, rules: NamingRules
) -> None:
    assert_safe(file_name(stem, extension, rules), rules)


@given(any_text, some_rules, st.integers(0, 40))
def test_a_unique_name_is_free_and_safe(text: str, rules: NamingRules, count: int) -> None:
    names: set[str] = set()
    for _ in range(count):
        name = unique_name(safe_component(text, rules), names.__contains__)
        assert name not in names
        assert_safe(name, rules)
        names.add(name)


@given(st.sets(st.integers(2, 70)))
def test_a_unique_name_is_free_even_among_gaps(numbers: set[int]) -> None:
    names = {"a.flac"} | {f"a ({number}).flac" for number in numbers}
    assert unique_name("a.flac", names.__contains__) not in names


@pytest.mark.parametrize(
    ("text", "unix", "windows"),
    [
        ("AC/DC", "AC_DC", "AC_DC"),
        ("a\0b\nc\x85d\u2028e\x7f", "a_b_c_d_e_", "a_b_c_d_e_"),
        (".", "_", "_"),
        ("..", "_.", "_"),
        ("...And Justice", "_..And Justice", "_..And Justice"),
        ("Wait...", "Wait...", "Wait"),
        ("  padded\u3000", "padded", "padded"),
        ("", "_", "_"),
        (" ", "_", "_"),
        ("e\u0301", "é", "é"),
        ('What? <a>: "b"*|\\', 'What? <a>: "b"*|\\', "What_ _a__ _b____"),
        ("con", "con", "con_"),
        ("NUL.txt", "NUL.txt", "NUL_.txt"),
        ("LPT¹ .x", "LPT¹ .x", "LPT¹_ .x"),
        ("COM10", "COM10", "COM10"),
        ("Console", "Console", "Console"),
        ("100%", "100%", "100%"),
        (os.fsdecode(b"caf\xe9"), "caf%E9", "caf%E9"),
        ("\ud800x", "_x", "_x"),
    ],
)
def test_a_name_stays_as_close_as_the_rules_allow(text: str, unix: str, windows: str) -> None:
    assert safe_component(text, UNIX) == unix
    assert safe_component(text, WINDOWS) == windows


def test_names_that_are_not_utf8_are_kept_apart() -> None:
    names = {safe_component(os.fsdecode(bytes([byte])), UNIX) for byte in range(0x80, 0x100)}
    assert len(names) == 128


def test_a_byte_that_becomes_text_takes_no_accent_of_the_text_after_it() -> None:
    name = safe_component("\udcff\u0307", UNIX)
    assert unicodedata.is_normalized("NFC", name)


def test_a_long_name_is_cut_in_front_of_a_whole_character() -> None:
    assert safe_component("é" * 200, UNIX) == "é" * 127
    assert safe_component("a" * 254 + "q\u0323", UNIX) == "a" * 254
    family = "\U0001f468\u200d\U0001f469"
    assert safe_component("a" * 246 + family, UNIX) == "a" * 246
    assert safe_component("a" * 248 + family, UNIX) == "a" * 248


def test_a_name_of_nothing_but_marks_is_cut_all_the_same() -> None:
    assert safe_component("\u0323" * 200, UNIX) == "\u0323" * 127


def test_a_cut_leaves_no_blank_and_no_device_at_the_end() -> None:
    assert safe_component("a" * 250 + " " * 10 + "b", UNIX) == "a" * 250
    assert safe_component("CON" + " " * 300 + "b", WINDOWS) == "CON_"
    assert len(safe_component("CON." + "a" * 251, WINDOWS)) == 255


@pytest.mark.parametrize(
    ("stem", "extension", "name"),
    [
        ("Title", "flac", "Title.flac"),
        ("Title", ".flac", "Title.flac"),
        ("Title", "", "Title"),
        ("Title", "..", "Title"),
        ("", "mp3", "_.mp3"),
        ("x" * 300, "flac", "x" * 250 + ".flac"),
        ("Title", "e/x\0t", "Title.e_x_t"),
        ("Title", "y" * 99, "Title." + "y" * 16),
    ],
)
def test_the_extension_survives(stem: str, extension: str, name: str) -> None:
    assert file_name(stem, extension, UNIX) == name


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("a.flac", "a (2).flac"),
        ("a", "a (2)"),
        ("Wait...", "Wait... (2)"),
        ("a.b c", "a.b c (2)"),
        ("x" * 250 + ".flac", "x" * 246 + " (2).flac"),
        ("x" * 245 + " yyyy.flac", "x" * 245 + " (2).flac"),
    ],
)
def test_a_collision_is_numbered_before_the_extension(name: str, second: str) -> None:
    assert unique_name(name, set[str]().__contains__) == name
    assert unique_name(name, {name}.__contains__) == second


@given(any_text, some_rules, st.integers(2, 10**9 - 1))
def test_a_number_in_a_name_can_be_read_back(text: str, rules: NamingRules, number: int) -> None:
    name = file_name(text, "flac", rules)
    assert number_of(numbered(name, number)) == number
    assert numbered(name, 1) == name


@pytest.mark.parametrize("name", ["a.flac", "a", "a (b).flac", "a(2)", "a (02)", "a (0).flac"])
def test_a_name_without_a_number_counts_as_the_first(name: str) -> None:
    assert number_of(name) == 1


def test_a_thousand_collisions_get_consecutive_numbers_with_few_questions() -> None:
    names: set[str] = set()
    asked = 0

    def taken(name: str) -> bool:
        nonlocal asked
        asked += 1
        return name in names

    for _ in range(1000):
        names.add(unique_name("a.flac", taken))
    assert names == {"a.flac"} | {f"a ({number}).flac" for number in range(2, 1001)}
    assert asked < 25_000


def test_names_collide_by_case_only_when_the_tree_is_case_insensitive() -> None:
    assert fold("Straße", ANY_CASE) == fold("STRASSE", ANY_CASE)
    assert fold("É", ANY_CASE) == fold("é", ANY_CASE)
    assert fold("A", UNIX) != fold("a", UNIX)


@given(any_text)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text, ANY_CASE), ANY_CASE) == fold(text, ANY_CASE)


def test_a_track_appears_where_its_template_says() -> None:
    template = Template.parse("$artist/$album/$track $title")
    tags = {"artist": "AC/DC", "album": "..", "track": "01", "title": "$album [x]"}
    path = virtual_path(template, tags, "flac", UNIX)
    assert path == ("AC_DC", "_.", "01 $album [x].flac")


@given(any_text, some_rules)
def test_every_part_of_a_virtual_path_is_safe(text: str, rules: NamingRules) -> None:
    template = Template.parse("$artist/[$album/]$title")
    fields = {"artist": text, "album": text, "title": text}
    path = virtual_path(template, fields, "ogg", rules)
    assert path[-1].endswith(".ogg")
    for name in path:
        assert_safe(name, rules)


def test_the_disk_below_the_tests_takes_such_names(tmp_path: Path) -> None:
    for text in ("é" * 300, "..", "\udcff\0/", "a" * 254 + "q\u0323"):
        (tmp_path / file_name(text, "flac", UNIX)).touch(exist_ok=False)
