"""Extensions and magic numbers."""

from __future__ import annotations

import pytest

from musefs.layout.formats import EXTENSIONS, Format, format_of, sniff, tail_bytes
from tests.lab.samples import SAMPLE_NAMES, shared_samples

ACTUAL = {"flac.oga": Format.OGGFLAC}
MAGIC_BEHIND_ID3 = b"ID3\4\0\0\0\0\0\x0a" + bytes(10)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.flac", Format.FLAC),
        ("A.FLAC", Format.FLAC),
        ("x.y.m4b", Format.MP4),
        ("folder.d/track.mp+", Format.MUSEPACK),
        (".mp3", Format.MP3),
        ("a.mka", Format.OTHER),
        ("cover.jpg", None),
        ("flac", None),
        ("a.flac/notes", None),
        ("", None),
    ],
)
def test_a_name_claims_a_format(name: str, expected: Format | None) -> None:
    assert format_of(name) is expected


def test_every_format_but_ogg_flac_has_an_extension() -> None:
    # Ogg FLAC shares its extension with Vorbis: only its first packet tells.
    assert set(Format) - set(EXTENSIONS.values()) == {Format.OGGFLAC}


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_every_sample_is_recognised_by_its_first_bytes(name: str) -> None:
    head = shared_samples()[name].read_bytes()[: 64 << 10]
    expected = ACTUAL.get(name) or format_of(name)
    assert sniff(head) is expected
    assert sniff(b"") is None


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (MAGIC_BEHIND_ID3 + b"fLaC", Format.FLAC),
        (MAGIC_BEHIND_ID3 + b"TTA1", Format.TTA),
        (MAGIC_BEHIND_ID3 * 2 + b"MAC ", Format.APE),
        (MAGIC_BEHIND_ID3, Format.MP3),
        (b"ID3\4\0\0\0\x7f\0\0", Format.MP3),
        (b"ID3", None),
        (b"\xff\xf1\x50\x80", Format.AAC),
        (b"\xff\xfb\x90\x64", Format.MP3),
        (b"\xff\xd8\xff\xe0", None),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"OggS\0\2" + bytes(20) + b"\1\x1e\x80theora", None),
        (b"OggS", None),
        (b"%PDF-1.7", None),
    ],
)
def test_magic_numbers_tell_the_format(head: bytes, expected: Format | None) -> None:
    assert sniff(head) is expected


def test_only_formats_with_tags_at_the_end_want_a_long_tail() -> None:
    assert tail_bytes(Format.MP3) == 16 << 10
    assert tail_bytes(Format.FLAC) == 0
    assert tail_bytes(None) == 0
