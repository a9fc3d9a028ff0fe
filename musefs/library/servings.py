"""What an entry of the tree serves: its content, in the layout that its track has now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from musefs.catalog import nodes
from musefs.catalog.database import Queries
from musefs.catalog.layouts import segments_of
from musefs.catalog.nodes import Node
from musefs.catalog.pictures import picture, picture_bytes
from musefs.errors import ContentUnavailable, NoSuchEntry, StateBroken
from musefs.layout.segments import Art, ArtText, Layout, original
from musefs.layout.stored_layout import restored
from musefs.library.whereabouts import Whereabouts
from musefs.model import Buffer, Content, ContentId, PictureId

_TRIES_MAX = 3


@dataclass(frozen=True, slots=True)
class Serving:
    """One version of a file: the content below, the layout, and the given pictures in it.

    `version` differs from that of any other bytes that the entry has shown.
    """

    content: Content
    layout: Layout
    version: tuple[ContentId, int | None]
    pictures: Mapping[PictureId, Content] = field(default_factory=lambda: MappingProxyType({}))


class Servings:
    """Looks up what entries serve."""

    def __init__(self, queries: Queries, whereabouts: Whereabouts) -> None:
        self._queries = queries
        self._whereabouts = whereabouts

    async def of(self, node: Node) -> Serving:
        """What an entry serves now. Raises NoSuchEntry, StateBroken."""
        for _ in range(_TRIES_MAX):
            if node.layout_id is None:
                content = await self._whereabouts.content(node)
                return Serving(content, original(content.size), (content.id, None))
            blob = await segments_of(self._queries, node.layout_id)
            if blob is not None:
                return await self._laid_out(node, node.layout_id, blob)
            # It was edited since the entry was looked up.
            found = await nodes.node(self._queries, node.inode)
            if found is None:
                break
            node = found
        raise NoSuchEntry(f"{node.name}: it is changing, or gone")

    async def _laid_out(self, node: Node, layout_id: int, blob: bytes) -> Serving:
        content = await self._whereabouts.content(node)
        try:
            layout = restored(blob)
        except ValueError as error:
            raise StateBroken(
                f"{node.name}: its stored layout is damaged ({error}): run `musefs fsck --repair`"
            ) from error
        ids = {part.picture for part in layout.segments if isinstance(part, Art | ArtText)}
        pictures = {picture_id: await self._picture(picture_id) for picture_id in ids}
        return Serving(content, layout, (content.id, layout_id), pictures)

    async def _picture(self, picture_id: PictureId) -> Content:
        known = await picture(self._queries, picture_id)
        if known is None:
            raise StateBroken(f"picture {picture_id}: it is missing: run `musefs fsck --repair`")
        return Content(ContentId(picture_id), known.size, 0, known.size)


class GivenPictures:
    """A content source of the pictures that users gave: the id of such a content is the picture's.

    They are read in blocks through a pool of their own.
    """

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    async def read(self, content: Content, offset: int, size: int) -> Buffer:
        """Bytes [offset, offset + size). Raises ContentUnavailable when the picture is gone."""
        data = await picture_bytes(self._queries, PictureId(content.id), offset, size)
        if data is None:
            raise ContentUnavailable(f"picture {content.id}: it is no longer in the catalogue")
        return data
