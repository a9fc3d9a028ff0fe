"""Fetches what is to be kept of a file and was not read to see what it is.

Ranges that lie close together come in one request. A picture that another track of the folder has
too is not fetched again.
"""

from __future__ import annotations

from collections.abc import Iterable

from musefs.catalog.paths import folder_of
from musefs.content.chunk_files import digest_of
from musefs.content.chunking import Span
from musefs.content.fragments import Fragments
from musefs.indexing.heads import Heads
from musefs.indexing.shared_art import (
    COMPARED_END_BYTES,
    COMPARED_START_BYTES,
    ArtKey,
    SharedArt,
)
from musefs.layout.fetching import Read
from musefs.layout.pictures import Picture
from origins import FileChanged, OriginError

GAP_BYTES_MAX = 32 << 10
"""Ranges with no more between them are fetched together."""

REQUEST_BYTES_MAX = 4 << 20


class Gatherer:
    """Completes the fragments of one origin's files."""

    def __init__(self) -> None:
        self._art = SharedArt()

    async def gather(self, read: Read, path: str, heads: Heads, known: Fragments) -> None:
        """Fetch what is missing of a file's heads. Raises what `read` raises, and FileChanged."""
        wanted = list(heads.spans)
        for picture in heads.pictures:
            start, end = _place(picture)
            wanted.append((start, min(end, start + COMPARED_START_BYTES)))
            wanted.append((max(start, end - COMPARED_END_BYTES), end))
        gaps = [gap for start, end in wanted for gap in known.missing(start, end)]
        for start, end in _joined(gaps):
            known.add(start, await _exactly(read, start, end))
        for picture in heads.pictures:
            await self._gather_picture(read, folder_of(path), picture, known)

    async def aclose(self) -> None:
        """End what is under way for nobody any more."""
        await self._art.aclose()

    async def _gather_picture(
        self, read: Read, folder: str, picture: Picture, known: Fragments
    ) -> None:
        start, end = _place(picture)
        if not known.missing(start, end):
            return

        async def fetch() -> bytes:
            for first, last in _joined(known.missing(start, end)):
                known.add(first, await _exactly(read, first, last))
            return bytes(known.between(start, end) or b"")

        key = _key(folder, picture, known)
        try:
            data, mine = await self._art.get(key, fetch)
        except OriginError:  # another's trouble, perhaps
            await fetch()
            return
        if not mine and _agrees(data, start, known):
            known.add(start, data, shared=True)
        elif not mine:
            await fetch()


def _agrees(data: bytes, start: int, known: Fragments) -> bool:
    """Whether a picture has all the bytes that are known of the one at `start`."""
    parts = known.overlapping(start, start + len(data))
    return all(data[offset - start :][: len(part)] == part for offset, part in parts)


def _key(folder: str, picture: Picture, known: Fragments) -> ArtKey:
    start, end = _place(picture)
    first = known.between(start, min(end, start + COMPARED_START_BYTES)) or b""
    last = known.between(max(start, end - COMPARED_END_BYTES), end) or b""
    return ArtKey(folder, picture.mime, picture.length, digest_of(bytes(first) + bytes(last)))


def _place(picture: Picture) -> Span:
    assert picture.offset is not None
    return picture.offset, picture.offset + picture.length


def _joined(gaps: Iterable[Span]) -> list[Span]:
    """Ranges to ask for: near ones together, none larger than REQUEST_BYTES_MAX."""
    joined: list[Span] = []
    for start, end in sorted(gaps):
        if joined and start - joined[-1][1] <= GAP_BYTES_MAX:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return [
        (first, min(first + REQUEST_BYTES_MAX, end))
        for start, end in joined
        for first in range(start, end, REQUEST_BYTES_MAX)
    ]


async def _exactly(read: Read, start: int, end: int) -> bytes:
    data = await read(start, end - start)
    if len(data) != end - start:
        raise FileChanged(f"{end - start} bytes at {start} were asked for, {len(data)} came")
    return data
