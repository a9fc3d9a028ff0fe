"""Which pictures are taken as covers, and what is said about the others."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import zlib
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from musefs.errors import InvalidImage
from musefs.layout.images import IMAGE_BYTES_MAX, Image, examine

SIZE = (60, 40)
SAVED: dict[str, dict[str, Any]] = {
    "JPEG": {},
    "progressive JPEG": {"progressive": True},
    "JPEG with EXIF": {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"},
    "JPEG with a profile": {"icc_profile": b"profile" * 20_000},
    "PNG": {},
}


@cache
def picture(kind: str, mode: str = "RGB") -> bytes:
    """A picture of noise, so that its data has every byte."""
    noise = Pillow.frombytes("RGB", SIZE, bytes(i * i % 251 for i in range(60 * 40 * 3)))
    out = BytesIO()
    noise.convert(mode).save(out, "PNG" if "PNG" in kind else "JPEG", **SAVED.get(kind, {}))
    return out.getvalue()


def refusal(image: bytes) -> str:
    """The one line why a picture is refused."""
    with pytest.raises(InvalidImage) as caught:
        examine(image)
    assert str(caught.value).isprintable()
    return str(caught.value)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *more: bytes) -> bytes:
    """A PNG that claims this size, with one row of data."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", SAVED)
@pytest.mark.parametrize("behind", [b"", b"\0", b"junk \xff\xd8\xff" * 1000])
def test_a_whole_picture_is_known_whatever_follows_it(kind: str, behind: bytes) -> None:
    mime = "image/png" if kind == "PNG" else "image/jpeg"
    assert examine(picture(kind) + behind) == Image(mime, *SIZE)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpegs_of_every_colour_space_are_known(mode: str) -> None:
    assert examine(picture("JPEG", mode)) == Image("image/jpeg", *SIZE)


@pytest.mark.parametrize("kind", SAVED)
def test_a_picture_that_is_cut_off_anywhere_is_refused(kind: str) -> None:
    whole = picture(kind)
    step = max(1, len(whole) // 500)
    for end in (*range(8, len(whole), step), len(whole) - 1):
        name = kind.split()[-1 if kind.startswith("progressive") else 0]
        assert refusal(whole[:end]) == (
            f"the picture is a {name} that is cut off or damaged: take another copy"
        )


def test_a_png_with_a_flipped_bit_in_its_data_is_refused() -> None:
    damaged = bytearray(picture("PNG"))
    damaged[len(damaged) // 2] ^= 1
    assert "cut off or damaged" in refusal(bytes(damaged))


@pytest.mark.parametrize(
    ("start", "told"),
    [
        (b"", "the picture is empty, not JPEG or PNG: convert it"),
        (b"GIF89a", "the picture is GIF,"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "the picture is WebP,"),
        (b"II*\0", "the picture is TIFF,"),
        (b"\0\0\0\x1cftypheic", "the picture is HEIC,"),
        (b"<?xml version='1.0'?><svg/>", "the picture is SVG,"),
        (b"%PDF-1.7", "the picture is of an unknown kind,"),
        (b"\xff\xd8\xff", "the picture is a JPEG that is cut off"),
        (b"\x89PNG\r\n\x1a\n", "the picture is a PNG that is cut off"),
    ],
)
def test_what_is_no_picture_that_is_taken_is_named(start: bytes, told: str) -> None:
    assert refusal(start).startswith(told)


def test_a_file_that_is_too_large_says_how_large_it_may_be() -> None:
    whole = picture("JPEG")
    assert examine(whole.ljust(IMAGE_BYTES_MAX, b"\0"))
    assert refusal(bytes(20 << 20)) == ("the picture has 20.0 MiB, at most 10 MiB: make it smaller")


def test_a_picture_of_too_many_pixels_is_refused_without_being_decoded() -> None:
    assert examine(png(10_000, 5_000)) == Image("image/png", 10_000, 5_000)
    assert refusal(png(10_000, 5_001)) == (
        "the picture has 10000 × 5001 pixels, at most 50 megapixels: make it smaller"
    )
    assert "2147483647 × 2147483647" in refusal(png((1 << 31) - 1, (1 << 31) - 1))
    assert "cut off or damaged" in refusal(png(0, 5))
    head = picture("JPEG")
    frame = head.index(b"\xff\xc0")
    huge = head[: frame + 5] + b"\xff\xff\xff\xff" + head[frame + 9 :]
    assert "65535 × 65535 pixels" in refusal(huge)


def test_text_that_inflates_to_gigabytes_is_not_inflated() -> None:
    bomb = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 << 20), 9))
    assert "cut off or damaged" in refusal(png(10, 10, bomb))


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xd8\xff" + b"\xff" * (IMAGE_BYTES_MAX - 3),
        b"\xff\xd8" + b"\xff\xe0\0\x02" * (IMAGE_BYTES_MAX // 4 - 1),
        b"\xff\xd8" + b"\xff\xda\0\x02" * (IMAGE_BYTES_MAX // 4 - 1),
        b"\xff\xd8\xff\xda\0\x02" + b"\xff\0" * (IMAGE_BYTES_MAX // 2 - 3),
        b"\xff\xd8\xff\xe0\0\0" + bytes(IMAGE_BYTES_MAX - 6),
        b"\xff\xd8" + b"\xff\xc4\0\x02" * 1990 + b"\xff\xd9",
        b"\x89PNG\r\n\x1a\n" + chunk(b"tEXt", b"") * (IMAGE_BYTES_MAX // 12 - 1),
        png(1, 1, *[chunk(b"tEXt", b"a\0" + b"b" * 480)] * 19_000),
    ],
    ids=["fill", "segments", "scans", "stuffing", "no length", "tables", "chunks", "texts"],
)
def test_hostile_pictures_cost_little(body: bytes) -> None:
    started_s = time.process_time()
    refusal(body) if body[-8:-4] != b"IEND" else examine(body)
    assert time.process_time() - started_s < 1.0


@pytest.mark.filterwarnings("default")
@given(st.sampled_from(sorted(SAVED)), st.data())
def test_damage_is_refused_or_does_not_matter_but_never_an_error(
    kind: str, drawn: st.DataObject
) -> None:
    damaged = bytearray(picture(kind))
    for _ in range(drawn.draw(st.integers(1, 8))):
        place = drawn.draw(st.integers(0, min(len(damaged) - 1, 2000)))
        damaged[place] = drawn.draw(st.integers(0, 255))
    with suppress(InvalidImage):
        assert examine(bytes(damaged)).width


def test_pillow_is_imported_for_a_picture_only() -> None:
    asked = "import sys, musefs.layout.images; print('PIL' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert done.stdout == "False\n"
