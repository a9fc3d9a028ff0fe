"""The task that has the tree follow the catalogue, and tells the mount what has changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from musefs.errors import StateBroken
from musefs.library.tree import Tree
from musefs.library.tree_change import TreeChange
from musefs.model import TrackId

log = logging.getLogger(__name__)

RETRY_S = 5.0
RETAG_EVERY_S = 15.0
"""Layouts that could not be made are tried again so often."""

Listener = Callable[[TreeChange], Awaitable[None]]


class Refresher:
    """`wake` it after a commit; `run` does the rest until it is cancelled."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._woken = asyncio.Event()
        self._following = False
        self._one_step_at_a_time = asyncio.Lock()
        self.listeners: list[Listener] = []

    @property
    def is_behind(self) -> bool:
        """Whether something is committed that the listeners have not been told."""
        return self._following or self._woken.is_set()

    def wake(self) -> None:
        """There may be changes to follow."""
        self._woken.set()

    async def run(self) -> None:
        """Follow all there is, now and whenever woken."""
        await self._tree.adopt_rules()
        late = True
        while True:
            try:
                await self.catch_up()
                if late:
                    await self.place(await self._tree.unmade())
                    late = False
                await self._wait()
            except StateBroken as error:
                log.warning("the tree cannot follow the library, will be tried again: %s", error)
                await asyncio.sleep(RETRY_S)

    async def catch_up(self) -> None:
        """Follow everything that is committed now."""
        self._woken.clear()
        self._following = True
        try:
            while await self._step():
                pass
        finally:
            self._following = False

    async def place(self, tracks: Sequence[TrackId]) -> None:
        """Have these tracks (some hundreds at most) follow what is committed, before all others."""
        if not tracks:
            return
        async with self._one_step_at_a_time:
            began_s = time.perf_counter()
            await self._tell(await self._tree.place(tracks), began_s)

    async def _step(self) -> bool:
        async with self._one_step_at_a_time:
            began_s = time.perf_counter()
            change = await self._tree.refresh()
            if change is not None:
                await self._tell(change, began_s)
        return change is not None

    async def _tell(self, change: TreeChange, began_s: float) -> None:
        for listener in self.listeners:
            await listener(change)
        taken_ms = (time.perf_counter() - began_s) * 1_000
        log.debug("the tree has followed in %d folders: %.2f ms", len(change.folders), taken_ms)

    async def _wait(self) -> None:
        """Until woken; meanwhile make what could not be made."""
        while not self._woken.is_set():
            late = await self._tree.unmade()
            try:
                async with asyncio.timeout(RETAG_EVERY_S if late else None):
                    await self._woken.wait()
            except TimeoutError:
                await self.place(late)
