"""How much padding the headers of an Ogg file get, and how many pages.

As long as the number of header pages stays, the audio pages are served as they are. What has to be
met with padding is, in this order: the number of pages, PADDING_BYTES_MIN, and the alignment of the
audio. A packet of n bytes takes n + n // 255 + 1 bytes of pages, which is never a multiple of 256:
so about one file in 256 cannot be aligned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from musefs.layout.ogg_headers import HEADER_PAGES_MAX
from musefs.layout.ogg_pages import LACING_VALUES_MAX, PAGE_HEAD_BYTES
from musefs.layout.ogg_paginator import lacing_values, plan
from musefs.layout.wish import ALIGNMENT_BYTES, PADDING_BYTES_MIN, Unservable

PADDING_BYTES_MAX = 64 << 10
"""More is not spent to keep the number of pages."""


@dataclass(frozen=True, slots=True)
class HeaderSizes:
    """Header packets that go on pages from byte `start` on.

    `lengths` are their bytes without padding, which goes to packet `padded` (None: to none). They
    were on `pages` pages, and the audio began at byte `audio_start`.
    """

    lengths: Sequence[int]
    padded: int | None
    start: int
    pages: int
    audio_start: int

    def lacings(self, padding: int) -> list[int]:
        """The lacing values of each packet."""
        return [
            lacing_values(length + (padding if index == self.padded else 0))
            for index, length in enumerate(self.lengths)
        ]

    def aligned(self, pages: int, least: int) -> int:
        """At least so much padding, that moves the audio by whole ALIGNMENT_BYTES if possible."""
        if self.padded is None:
            return least
        lacings = self.lacings(least)
        end = self.start + pages * PAGE_HEAD_BYTES + sum(self.lengths) + least + sum(lacings)
        wanted = (self.audio_start - end) % ALIGNMENT_BYTES
        # The packet's bytes on pages, less one: 256 for each 255 of the packet, and the rest.
        length = self.lengths[self.padded]
        groups, rest = divmod(length + least + lacings[self.padded] + wanted - 1, 256)
        return groups * 255 + rest - length if rest < 255 else least


def arrangement(sizes: HeaderSizes) -> tuple[int, list[int]]:
    """(padding bytes, lacing values of each page). Raises Unservable."""
    for padding in _paddings(sizes):
        counts = plan(sizes.lacings(padding), sizes.pages)
        if counts is not None:
            return padding, counts
    least = PADDING_BYTES_MIN if sizes.padded is not None else 0
    fewest = sum(-(-values // LACING_VALUES_MAX) for values in sizes.lacings(least))
    for pages in count(fewest):
        padding = sizes.aligned(pages, least)
        counts = plan(sizes.lacings(padding), pages)
        if pages >= HEADER_PAGES_MAX:
            break
        if counts is not None:
            return padding, counts
    raise Unservable("would need more Ogg header pages than players read")


def _paddings(sizes: HeaderSizes) -> Iterator[int]:
    """What to try with the number of pages that there is, best first."""
    if sizes.padded is None:
        yield 0
        return
    others = sum(sizes.lacings(0)) - lacing_values(sizes.lengths[sizes.padded])
    floor = max(0, (sizes.pages - others - 1) * 255 - sizes.lengths[sizes.padded])
    if floor > PADDING_BYTES_MAX:
        return
    for least in (max(floor, PADDING_BYTES_MIN), floor):
        yield sizes.aligned(sizes.pages, least)
    yield floor
