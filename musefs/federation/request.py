"""One read of the federation, from its first try to its last, and what went wrong on the way."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from musefs.errors import ContentChanged, ContentUnavailable, MusefsError
from musefs.federation.replicas import Replica
from musefs.model import Accepts, Content
from origins.errors import FileChanged, FileMissing, OriginError


class WrongBytes(FileChanged):
    """A replica has other bytes than the content, though its version is the same."""


@dataclass(slots=True, eq=False)
class Request:
    """Bytes [offset, offset + size) are wanted until `deadline`, in the loop's time.

    `stale` replicas do not hold the content any more, `refused` ones fail in a way that lasts.
    """

    content: Content
    offset: int
    size: int
    deadline: float
    accepts: Accepts | None = None
    stale: set[Replica] = field(default_factory=set)
    refused: set[Replica] = field(default_factory=set)
    last_error: OriginError | None = None
    retryable: bool = False

    def leaves(self, replica: Replica) -> bool:
        """Whether it is worth asking again."""
        return replica not in self.stale and replica not in self.refused

    def failed(self, replica: Replica, error: OriginError) -> None:
        """A replica did not answer."""
        self.last_error = error
        if isinstance(error, FileChanged | FileMissing):
            self.stale.add(replica)
        elif error.retryable:
            self.retryable = True
        else:
            self.refused.add(replica)

    def explained(self, known: Collection[Replica]) -> MusefsError:
        """What to tell the reader when nobody has answered, out of these replicas."""
        if all(replica in self.stale for replica in known):
            return ContentChanged(
                f"content {self.content.id} was replaced or removed at its origin;"
                " open the file again"
            )
        reason = self.last_error or "no configured origin has it, or none had time to answer"
        return ContentUnavailable(
            f"content {self.content.id} cannot be read now: {' '.join(str(reason).split())};"
            " see `musefs origins`"
        )
