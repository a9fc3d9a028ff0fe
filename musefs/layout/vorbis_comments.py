"""Vorbis comments (Vorbis I specification, section 5), as FLAC, Vorbis, Opus and Speex carry them.

Parsed by hand, so that a hostile count costs nothing.
"""

from __future__ import annotations

import struct

from musefs.layout.pictures import Picture, vorbis_picture
from musefs.layout.ranged import Malformed

COMMENTS_MAX = 16_384
PICTURE_KEY = "metadata_block_picture"


def vorbis_comments(data: bytes) -> list[tuple[str, str]]:
    """(key, value) pairs in order, keys in lower case. Raises Malformed."""
    comments: list[tuple[str, str]] = []
    try:
        position = 4 + struct.unpack_from("<I", data)[0]
        (count,) = struct.unpack_from("<I", data, position)
        position += 4
        if count > COMMENTS_MAX:
            raise Malformed(f"has more than {COMMENTS_MAX} Vorbis comments")
        for _ in range(count):
            (length,) = struct.unpack_from("<I", data, position)
            text = data[position + 4 : position + 4 + length]
            if len(text) < length:
                raise Malformed("has Vorbis comments that are cut off")
            position += 4 + length
            key, equals, value = text.decode("utf-8", "replace").partition("=")
            if equals and key:
                comments.append((key.lower(), value))
    except struct.error as error:
        raise Malformed("has Vorbis comments that are cut off") from error
    return comments


def comment_pictures(comments: list[tuple[str, str]]) -> tuple[Picture, ...]:
    """The pictures among the comments."""
    found = (vorbis_picture(value) for key, value in comments if key == PICTURE_KEY)
    return tuple(picture for picture in found if picture is not None)
