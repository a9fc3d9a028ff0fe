"""Re-tagged ASF files (Windows Media Audio).

mutagen renders the header anew, in memory and without its pictures, which are put in afterwards.
The data and index objects behind the header name no places in the file, so they follow as one range
of the backing file. The header tells the size of the whole file, which is corrected.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BytesIO

from mutagen.asf import ASF

from musefs.layout.asf_objects import (
    FILE_PROPERTIES,
    AsfHeader,
    asf_header,
    without_pictures,
)
from musefs.layout.pictures import FRONT_COVER
from musefs.layout.ranged import RangedFile, in_memory
from musefs.layout.segments import Art, Backing, Layout, Synthesised
from musefs.layout.synthesis.asf_fields import set_attributes
from musefs.layout.synthesis.asf_pictures import Value, record_bytes, with_pictures
from musefs.layout.synthesis.joining import joined
from musefs.layout.tags import Tags
from musefs.layout.wish import Cover, Wish, aligned_padding

_FILE_ID_BYTES = 16


def asf(file: RangedFile, wish: Wish) -> Layout:
    """Raises Need, Malformed and what mutagen raises."""
    header = asf_header(file)
    pictures = [*_kept(file, header, wish)]
    if wish.cover is not None:
        pictures.insert(0, _given(wish.cover))
    added_bytes = record_bytes(pictures)
    rendered = _rendered(file, header, wish.tags, added_bytes)
    audio_bytes = file.size - header.end
    stated = with_size(rendered, len(rendered) + added_bytes + audio_bytes)
    return joined([*with_pictures(stated, pictures), Backing(header.end, audio_bytes)])


def with_size(header: bytes, size: int) -> bytes:
    """A header that states a file's size in bytes in its file properties (section 3.2)."""
    properties = asf_header(in_memory(header)).find(FILE_PROPERTIES)
    if properties is None:
        return header
    place = properties.payload + _FILE_ID_BYTES
    return header[:place] + struct.pack("<Q", size) + header[place + 8 :]


def _rendered(file: RangedFile, header: AsfHeader, tags: Tags, added_bytes: int) -> bytes:
    """The new header with padding, into which `added_bytes` of pictures will go."""
    shown = without_pictures(file, header)
    tagged = ASF(BytesIO(shown))
    set_attributes(tagged.tags, tags)
    target = BytesIO(shown)
    spare = header.end - len(shown) - added_bytes
    tagged.save(target, padding=lambda info: aligned_padding(info.padding + spare))
    return target.getvalue()


def _kept(file: RangedFile, header: AsfHeader, wish: Wish) -> Iterator[Value]:
    for attribute in header.picture_attributes():
        kind = file.at(attribute.value, 1)[:1] if attribute.end > attribute.value else b""
        if wish.keeps(kind[0] if kind else FRONT_COVER):
            yield [Backing(attribute.value, attribute.end - attribute.value)]


def _given(cover: Cover) -> Value:
    """WM_PICTURE: type, length of the data, media type, description, data."""
    texts = (cover.mime + "\0" + "\0").encode("utf-16-le")
    head = struct.pack("<BI", FRONT_COVER, cover.length) + texts
    return [Synthesised(head), Art(cover.id, 0, cover.length)]
