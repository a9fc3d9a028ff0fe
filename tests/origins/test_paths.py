"""Paths cannot lead out of a root, and any bytes survive as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origins import FileMissing
from origins.paths import Ancestry, acceptable, checked, decoded, encoded, left_out, lies_in


@given(st.binary())
def test_any_name_survives(raw: bytes) -> None:
    assert encoded(decoded(raw)) == raw


@pytest.mark.parametrize(
    "path", ["", ".", "..", "/etc/passwd", "a/../b", "a//b", "a/", "a/./b", "a\0b", "\ud800"]
)
def test_paths_that_no_file_can_have_are_refused(path: str) -> None:
    with pytest.raises(FileMissing):
        checked(path)


@given(st.lists(st.binary(min_size=1).filter(acceptable), min_size=1))
def test_every_path_of_acceptable_names_passes(names: list[bytes]) -> None:
    assert checked(decoded(b"/".join(names))) == b"/".join(names)


@pytest.mark.parametrize(
    ("root", "path", "inside"),
    [(b"/a", b"/a", True), (b"/a", b"/a/b", True), (b"/a", b"/ab", False), (b"/", b"/a", True),
     (b"/", b"/", True), (b"/a/", b"/a/b", True), (b"/a/b", b"/a", False)],
)  # fmt: skip
def test_what_lies_in_a_root(root: bytes, path: bytes, inside: bool) -> None:
    assert lies_in(root, path) is inside


def test_an_ancestry_knows_its_folders() -> None:
    folder = Ancestry("root").child("a").child("b")
    assert folder.depth == 2
    assert all(folder.holds(name) for name in ("root", "a", "b"))
    assert not folder.holds("c")


def test_a_few_folders_that_were_left_out_are_named() -> None:
    text = str(left_out(["a", "b\nb", "c", "d", "e"]))
    assert text.startswith(r"could not be read: 'a', 'b\nb', 'c' and 2 more: ")
