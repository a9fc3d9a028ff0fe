"""Connections to S3 of which the one used last is used first.

aiohttp takes the one that has been idle for longest. One that has just carried something sends more
at once, so a stream that needs eight of many is faster over the same eight. aiohttp has no setting
for it, and this reaches behind its interface: where that changes, the order is aiohttp's again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from aiobotocore.httpsession import AIOHTTPSession
from aiohttp import BaseConnector


class LastUsedFirst(AIOHTTPSession):  # type: ignore[misc]  # it has no types
    """aiobotocore's HTTP session with that order."""

    async def _create_connector(self, proxy_url: str | None) -> Any:
        connector = await super()._create_connector(proxy_url)
        release = getattr(connector, "_release", None)
        if release is not None:
            connector._release = _to_the_front(connector, release)  # noqa: SLF001
        return connector


def _to_the_front(connector: BaseConnector, release: Callable[..., None]) -> Callable[..., None]:
    """`release`, after which the connection is the next to be taken of those to the same host."""

    def release_to_the_front(key: Any, protocol: Any, **options: Any) -> None:
        release(key, protocol, **options)
        idle = getattr(connector, "_conns", {}).get(key)
        if isinstance(idle, deque) and idle and idle[-1][0] is protocol:
            idle.rotate(1)

    return release_to_the_front
