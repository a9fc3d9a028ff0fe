"""Pictures that users gave: kept once by their digest, read in ranges."""

from __future__ import annotations

from dataclasses import dataclass

from blake3 import blake3

from musefs.catalog.database import Queries, Transaction
from musefs.model import PictureId


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """What is known of a picture; sizes in bytes and pixels."""

    id: PictureId
    mime: str
    width: int
    height: int
    size: int


@dataclass(frozen=True, slots=True)
class NewPicture:
    """A picture that was checked."""

    mime: str
    width: int
    height: int
    data: bytes


_COLUMNS = "id, mime, width, height, size"


async def keep_picture(tx: Transaction, new: NewPicture) -> PictureId:
    """Store a picture, or find the one with these bytes."""
    digest = blake3(new.data).digest()
    row = await tx.row("SELECT id FROM pictures WHERE digest = ?", [digest])
    if row is not None:
        return PictureId(row[0])
    rows = await tx.rows(
        "INSERT INTO pictures (digest, mime, width, height, size, bytes)"
        " VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
        [digest, new.mime, new.width, new.height, len(new.data), new.data],
    )
    return PictureId(rows[0][0])


async def picture(queries: Queries, picture_id: PictureId) -> StoredPicture | None:
    """One picture without its bytes, or None."""
    row = await queries.row(f"SELECT {_COLUMNS} FROM pictures WHERE id = ?", [picture_id])
    return StoredPicture(*row) if row else None


async def picture_bytes(
    queries: Queries, picture_id: PictureId, offset: int, size: int
) -> bytes | None:
    """Bytes [offset, offset + size) of a picture, fewer at its end; None when it is gone."""
    row = await queries.row(
        # SQLite counts from 1, and reads no further than it has to.
        "SELECT substr(bytes, ?, ?) FROM pictures WHERE id = ?",
        [offset + 1, size, picture_id],
    )
    return bytes(row[0]) if row else None


async def sweep_pictures(tx: Transaction) -> int:
    """Forget the pictures that no track shows; how many. Not while files may be open."""
    return await tx.run(
        "DELETE FROM pictures"
        " WHERE NOT EXISTS (SELECT 1 FROM edited WHERE edited.picture_id = pictures.id)"
    )
