"""Re-tagged DSF files (Sony DSF File Format Specification 1.01): an ID3v2 tag behind the audio.

The first chunk tells the size of the file and where the tag begins, 0 when there is none.
"""

from __future__ import annotations

import struct

from musefs.layout.audio_range import audio_range
from musefs.layout.formats import Format
from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.segments import Backing, Layout, Segment, Synthesised
from musefs.layout.synthesis.id3_tag import new_tag
from musefs.layout.synthesis.joining import joined
from musefs.layout.wish import Unservable, Wish

_HEAD = struct.Struct("<4sQQQ")
_DATA_SIZE = struct.Struct("<Q")
_DATA_HEADER_BYTES = 12


def dsf(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged file. Raises Need, Malformed, BoundReached, Unservable."""
    magic, head_bytes, _, pointer = _HEAD.unpack(file.exactly(0, _HEAD.size))
    if magic != b"DSD " or head_bytes != _HEAD.size:
        raise Malformed("is not a DSF file")
    if pointer >= file.size:
        raise Malformed("is cut off in front of its ID3v2 tag")
    audio_start, audio_end = audio_range(Format.DSF, file)
    if not _HEAD.size < audio_start < audio_end:
        raise Malformed("has a DSF header that names no audio")
    (data_bytes,) = _DATA_SIZE.unpack(file.exactly(audio_start - _DATA_SIZE.size, _DATA_SIZE.size))
    if audio_start - _DATA_HEADER_BYTES + data_bytes > file.size:
        raise Unservable("is cut off inside its audio, where a tag would be taken for sound")
    tag = new_tag(file, wish, pointer or None)
    metadata: list[Segment] = tag.segments() if tag.length else []
    size = audio_end + sum(segment.length for segment in metadata)
    head = _HEAD.pack(b"DSD ", _HEAD.size, size, audio_end if metadata else 0)
    return joined([Synthesised(head), Backing(_HEAD.size, audio_end - _HEAD.size), *metadata])
