"""Which files belong to the library."""

from __future__ import annotations

import os

import pytest

from musefs.indexing.selecting import Selection


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.flac", "audio"),
        ("x/y/A.FLAC", "audio"),
        ("cover.flac", "audio"),
        (".hidden.mp3", "audio"),
        (os.fsdecode(b"caf\xe9.mp3"), "audio"),
        ("x/Cover.JPG", "sidecar"),
        ("disc.Cue", "sidecar"),
        ("[a].txt", "sidecar"),
        ("xcover.jpg", None),
        ("cover", None),
        ("cover.jpg/readme", None),
        ("x/._a.flac", None),
        ("._cover.jpg", None),
        ("flac", None),
        ("", None),
    ],
)
def test_a_file_is_told_by_its_name(path: str, kind: str | None) -> None:
    assert Selection(["COVER.*", "*.cue", "[[]a].txt"]).kind_of(path) == kind


def test_without_patterns_there_are_no_sidecars() -> None:
    selection = Selection([])
    assert (selection.kind_of("cover.jpg"), selection.kind_of("a.ogg")) == (None, "audio")
