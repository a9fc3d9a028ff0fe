"""Re-tagged MPEG audio (MP3) and True Audio (TTA) files: one ID3v2.4 tag in front of the audio.

All other tags go, since players disagree on which of several counts: APEv2 and Lyrics3, and ID3v2
tags behind the first. An ID3v1 tag (ID3v1.1) stays, and says the same as far as it can.
"""

from __future__ import annotations

from typing import Any

from mutagen.id3 import MakeID3v1

from musefs.layout.ranged import Malformed, RangedFile
from musefs.layout.segments import Backing, Layout, Segment, Synthesised
from musefs.layout.synthesis.id3_tag import HEADER_BYTES, new_tag
from musefs.layout.synthesis.joining import joined
from musefs.layout.tag_ends import ID3V1_BYTES, skip_id3v2, tail_tags
from musefs.layout.wish import Wish, aligned_padding

_ID3V1_COMMENT = slice(97, 125)
_TTA_MAGIC = b"TTA1"


def mpeg(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged MP3 file. Raises Need, Malformed, BoundReached, Unservable."""
    start = skip_id3v2(file)
    tail = tail_tags(file, start)
    # A file with APEv2 alone is read from there: its ID3v1 tag has no say.
    id3v1 = tail.id3v1 if start or not tail.ape else None
    tag = new_tag(file, wish, 0 if start else None, id3v1)
    frames_bytes = tag.length or HEADER_BYTES
    padding = aligned_padding(start - frames_bytes)
    segments: list[Segment] = [*tag.segments(padding), Backing(start, tail.audio_end - start)]
    if tail.id3v1 is not None:
        segments.append(Synthesised(_id3v1(tag.text)))
    return joined(segments)


def tta(file: RangedFile, wish: Wish) -> Layout:
    """The re-tagged TTA file. Raises Need, Malformed, BoundReached, Unservable."""
    if file.at(skip_id3v2(file), len(_TTA_MAGIC)) != _TTA_MAGIC:
        raise Malformed("is not a TTA file")
    return mpeg(file, wish)


def _id3v1(text: Any) -> bytes:
    """128 bytes. mutagen leaves the comment out, whose first 28 characters ID3v1.1 has room for."""
    tag = bytearray(MakeID3v1(text))
    assert len(tag) == ID3V1_BYTES
    comments = [frame for frame in text.getall("COMM") if not frame.desc and frame.text]
    comment = comments[0].text[0].encode("latin-1", "replace") if comments else b""
    tag[_ID3V1_COMMENT] = comment[:28].ljust(28, b"\0")
    return bytes(tag)
