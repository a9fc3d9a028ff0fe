"""Pictures that a user gives as covers: what they are, and whether they are whole.

The picture is never decoded, so a small file that would be a huge picture costs no more than its
bytes. Pillow reads the head, and checks the chunks of a PNG; it checks nothing of a JPEG without
decoding it, so the markers of one (ITU-T T.81 annex B) are followed to its end here.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from io import BytesIO

from musefs.errors import InvalidImage

IMAGE_BYTES_MAX = 10 << 20
PIXELS_MAX = 50_000_000

_SEGMENTS_MAX = 2000
_JUNK_BYTES_MAX = 256
_CHUNKS_MAX = 20_000
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_OTHERS = (
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"RIFF....WEBP", "WebP"),
    (b"....ftypavif", "AVIF"),
    (b"....ftyphei", "HEIC"),
    (b"....ftypmif1", "HEIC"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (rb"\s*<(\?xml|svg)", "SVG"),
)
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xdf\xe0-\xef\xfe]")
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA


@dataclass(frozen=True, slots=True)
class Image:
    """What a picture is: its media type, width and height in pixels."""

    mime: str
    width: int
    height: int


def examine(data: bytes) -> Image:
    """What this picture is. What follows its end does not matter. Raises InvalidImage."""
    see_that_it_is_small(len(data))
    if data.startswith(_JPEG):
        kind, mime, whole = "JPEG", "image/jpeg", _is_whole_jpeg(data)
    elif data.startswith(_PNG):
        kind, mime, whole = "PNG", "image/png", _is_whole_png(data)
    else:
        raise InvalidImage(f"the picture is {_kind(data)}, not JPEG or PNG: convert it")
    size = _size(data, kind) if whole else None
    if size is None:
        raise InvalidImage(f"the picture is a {kind} that is cut off or damaged: take another copy")
    width, height = size
    if width * height > PIXELS_MAX:
        raise InvalidImage(
            f"the picture has {width} × {height} pixels, at most {PIXELS_MAX // 1_000_000} "
            "megapixels: make it smaller"
        )
    return Image(mime, width, height)


def see_that_it_is_small(length: int) -> None:
    """See that a picture of so many bytes can be taken. Raises InvalidImage."""
    if length > IMAGE_BYTES_MAX:
        raise InvalidImage(
            f"the picture has {length / (1 << 20):.1f} MiB, at most {IMAGE_BYTES_MAX >> 20} MiB: "
            "make it smaller"
        )


def _kind(data: bytes) -> str:
    if not data:
        return "empty"
    for start, kind in _OTHERS:
        if re.match(start.replace(b"*", rb"\*") if kind == "TIFF" else start, data, re.DOTALL):
            return kind
    return "of an unknown kind"


def _size(data: bytes, kind: str) -> tuple[int, int] | None:
    """Width and height, when head (and of a PNG, the rest) is in order."""
    # Imported here: it takes a while, and most processes never see a picture.
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile

    try:
        image = (JpegImageFile if kind == "JPEG" else PngImageFile)(BytesIO(data))
        image.verify()
    # What Pillow's parsers raise on what is not in order.
    except (SyntaxError, OSError, ValueError, LookupError, AssertionError, struct.error):
        return None
    return image.size


def _is_whole_jpeg(data: bytes) -> bool:
    """Whether the markers lead to the end of the image."""
    place, behind = len(_JPEG) - 1, len(_JPEG) + _JUNK_BYTES_MAX
    for _ in range(_SEGMENTS_MAX):
        found = _MARKER.search(data, place, behind)
        if found is None:
            return False
        marker = data[found.end() - 1]
        if marker == _END_OF_IMAGE:
            return True
        place = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
        # A scan's data follow its header and have no length; in them only RSTn and stuffing begin
        # with 0xFF, which are not looked for.
        behind = len(data) if marker == _START_OF_SCAN else place + _JUNK_BYTES_MAX
    return False


def _is_whole_png(data: bytes) -> bool:
    """Whether not too many chunks lead to IEND (W3C PNG, section 5)."""
    place = len(_PNG)
    for _ in range(_CHUNKS_MAX):
        if place + 12 > len(data):
            return False
        if data[place + 4 : place + 8] == b"IEND":
            return True
        place += 12 + int.from_bytes(data[place : place + 4])
    return False
