"""The base64 text of given pictures (RFC 4648 section 4): ranges of it, and the text for checksums.

A range of the text is made from the few bytes that it stands for. The checksum of an Ogg page needs
all of it, mirrored; as the tracks of an album share their cover, the last few texts are kept.
"""

from __future__ import annotations

import zlib
from binascii import b2a_base64
from collections import OrderedDict
from threading import Lock

from musefs.layout.ogg_crc import mirrored
from musefs.layout.segments import ArtText
from musefs.model import PictureId

TEXTS_BYTES_MAX = 32 << 20


def text_length(picture_length: int) -> int:
    """How many characters the text of a picture of so many bytes has."""
    return -(-picture_length // 3) * 4


def raw_range(part: ArtText, picture_length: int) -> tuple[int, int]:
    """(offset, length) of the picture's bytes that these characters are made from.

    Raises ValueError when the picture's text does not reach so far.
    """
    end = part.offset + part.length
    if end > text_length(picture_length):
        raise ValueError("the picture is shorter than its text should be")
    start = part.offset // 4 * 3
    return start, min(-(-end // 4) * 3, picture_length) - start


def text(part: ArtText, raw: bytes) -> bytes:
    """The characters, from the bytes of `raw_range`. Raises ValueError for too few bytes."""
    skipped = part.offset % 4
    characters = b2a_base64(raw, newline=False)[skipped : skipped + part.length]
    if len(characters) < part.length:
        raise ValueError("the bytes are fewer than the text is made from")
    return characters


class MirroredTexts:
    """The mirrored texts of the pictures that were used last, as many as fit in `bytes_max`."""

    def __init__(self, bytes_max: int = TEXTS_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._texts: OrderedDict[tuple[PictureId, int, int], bytes] = OrderedDict()
        self._lock = Lock()

    def of(self, picture: PictureId, data: bytes) -> bytes:
        """The text of the whole picture, mirrored as `ogg_crc` has it."""
        # The checksum is cheap, and makes a wrong text impossible, whatever the caller's ids are.
        key = (picture, len(data), zlib.crc32(data))
        with self._lock:
            found = self._texts.get(key)
            if found is not None:
                self._texts.move_to_end(key)
                return found
        made = mirrored(b2a_base64(data, newline=False))
        self._keep(key, made)
        return made

    def _keep(self, key: tuple[PictureId, int, int], made: bytes) -> None:
        if len(made) > self._bytes_max:
            return
        with self._lock:
            self._bytes += len(made) - len(self._texts.pop(key, b""))
            self._texts[key] = made
            while self._bytes > self._bytes_max:
                self._bytes -= len(self._texts.popitem(last=False)[1])
