"""The next track of an album that is being played: its beginning is near when the player asks."""

from __future__ import annotations

import logging

from musefs.catalog import nodes
from musefs.catalog.database import Queries
from musefs.catalog.nodes import Node
from musefs.content.chunk_warming import requests
from musefs.errors import MusefsError
from musefs.kit.background import BackgroundTasks
from musefs.library.prefetching import Warmer

log = logging.getLogger(__name__)

AUDIO_BYTES = 1 << 20
"""Of the next track, besides what is in front of its audio."""

TASKS_MAX = 16


class AlbumAhead:
    """Is told which file was read by half, and warms the one after it in its folder."""

    def __init__(self, queries: Queries, warmer: Warmer) -> None:
        self._queries = queries
        self._warmer = warmer
        self._tasks = BackgroundTasks(TASKS_MAX)

    def half_read(self, entry: Node) -> None:
        """A reader has gone through half of this file."""
        if entry.kind == "track":
            self._tasks.start(lambda: self._warm_after(entry))

    async def aclose(self) -> None:
        """End what is under way."""
        await self._tasks.aclose()

    async def _warm_after(self, entry: Node) -> None:
        try:
            following = await nodes.next_track(self._queries, entry.inode)
            if following is None or following.content_id is None:
                return
            content = await self._warmer.content_of(following.content_id)
            if not content.cacheable:
                return
            beginning = (0, min(content.audio_start + AUDIO_BYTES, content.size))
            chunks = await self._warmer.door.missing(content, [beginning])
            for start, end in requests(chunks):
                await self._warmer.fetch(content, start, end)
        except MusefsError as error:  # whoever plays it next fetches it then
            log.debug("the track after %s could not be warmed: %s", entry.name, error)
