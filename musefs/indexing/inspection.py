"""Looks at one file through ranged reads: what it is, what its tags say, where its audio lies.

Head and tail are requested together, so most files cost one round trip; the same bytes give the
fingerprint by which a file is recognised at another origin. What else the tags need is fetched
range by range, pictures never. A file that cannot be understood is a result with a reason, not an
exception; what the origin raises passes through.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from blake3 import blake3

from musefs.indexing.shared_art import COMPARED_END_BYTES
from musefs.layout.fetching import Ahead, Read, parsed
from musefs.layout.formats import (
    TAGS_AT_THE_END,
    WITHOUT_MAGIC,
    Format,
    format_of,
    sniff,
    tail_bytes,
)
from musefs.layout.pictures import Picture
from musefs.layout.ranged import Extents, Malformed
from musefs.layout.reading import TagReading, read_tags
from musefs.layout.tags import NO_TAGS, Tags

FINGERPRINT_HEAD_BYTES = 64 << 10
FINGERPRINT_TAIL_BYTES = 8 << 10

LEAPS_WITH_FORESIGHT_MAX = 2
_TAGS_BYTES_TYPICAL = 4 << 10
_LEAD_BEHIND_HEAD_BYTES = 512
"""What is kept of the audio's beginning mostly ends so much behind the head (see heads)."""


@dataclass(frozen=True, slots=True)
class EndSizes:
    """How much of a file's ends is worth one request each: what is kept near of remote files.

    `foresight`: more than that is going to be kept, so requests reach a little farther.
    """

    head_bytes: int = 64 << 10
    tail_bytes: int = 72 << 10
    foresight: bool = False


DEFAULT_ENDS = EndSizes()

_TRAIL_BYTES = 8 << 10
_TRAIL_BYTES_BESIDE_TAGS = 16 << 10
_OGG = frozenset({Format.VORBIS, Format.OPUS, Format.OGGFLAC, Format.SPEEX})


def trail_bytes(kind: Format | None, ends: EndSizes) -> int:
    """How much of the audio's end readers of tags look at.

    All look for the last page of an Ogg stream, most of them in its last 64 KiB (a page is that
    long at most, RFC 3533 section 6); where tags stand at the end, they look around there.
    """
    if kind in _OGG:
        return ends.tail_bytes
    beside = kind in TAGS_AT_THE_END
    return min(ends.tail_bytes, _TRAIL_BYTES_BESIDE_TAGS if beside else _TRAIL_BYTES)


def _first_head_bytes(ends: EndSizes) -> int:
    return ends.head_bytes + (_LEAD_BEHIND_HEAD_BYTES if ends.foresight else 0)


def _first_tail_bytes(kind: Format | None, ends: EndSizes) -> int:
    if not ends.foresight:
        return tail_bytes(kind)
    return trail_bytes(kind, ends) + (_TAGS_BYTES_TYPICAL if kind in TAGS_AT_THE_END else 0)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found; the audio lies in [audio_start, audio_end), in bytes.

    `failure` is one line that ends a sentence about the file, None when all is well. With a failure
    there are no tags, and the audio range is the whole file: it is served untouched. `scattered`:
    readers of tags look all along the audio.
    """

    format: Format
    tags: Tags
    pictures: tuple[Picture, ...]
    audio_start: int
    audio_end: int
    fingerprint: bytes
    duration_s: float | None = None
    failure: str | None = None
    scattered: bool = False


def fingerprint(size: int, head: bytes, tail: bytes) -> bytes:
    """The 32 bytes by which a content is recognised across origins, whatever its path.

    BLAKE3 over the size (8 bytes, little-endian), the first 64 KiB and the last 8 KiB of the file,
    each cut to the file's size. `head` and `tail` may be longer than that.
    """
    last = tail[-FINGERPRINT_TAIL_BYTES:]
    return blake3(size.to_bytes(8, "little") + head[:FINGERPRINT_HEAD_BYTES] + last).digest()


async def identify(read: Read, size: int, ends: EndSizes = DEFAULT_ENDS) -> bytes:
    """The fingerprint of a file that is not audio. What `read` raises passes through."""
    head, tail = await _both_ends(read, size, EndSizes(ends.head_bytes, 0))
    return fingerprint(size, head, tail)


async def inspect(read: Read, name: str, size: int, ends: EndSizes = DEFAULT_ENDS) -> Inspection:
    """Inspect a file of `size` bytes. What `read` raises passes through; nothing else is raised."""
    claimed = format_of(name)
    first = EndSizes(_first_head_bytes(ends), _first_tail_bytes(claimed, ends))
    head, tail = await _both_ends(read, size, first)
    identity = fingerprint(size, head, tail)
    extents = Extents(size)
    extents.add(0, head)
    if size > len(head):
        extents.add(size - len(tail), tail)
    failure = None if size else "is empty"
    for kind in _candidates(claimed, sniff(head)) if size else ():
        try:
            found = await _parse(read, kind, extents, ends)
        except Malformed as error:
            failure = failure or str(error)
        else:
            return _inspection(found, identity)
    return _unread(claimed or Format.OTHER, size, identity, failure)


def _candidates(claimed: Format | None, found: Format | None) -> list[Format]:
    """Evidence before claim, except where the evidence is weak; OTHER has nothing to be read."""
    order = [found, claimed] if found not in WITHOUT_MAGIC else [claimed, found]
    return list(dict.fromkeys(kind for kind in order if kind not in (None, Format.OTHER) and kind))


async def _both_ends(read: Read, size: int, ends: EndSizes) -> tuple[bytes, bytes]:
    """Head and tail, together in one round trip; the tail of a small file is part of its head."""
    head_bytes = min(size, max(ends.head_bytes, FINGERPRINT_HEAD_BYTES))
    tail_start = max(0, size - max(ends.tail_bytes, FINGERPRINT_TAIL_BYTES))
    if head_bytes == size:
        head = await read(0, size) if size else b""
        return head, head[tail_start:]
    rest_start = max(head_bytes, tail_start)
    try:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(_awaited(read, 0, head_bytes))
            last = group.create_task(_awaited(read, rest_start, size - rest_start))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None  # the origin's own word, not a group of it
    head = first.result()
    return head, head[tail_start:] + last.result()


async def _awaited(read: Read, offset: int, size: int) -> bytes:
    return await read(offset, size)


async def _parse(read: Read, kind: Format, extents: Extents, ends: EndSizes) -> TagReading:
    # A leap is over a picture, mostly: its end is compared, and the audio begins behind it.
    ahead = Ahead(
        tail_bytes=ends.tail_bytes,
        leaps_max=LEAPS_WITH_FORESIGHT_MAX if ends.foresight else 0,
        leap_bytes=ends.head_bytes + COMPARED_END_BYTES,
        before_bytes=COMPARED_END_BYTES,
    )
    return await parsed(read, extents, lambda file: read_tags(kind, file), ahead)


def _inspection(found: TagReading, identity: bytes) -> Inspection:
    return Inspection(
        found.format,
        found.tags,
        found.pictures,
        found.audio_start,
        found.audio_end,
        identity,
        found.duration_s,
        scattered=found.scattered,
    )


def _unread(kind: Format, size: int, identity: bytes, failure: str | None) -> Inspection:
    return Inspection(kind, NO_TAGS, (), 0, size, identity, None, failure)
