"""Bytes that nobody could give a moment ago: who asks again at once does not wait as long again.

The kernel asks a second time for a page that it did not get, before it tells the reader: without
this a reader would wait for two deadlines, one after the other. Pure: the time is passed in.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from musefs.model import ContentId

RECENT_S = 1.0
CONTENTS_MAX = 1024


class _Failure(NamedTuple):
    at: float
    start: int
    end: int


class RecentFailures:
    """The last one of each content, with its time in seconds."""

    def __init__(self) -> None:
        self._last: OrderedDict[ContentId, _Failure] = OrderedDict()

    def add(self, content_id: ContentId, offset: int, size: int, now: float) -> None:
        """All replicas have failed to give bytes [offset, offset + size)."""
        self._last[content_id] = _Failure(now, offset, offset + size)
        self._last.move_to_end(content_id)
        if len(self._last) > CONTENTS_MAX:
            self._last.popitem(last=False)

    def has(self, content_id: ContentId, offset: int, size: int, now: float) -> bool:
        """Whether some of these bytes failed within the last RECENT_S."""
        last = self._last.get(content_id)
        if last is None or now - last.at > RECENT_S:
            return False
        return offset < last.end and last.start < offset + size
