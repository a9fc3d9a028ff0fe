"""The interface that every kind of origin has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NewType, Protocol, runtime_checkable

Version = NewType("Version", str)
"""Names one state of a file's bytes: equal versions mean equal bytes. Opaque to callers."""

WHOLE_ORIGIN = ""
"""As a changed path: anything may have changed, list the origin again."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file at an origin.

    `path` is relative to the origin's root and separated by "/"; bytes that are not UTF-8 stand in
    it as surrogate escapes (PEP 383).
    """

    path: str
    size: int
    mtime_ns: int
    version: Version


class Origin(Protocol):
    """Files somewhere else, read-only."""

    @property
    def id(self) -> str:
        """The name that the configuration gives it."""
        ...

    def list(self, below: str = "") -> AsyncIterator[FileInfo]:
        """Every file below a folder, one after another, folders themselves left out.

        Raises ListingIncomplete at the end when folders could not be read, FileMissing when `below`
        is not there, AccessDenied, OriginUnavailable.
        """
        ...

    async def stat(self, path: str) -> FileInfo:
        """One file. Raises FileMissing (for a folder too), AccessDenied, OriginUnavailable."""
        ...

    async def read(self, path: str, version: Version, offset: int, size: int) -> bytes:
        """Bytes [offset, offset + size) of that version, fewer only at the end of the file.

        Raises FileChanged instead of answering with bytes of another version, FileMissing,
        AccessDenied, OriginUnavailable.
        """
        ...

    def watch(self) -> AsyncIterator[frozenset[str]]:
        """Batches of changed paths, files and folders alike, for as long as it is iterated.

        A path may be gone, new or rewritten: the caller looks. WHOLE_ORIGIN among them means that
        everything has to be listed again. The first batch is empty and says that watching has
        begun: whoever lists after it misses nothing.
        """
        ...

    async def check(self) -> None:
        """Return when the origin can serve now. Raises AccessDenied, OriginUnavailable."""
        ...

    async def aclose(self) -> None:
        """Release connections, descriptors and threads. Never raises; may be called twice."""
        ...


@runtime_checkable
class ReadsAtOnce(Protocol):
    """An origin that has some bytes at hand."""

    def read_now(
        self, path: str, version: Version, offset: int, size: int
    ) -> bytes | memoryview | None:
        """What `Origin.read` would answer, when that takes no waiting; None otherwise.

        Raises FileChanged.
        """
        ...
