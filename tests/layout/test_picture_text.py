"""Ranges of a picture's base64 text."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musefs.layout.ogg_crc import mirrored
from musefs.layout.picture_text import MirroredTexts, raw_range, text, text_length
from musefs.layout.segments import ArtText
from musefs.model import PictureId

ID = PictureId(5)


@given(st.binary(min_size=1, max_size=50), st.data())
def test_a_range_of_the_text_is_made_from_a_range_of_the_picture(
    picture: bytes, data: st.DataObject
) -> None:
    whole = b64encode(picture)
    assert text_length(len(picture)) == len(whole)
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, len(whole)))
    part = ArtText(ID, start, end - start)
    offset, length = raw_range(part, len(picture))
    assert 0 < length <= (end - start) * 3 // 4 + 5
    assert offset + length <= len(picture)
    assert text(part, picture[offset : offset + length]) == whole[start:end]


def test_a_picture_that_is_too_short_is_an_error() -> None:
    part = ArtText(ID, 4, 8)
    assert raw_range(part, 9) == (3, 6)
    with pytest.raises(ValueError, match="shorter"):
        raw_range(part, 6)
    with pytest.raises(ValueError, match="fewer"):
        text(part, b"abc")


def test_texts_are_remembered_within_bounds() -> None:
    texts = MirroredTexts(bytes_max=150)
    first = texts.of(ID, b"a" * 30)
    assert b"".join(first) == mirrored(b64encode(b"a" * 30))
    assert texts.of(ID, b"a" * 30) is first
    second = texts.of(PictureId(6), b"b" * 30)
    assert texts.of(ID, b"a" * 30) is first
    # 70 bytes each, with the picture: the one that was used longest ago goes.
    texts.of(PictureId(7), b"c" * 30)
    assert texts.of(ID, b"a" * 30) is first
    assert texts.of(PictureId(6), b"b" * 30) is not second
    large = texts.of(PictureId(8), b"d" * 90)
    assert texts.of(PictureId(8), b"d" * 90) == large
    assert texts.of(PictureId(8), b"d" * 90) is not large


@pytest.mark.parametrize("size", [0, 1, 49_152, 49_153, 200_000])
def test_the_parts_of_a_text_are_the_text(size: int) -> None:
    picture = bytes(number * 7 % 251 for number in range(size))
    parts = MirroredTexts().of(ID, picture)
    assert b"".join(parts) == mirrored(b64encode(picture))


def test_another_picture_of_the_same_id_and_length_has_a_text_of_its_own() -> None:
    texts = MirroredTexts()
    assert texts.of(ID, b"aaa") != texts.of(ID, b"bbb")
