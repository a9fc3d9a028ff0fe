"""Extended attributes of tracks and sidecars: where they come from and how much of them is near."""

from __future__ import annotations

from collections.abc import Mapping

from musefs.catalog.nodes import Node
from musefs.errors import NoSuchAttribute
from musefs.library.whereabouts import Whereabouts

_PREFIX = b"user.musefs."


class ExtendedAttributes:
    """`user.musefs.origin`, `.content`, `.cached` (percent) and, of tracks, `.track`."""

    def __init__(self, whereabouts: Whereabouts, priorities: Mapping[str, int]) -> None:
        """`priorities`: of the origins by their ids, the lowest named first."""
        self._whereabouts = whereabouts
        self._priorities = priorities

    def names(self, node: Node) -> list[bytes]:
        """The attributes that an entry has."""
        if node.content_id is None:
            return []
        names = [b"origin", b"content", b"cached"]
        if node.track_id is not None:
            names.append(b"track")
        return [_PREFIX + name for name in names]

    async def value(self, node: Node, name: bytes) -> bytes:
        """One attribute as text. Raises NoSuchAttribute."""
        if name not in self.names(node):
            raise NoSuchAttribute(
                f"{node.name}: it has no attribute {name.decode(errors='replace')}"
            )
        match name.removeprefix(_PREFIX):
            case b"track":
                return str(node.track_id).encode()
            case b"origin":
                names = {replica.origin_id for replica in await self._whereabouts.replicas(node)}
                order = sorted(names, key=lambda name: (self._priorities.get(name, 0), name))
                return ",".join(order).encode()
            case b"content":
                return (await self._whereabouts.fingerprint(node)).hex().encode()
            case _:
                return str(await self._whereabouts.cached_percent(node)).encode()
