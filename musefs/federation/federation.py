"""Content from whichever origin can give it: the one place that fails over and that retries.

A read asks the best replica, the next one at once when that fails, and beside it when it is late.
When all have failed, and one of them in a way that may pass, it waits and goes round again, within
one deadline for all. A replica that turns out to be another version, or to hold other bytes, is
left out and told, so that somebody looks at it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from musefs.federation.contest import Contest, Rules
from musefs.federation.events import FederationEvent, ReplicaFailed
from musefs.federation.hedging import HedgeBudget
from musefs.federation.member import Member, OriginStatus
from musefs.federation.monitor import HealthMonitor
from musefs.federation.patience import Patience
from musefs.federation.recent_failures import RecentFailures
from musefs.federation.replica_reader import ReplicaReader
from musefs.federation.replicas import Quiet, Replica, Replicas
from musefs.federation.request import Request, WrongBytes
from musefs.kit.topic import Topic
from musefs.model import Accepts, Buffer, Content, ContentId
from origins.errors import OriginError

JITTER = 0.25
"""A pause is up to this share longer or shorter, so that readers do not all come back at once."""


@dataclass(frozen=True, slots=True)
class ReplicaNews:
    """Who is told, with an origin's id and a path, of a file that is not as recorded.

    `stale`: it is another version, or gone. `wrong`: it has other bytes at the same version.
    """

    stale: Callable[[str, str], None]
    wrong: Callable[[str, str], None]


class Federation:
    """The content source at the bottom: the origins, as one."""

    def __init__(
        self,
        members: Mapping[str, Member],
        replicas: Replicas,
        patience: Patience,
        news: ReplicaNews,
    ) -> None:
        """`news` is told of files that are not as recorded."""
        self._monitor = HealthMonitor(members, patience)
        self._reader = ReplicaReader(self._monitor, self._failed)
        self._budget = HedgeBudget()
        self._rules = Rules(self._monitor, self._reader, self._budget, patience.hedge_min_s)
        self._replicas = replicas
        self._patience = patience
        self._news = news
        self._stale_news = Quiet()
        self._failure_news = Quiet()
        self._recent_failures = RecentFailures()

    def __repr__(self) -> str:
        return f"<Federation {self._monitor!r}>"

    @property
    def changes(self) -> Topic[FederationEvent]:
        """What became of the origins."""
        return self._monitor.changes

    def health_of(self) -> dict[str, OriginStatus]:
        """How every origin does, by its id."""
        return self._monitor.statuses()

    def peek(self, content: Content, offset: int, size: int) -> Buffer | None:
        """What `read` would answer, when the best replica is at hand; None otherwise."""
        size = min(size, content.size - offset)
        if size <= 0:
            return b""
        known = self._replicas.known(content.id)
        best = known if len(known) == 1 else self._monitor.ranked(known)
        return self._reader.peek(best[0], offset, size) if best else None

    async def read(
        self, content: Content, offset: int, size: int, accepts: Accepts | None = None
    ) -> Buffer:
        """Bytes [offset, offset + size), fewer only at the end of the content.

        Only bytes that `accepts` says yes to, when it is given. Raises ContentUnavailable,
        ContentChanged.
        """
        size = min(size, content.size - offset)
        if size <= 0:
            return b""
        self._budget.add_read()
        request = Request(content, offset, size, self._deadline(content.id, offset, size), accepts)
        # Whose origins are known to be away is told so at once: a check finds out when one is back.
        away = self._monitor.are_away(await self._replicas.of(content.id))
        for pause_s in (0.0, *(() if away else self._patience.retries_s)):
            if pause_s:
                pause_s *= random.uniform(1 - JITTER, 1 + JITTER)
                if _now() + pause_s >= request.deadline:
                    break
                await asyncio.sleep(pause_s)
            data = await self._round(request)
            if data is not None:
                return data
            if not request.retryable:
                break
        self._recent_failures.add(content.id, offset, size, _now())
        known = await self._replicas.of(content.id)
        raise request.explained(known) from request.last_error

    async def run(self) -> None:
        """Check the origins for ever, less often while none can be reached."""
        await self._monitor.run()

    async def check(self) -> None:
        """Check every origin now, side by side. Never raises."""
        await self._monitor.check()

    def _deadline(self, content_id: ContentId, offset: int, size: int) -> float:
        again = self._recent_failures.has(content_id, offset, size, _now())
        return _now() + (self._patience.again_s if again else self._patience.deadline_s)

    async def _round(self, request: Request) -> bytes | None:
        """Ask each replica that is left, best first; None when none could answer."""
        request.retryable = False
        known = await self._replicas.of(request.content.id)
        order = self._monitor.ranked(filter(request.leaves, known))
        if len(order) > 1:
            return await Contest(self._rules, request, order).winner()
        seconds = request.deadline - _now()
        if not order or seconds <= 0:
            return None
        return await self._reader.read(request, order[0], seconds)

    def _failed(self, request: Request, replica: Replica, error: OriginError) -> None:
        request.failed(replica, error)
        if replica in request.stale:
            self._replicas.forget(request.content.id)
            if self._stale_news.is_news(replica, _now()):
                wrong = isinstance(error, WrongBytes)
                tell = self._news.wrong if wrong else self._news.stale
                tell(replica.origin_id, replica.path)
        if self._failure_news.is_news(replica, _now()):
            reason = " ".join(str(error).split())
            self.changes.publish(ReplicaFailed(replica.origin_id, replica.path, reason))


def _now() -> float:
    return asyncio.get_running_loop().time()
