"""Tags that taggers put around any stream: ID3v2 in front; APEv2, Lyrics3 and ID3v1 behind.

They may follow each other in any order, and stale ones are common: whatever is there does not
belong to the audio.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from musefs.layout.formats import syncsafe
from musefs.layout.ranged import Malformed, RangedFile, parsed_once

ID3V1_BYTES = 128
_APE_FOOTER_BYTES = 32
_LYRICS3_FOOTER_BYTES = 15
_APE_HAS_HEADER = 1 << 31
_STACKED_MAX = 8


@dataclass(frozen=True, slots=True)
class TailTags:
    """The tags at the end of a file: offsets in the file, None where there is none."""

    audio_end: int
    id3v1: int | None = None
    ape: tuple[int, int] | None = None


@parsed_once
def skip_id3v2(file: RangedFile) -> int:
    """Where the file goes on behind leading ID3v2 tags (structure of ID3v2.4, section 3.1).

    Raises Malformed when a tag is longer than the file.
    """
    position = 0
    for _ in range(_STACKED_MAX):
        head = file.at(position, 10)
        if head[:3] != b"ID3" or len(head) < 10:
            break
        position += 10 + syncsafe(head[6:10]) + (head[5] & 0x10 and 10)
        if position > file.size:
            raise Malformed("is cut off inside its ID3v2 tag")
    return position


def tail_tags(file: RangedFile, start: int) -> TailTags:
    """The tags behind the audio, none of which reaches before `start`."""
    end, id3v1, ape = file.size, None, None
    for _ in range(_STACKED_MAX):
        tail = file.at(max(start, end - ID3V1_BYTES), min(ID3V1_BYTES, end - start))
        ape_start = _ape_start(tail, end)
        lyrics_start = _lyrics3_start(tail, end)
        if tail[:3] == b"TAG" and len(tail) == ID3V1_BYTES:
            end -= ID3V1_BYTES
            id3v1 = end if id3v1 is None else id3v1
        elif ape_start is not None and ape_start >= start:
            ape = ape or (ape_start, end)
            end = ape_start
        elif lyrics_start is not None and lyrics_start >= start:
            end = lyrics_start
        else:
            break
    return TailTags(end, id3v1, ape)


def _ape_start(tail: bytes, end: int) -> int | None:
    """APEv2 footer: preamble, version, size without the header, items, flags (APE Tags Header)."""
    footer = tail[-_APE_FOOTER_BYTES:]
    if footer[:8] != b"APETAGEX" or len(footer) < _APE_FOOTER_BYTES:
        return None
    _, size, _, flags = struct.unpack_from("<IIII", footer, 8)
    if size < _APE_FOOTER_BYTES:
        return None
    return end - int(size) - (_APE_FOOTER_BYTES if flags & _APE_HAS_HEADER else 0)


def _lyrics3_start(tail: bytes, end: int) -> int | None:
    """Lyrics3 v2.00: six digits of size, then the end mark."""
    footer = tail[-_LYRICS3_FOOTER_BYTES:]
    if footer[6:] != b"LYRICS200" or not footer[:6].isdigit():
        return None
    return end - _LYRICS3_FOOTER_BYTES - int(footer[:6])
