"""Contents that nobody could give a moment ago: who asks again at once does not wait as long again.

The kernel asks a second time for a page that it did not get, before it tells the reader: without
this a reader would wait for two deadlines, one after the other. Pure: the time is passed in.
"""

from __future__ import annotations

from collections import OrderedDict

from musefs.model import ContentId

RECENT_S = 5.0
CONTENTS_MAX = 1024


class RecentFailures:
    """The last of them, with the time of each in seconds."""

    def __init__(self) -> None:
        self._failed_at: OrderedDict[ContentId, float] = OrderedDict()

    def add(self, content_id: ContentId, now: float) -> None:
        """All replicas have failed."""
        self._failed_at[content_id] = now
        self._failed_at.move_to_end(content_id)
        if len(self._failed_at) > CONTENTS_MAX:
            self._failed_at.popitem(last=False)

    def discard(self, content_id: ContentId) -> None:
        """It could be read."""
        self._failed_at.pop(content_id, None)

    def has(self, content_id: ContentId, now: float) -> bool:
        """Whether it failed within the last RECENT_S."""
        failed_at = self._failed_at.get(content_id)
        return failed_at is not None and now - failed_at <= RECENT_S
