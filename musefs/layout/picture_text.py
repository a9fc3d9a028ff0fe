"""The base64 text of given pictures (RFC 4648 section 4): ranges of it, and the text for checksums.

A range of the text is made from the few bytes that it stands for. The checksum of an Ogg page needs
all of it, mirrored; as the tracks of an album share their cover, the last few texts are kept.
"""

from __future__ import annotations

from binascii import b2a_base64
from collections import OrderedDict
from collections.abc import Iterator
from threading import Lock

from musefs.layout.ogg_crc import mirrored_view
from musefs.layout.segments import ArtText
from musefs.model import PictureId

TEXTS_BYTES_MAX = 32 << 20
_GROUP_BYTES = 48 << 10


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
    """The mirrored texts of the pictures that were used last.

    As many are kept as fit in `bytes_max`, together with their pictures.
    """

    def __init__(self, bytes_max: int = TEXTS_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._texts: OrderedDict[PictureId, tuple[bytes, tuple[memoryview, ...]]] = OrderedDict()
        self._lock = Lock()

    def of(self, picture: PictureId, data: bytes) -> tuple[memoryview, ...]:
        """The text of the whole picture in parts, mirrored as `ogg_crc` has it."""
        with self._lock:
            known = self._texts.get(picture)
            # To compare is cheap, and makes a wrong text impossible, whatever the caller's ids are.
            if known is not None and known[0] == data:
                self._texts.move_to_end(picture)
                return known[1]
        made = tuple(map(mirrored_view, _text_in_parts(data)))
        self._keep(picture, data, made)
        return made

    def _keep(self, picture: PictureId, data: bytes, made: tuple[memoryview, ...]) -> None:
        with self._lock:
            if picture in self._texts:
                self._bytes -= _size(self._texts.pop(picture))
            kept = data, made
            if _size(kept) > self._bytes_max:
                return
            self._texts[picture] = kept
            self._bytes += _size(kept)
            while self._bytes > self._bytes_max:
                self._bytes -= _size(self._texts.popitem(last=False)[1])


def _size(kept: tuple[bytes, tuple[memoryview, ...]]) -> int:
    return len(kept[0]) + sum(map(len, kept[1]))


def _text_in_parts(data: bytes) -> Iterator[bytes]:
    """Of whole groups of three bytes each, but for the last."""
    view = memoryview(data)
    for start in range(0, len(data), _GROUP_BYTES):
        yield b2a_base64(view[start : start + _GROUP_BYTES], newline=False)
