"""What every scan of tags reads of a file, and where its regions are cut for that. Pure.

Tag readers look at what is in front of the audio and behind it, at its first pages or frames (to
know the stream) and at its last ones (to know how long it is). Those parts stay near; the body of
the audio, mostly all of the file, does not. Cuts inside the audio are counted from its ends, so a
re-tagged twin has the same ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from musefs.content.chunking import Span
from musefs.indexing.inspection import EndSizes, Inspection, trail_bytes
from musefs.layout.pictures import Picture
from musefs.model import CHUNK_BYTES

PICTURE_BYTES_MIN = 16 << 10
"""A picture of less is part of the header around it."""

PICTURES_MAX = 16
"""So many pictures of one file have regions of their own."""

KEPT_ART_BYTES_MAX = 12 << 20
"""Of one file's pictures, all together."""

FETCHED_TEXT_BYTES_MAX = 1 << 20
"""Of what is in front of the audio or behind it, pictures left out: of more, only the beginning."""

SCATTERED_BYTES_MAX = 16 << 20
"""A file in which readers of tags look everywhere is kept as a whole up to this size."""

KERNEL_READ_BYTES = 128 << 10
"""The kernel asks for so much at once, counted from the file's beginning, of one who reads on."""

_HEADER_BYTES_TYPICAL = 8 << 10
_READ_OF_AUDIO_BYTES = 16 << 10
"""Readers of tags look at so much of the audio at most."""
_BODY_BYTES_MIN = 16 << 10


@dataclass(frozen=True, slots=True)
class Heads:
    """`regions`: see Content. What to keep: `spans`, and `pictures` besides, in bytes."""

    regions: tuple[int, ...]
    spans: tuple[Span, ...]
    pictures: tuple[Picture, ...]

    @property
    def kept(self) -> list[Span]:
        """All that is to be kept."""
        return [*self.spans, *self.art]

    @property
    def art(self) -> list[Span]:
        """Where the pictures are."""
        return list(map(_span, self.pictures))


def heads_of(found: Inspection, size: int, ends: EndSizes) -> Heads:
    """The heads of a file of `size` bytes. Hostile places of pictures are left out."""
    start, end = found.audio_start, found.audio_end
    whole = (start, end) == (0, size)
    pictures = _large_pictures(found.pictures, size, (end, end) if whole else (start, end))
    lead = start + max(0, ends.head_bytes - _HEADER_BYTES_TYPICAL)
    far_lead = start + _READ_OF_AUDIO_BYTES + KERNEL_READ_BYTES
    trail = end - trail_bytes(found.format, ends)
    scattered = found.scattered and size <= SCATTERED_BYTES_MAX
    if scattered or trail - lead < _BODY_BYTES_MIN:  # too little for a region of its own
        lead, trail = end, end
    if trail - far_lead < _BODY_BYTES_MIN:
        far_lead = lead
    kept = far_lead if _is_read_beyond(start, lead, ends) else lead
    places = {0, start, lead, far_lead, trail, end, size}
    places |= {place for art in pictures for place in _span(art)}
    art = list(map(_span, pictures))
    in_front = _text(_without((0, start), art))
    behind = _text(_without((end, size), art))
    audio = [*_without((start, kept), art), *_without((trail, end), art)]
    return Heads(tuple(sorted(places)), (*in_front, *audio, *behind), tuple(_affordable(pictures)))


def _is_read_beyond(start: int, lead: int, ends: EndSizes) -> bool:
    """Whether the kernel's read of the audio's first bytes goes on behind what is kept of it."""
    position = start + _READ_OF_AUDIO_BYTES
    return (
        position > ends.head_bytes and -(-position // KERNEL_READ_BYTES) * KERNEL_READ_BYTES > lead
    )


def _span(picture: Picture) -> Span:
    assert picture.offset is not None
    return picture.offset, picture.offset + picture.length


def _large_pictures(found: Iterable[Picture], size: int, audio: Span) -> list[Picture]:
    """The first that stand in the file as they are, apart from each other and the audio."""
    pictures: list[Picture] = []
    position = 0
    placed = [p for p in found if p.offset is not None and p.length >= PICTURE_BYTES_MIN]
    for picture in sorted(placed, key=_span):
        start, end = _span(picture)
        if start < position or end > size or (start < audio[1] and end > audio[0]):
            continue
        pictures.append(picture)
        position = end
    return pictures[:PICTURES_MAX]


def _affordable(pictures: Iterable[Picture]) -> Iterable[Picture]:
    left = KEPT_ART_BYTES_MAX
    for picture in pictures:
        if picture.length <= left:
            left -= picture.length
            yield picture


def _without(span: Span, taken: Sequence[Span]) -> list[Span]:
    """A span without those of `taken`, which are sorted and apart."""
    rest = []
    position, end = span
    for start, stop in taken:
        if stop <= position or start >= end:
            continue
        rest.append((position, start))
        position = stop
    rest.append((position, end))
    return [(a, b) for a, b in rest if a < b]


def _text(spans: Sequence[Span]) -> list[Span]:
    """The spans; only the first chunk of them when they are more than anybody's tags."""
    if sum(end - start for start, end in spans) <= FETCHED_TEXT_BYTES_MAX:
        return list(spans)
    start, end = spans[0]
    return [(start, min(end, start + CHUNK_BYTES))]
