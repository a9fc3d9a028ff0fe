"""The task that has the tree follow the catalogue, and tells the mount what has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from musefs.errors import StateBroken
from musefs.library.tree import Tree
from musefs.library.tree_change import TreeChange

log = logging.getLogger(__name__)

RETRY_S = 5.0

Listener = Callable[[TreeChange], Awaitable[None]]


class Refresher:
    """`wake` it after a commit; `run` does the rest until it is cancelled."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._woken = asyncio.Event()
        self._following = False
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
        while True:
            try:
                await self.catch_up()
            except StateBroken as error:
                log.warning("the tree cannot follow the library, will be tried again: %s", error)
                await asyncio.sleep(RETRY_S)
            else:
                await self._woken.wait()

    async def catch_up(self) -> None:
        """Follow everything that is committed now."""
        self._woken.clear()
        self._following = True
        try:
            while (change := await self._tree.refresh()) is not None:
                for listener in self.listeners:
                    await listener(change)
        finally:
            self._following = False
