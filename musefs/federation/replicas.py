"""Where a content is: its replicas, remembered for the contents that were read last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from musefs.catalog.contents import Replica
from musefs.kit.single_flight import SingleFlight
from musefs.model import ContentId

__all__ = ["Quiet", "Replica", "ReplicaLookup", "Replicas"]


class ReplicaLookup(Protocol):
    """Who knows where contents are."""

    async def replicas(self, content_id: ContentId) -> Sequence[Replica]:
        """Every replica there is, in any order; none for a content that is gone."""
        ...


class Replicas:
    """A lookup with a memory of `contents_max` contents."""

    def __init__(self, lookup: ReplicaLookup, contents_max: int = 8192) -> None:
        self._lookup = lookup
        self._contents_max = contents_max
        self._known: OrderedDict[ContentId, tuple[Replica, ...]] = OrderedDict()
        self._queries: SingleFlight[ContentId, tuple[Replica, ...]] = SingleFlight()
        self._forgotten = 0

    async def of(self, content_id: ContentId) -> tuple[Replica, ...]:
        """Every replica of a content. Raises what the lookup raises."""
        known = self._known.get(content_id)
        if known is not None:
            self._known.move_to_end(content_id)
            return known
        return await self._queries.fetch(content_id, lambda: self._query(content_id))

    def known(self, content_id: ContentId) -> tuple[Replica, ...]:
        """Every replica of a content that was asked for lately; else none."""
        return self._known.get(content_id, ())

    def forget(self, content_id: ContentId) -> None:
        """Look it up again: its replicas may have changed."""
        self._known.pop(content_id, None)
        self._forgotten += 1

    def forget_all(self) -> None:
        """Look all of them up again: any replica may have changed."""
        self._known.clear()
        self._forgotten += 1

    async def aclose(self) -> None:
        """End the look-ups that are under way."""
        await self._queries.aclose()

    async def _query(self, content_id: ContentId) -> tuple[Replica, ...]:
        forgotten = self._forgotten
        found = tuple(await self._lookup.replicas(content_id))
        if found and forgotten == self._forgotten:  # else the answer may be from before the change
            self._known[content_id] = found
            if len(self._known) > self._contents_max:
                self._known.popitem(last=False)
        return found


class Quiet:
    """Lets a replica's news through once in `quiet_s`, for the last `replicas_max` replicas."""

    def __init__(self, quiet_s: float = 30.0, replicas_max: int = 4096) -> None:
        self._quiet_s = quiet_s
        self._replicas_max = replicas_max
        self._told_at: OrderedDict[Replica, float] = OrderedDict()

    def is_news(self, replica: Replica, now: float) -> bool:
        """Whether it was not told lately; it counts as told from now on."""
        told_at = self._told_at.get(replica)
        if told_at is not None and now - told_at < self._quiet_s:
            return False
        self._told_at[replica] = now
        self._told_at.move_to_end(replica)
        if len(self._told_at) > self._replicas_max:
            self._told_at.popitem(last=False)
        return True
