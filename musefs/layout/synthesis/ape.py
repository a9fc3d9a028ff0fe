"""Re-tagged WavPack, Monkey's Audio and Musepack files: an APEv2 tag behind the audio.

The tag is written by hand, which takes less than having it parsed and rendered: items of fields
that stay are ranges of the backing file, whatever they hold. All other tags go, as they would tell
something else: ID3v1 and Lyrics3 behind the audio, a stray ID3v2 tag in front of it.
Source: https://wiki.hydrogenaud.io/index.php?title=APEv2_specification.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from musefs.layout.ape_items import read_ape
from musefs.layout.pictures import ape_picture_kind
from musefs.layout.ranged import RangedFile
from musefs.layout.segments import Art, Backing, Layout, Segment, Synthesised
from musefs.layout.synthesis.changes import changed_fields
from musefs.layout.synthesis.joining import joined
from musefs.layout.synthesis.own_names import own_name
from musefs.layout.synthesis.pairs import paired
from musefs.layout.tag_ends import skip_id3v2, tail_tags
from musefs.layout.tags import NO_TAGS, Tags, from_ape
from musefs.layout.vocabulary import BY_FIELD, field_of_ape
from musefs.layout.wish import Cover, Wish

_MAGIC = b"APETAGEX"
_FRAME_BYTES = 32
_VERSION = 2000
_HAS_HEADER, _IS_HEADER = 1 << 31, 1 << 29
_TEXT, _BINARY = 0, 1
_KEY_BYTES_MAX = 256
_COVER_KEY = "Cover Art (Front)"
_COVER_NAMES = {"image/jpeg": "cover.jpg", "image/png": "cover.png"}
_KEY = re.compile(r"[\x20-\x7e]{2,255}\Z")
_FORBIDDEN_KEYS = frozenset({"ID3", "TAG", "OGGS", "MP+"})


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of the backing file's tag, `start` to `end` in bytes."""

    key: str
    kind: int
    start: int
    end: int

    @property
    def is_picture(self) -> bool:
        return self.kind == _BINARY and self.key.lower().startswith("cover art")

    def range(self) -> Backing:
        return Backing(self.start, self.end - self.start)


def ape(file: RangedFile, wish: Wish) -> Layout:
    """Raises Need, Malformed."""
    start = skip_id3v2(file)
    tail = tail_tags(file, start)
    said, items = NO_TAGS, []
    if tail.ape is not None:
        said = from_ape(read_ape(file, *tail.ape).items)  # it raises for a tag beyond its bounds
        items = list(_items(file, *tail.ape))
    changed = changed_fields(said, wish.tags)
    kept = [item for item in items if _stays(item, changed, wish)]
    known = {field_of_ape(item.key): item.key for item in reversed(items)}
    written = list(_texts(wish.tags, changed, known))
    if wish.cover is not None:
        written.append(_picture(wish.cover))
    body: list[list[Segment]] = [[item.range()] for item in kept]
    return joined([Backing(start, tail.audio_end - start), *_tag(body + written)])


def _items(file: RangedFile, start: int, end: int) -> Iterator[_Item]:
    """The items of a tag that has been found to be whole."""
    position = start + (_FRAME_BYTES if file.at(start, len(_MAGIC)) == _MAGIC else 0)
    last = end - _FRAME_BYTES
    while position + 11 <= last:
        head = file.at(position, min(8 + _KEY_BYTES_MAX, last - position))
        size, flags = struct.unpack_from("<II", head)
        key_end = head.index(b"\0", 8)
        item_end = position + key_end + 1 + size
        yield _Item(head[8:key_end].decode("ascii", "replace"), flags >> 1 & 3, position, item_end)
        position = item_end


def _stays(item: _Item, changed: frozenset[str], wish: Wish) -> bool:
    if item.is_picture:
        return wish.keeps(ape_picture_kind(item.key))
    return item.kind == _BINARY or field_of_ape(item.key) not in changed


def _texts(tags: Tags, changed: frozenset[str], known: dict[str, str]) -> Iterator[list[Segment]]:
    """Items of UTF-8 text, several values parted by NUL. A field that can have no key is left out.

    A key that the file has for an own field is kept.
    """
    for field, values in paired({f: tags[f] for f in tags if f in changed}).items():
        names = BY_FIELD.get(field)
        key = names.ape or names.vorbis if names else known.get(field) or own_name(field)
        if _KEY.match(key) and key.upper() not in _FORBIDDEN_KEYS:
            text = "\0".join(values).encode()
            yield [Synthesised(_item_head(key, len(text), _TEXT) + text)]


def _picture(cover: Cover) -> list[Segment]:
    """A file name, NUL, the picture."""
    name = _COVER_NAMES.get(cover.mime, "cover").encode() + b"\0"
    head = _item_head(_COVER_KEY, len(name) + cover.length, _BINARY)
    return [Synthesised(head + name), Art(cover.id, 0, cover.length)]


def _item_head(key: str, size: int, kind: int) -> bytes:
    return struct.pack("<II", size, kind << 1) + key.encode("ascii") + b"\0"


def _tag(items: list[list[Segment]]) -> list[Segment]:
    if not items:
        return []
    parts = [segment for item in items for segment in item]
    size = sum(segment.length for segment in parts) + _FRAME_BYTES
    header, footer = (
        Synthesised(struct.pack("<8s4I8x", _MAGIC, _VERSION, size, len(items), flags))
        for flags in (_HAS_HEADER | _IS_HEADER, _HAS_HEADER)
    )
    return [header, *parts, footer]
