"""What users have set: tags and pictures of tracks, beside what their files say of themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from musefs.catalog.database import Queries, Transaction
from musefs.catalog.pictures import StoredPicture
from musefs.model import PictureId, TrackId

ArtChoice = Literal["own", "given", "none"]


@dataclass(frozen=True, slots=True)
class Edits:
    """What was set of one track: fields with their values (none: removed), and its pictures.

    `edited_ns` is the time of the last edit, which a `clear` is too.
    """

    edited_ns: int
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    art: ArtChoice = "own"
    picture: StoredPicture | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the file is what it would be without them."""
        return not self.fields and self.art == "own"

    def over(self, tags: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """These tags with the edits in place."""
        merged = {name: tuple(values) for name, values in tags.items()} | dict(self.fields)
        return {name: values for name, values in merged.items() if values}


async def edits_of(queries: Queries, tracks: Sequence[TrackId]) -> dict[TrackId, Edits]:
    """The edits of these tracks (some hundreds at most); those never edited left out."""
    marks = ",".join("?" * len(tracks))
    rows = await queries.rows(
        "SELECT e.track_id, e.edited_ns, e.art, p.id, p.mime, p.width, p.height, p.size"
        " FROM edited e LEFT JOIN pictures p ON p.id = e.picture_id"
        f" WHERE e.track_id IN ({marks})",
        tracks,
    )
    if not rows:
        return {}
    values = await queries.rows(
        "SELECT track_id, field, value FROM edits"
        f" WHERE track_id IN ({marks}) ORDER BY track_id, field, position",
        tracks,
    )
    fields: dict[TrackId, dict[str, tuple[str, ...]]] = {}
    for track_id, name, value in values:
        known = fields.setdefault(track_id, {})
        known[name] = (*known.get(name, ()), *(() if value is None else (value,)))
    return {
        row[0]: Edits(
            edited_ns=row[1],
            fields=fields.get(row[0], {}),
            art=row[2],
            picture=StoredPicture(*row[3:]) if row[3] is not None else None,
        )
        for row in rows
    }


async def set_fields(
    tx: Transaction,
    tracks: Sequence[TrackId],
    changes: Mapping[str, Sequence[str]],
    now_ns: int,
) -> None:
    """Have these tracks have these values; a field without values is removed."""
    await _mark_edited(tx, tracks, now_ns)
    await tx.run_many(
        "DELETE FROM edits WHERE track_id = ? AND field = ?",
        [(track_id, name) for track_id in tracks for name in changes],
    )
    await tx.run_many(
        "INSERT INTO edits (track_id, field, position, value) VALUES (?, ?, ?, ?)",
        [
            (track_id, name, position, value)
            for track_id in tracks
            for name, values in changes.items()
            for position, value in enumerate(values or (None,))
        ],
    )


async def set_art(
    tx: Transaction, tracks: Sequence[TrackId], picture_id: PictureId | None, now_ns: int
) -> None:
    """Have these tracks show this picture as their cover, or none at all."""
    await _mark_edited(tx, tracks, now_ns)
    await tx.run_many(
        "UPDATE edited SET art = ?, picture_id = ? WHERE track_id = ?",
        [("none" if picture_id is None else "given", picture_id, track) for track in tracks],
    )


async def clear_edits(tx: Transaction, tracks: Sequence[TrackId], now_ns: int) -> None:
    """Have these tracks be what their files say."""
    known = [(now_ns, track_id) for track_id in tracks]
    await tx.run_many("DELETE FROM edits WHERE track_id = ?", [(track_id,) for track_id in tracks])
    await tx.run_many(
        "UPDATE edited SET art = 'own', picture_id = NULL, edited_ns = max(edited_ns + 1, ?),"
        " unmade = 0 WHERE track_id = ?",
        known,
    )
    await log_tracks(tx, tracks)


async def log_tracks(tx: Transaction, tracks: Iterable[TrackId]) -> None:
    """These tracks have to be placed again."""
    await tx.run_many(
        "INSERT INTO changelog (track_id) VALUES (?)", [(track_id,) for track_id in tracks]
    )


async def _mark_edited(tx: Transaction, tracks: Sequence[TrackId], now_ns: int) -> None:
    # The time names the edit as well: it has to grow, whatever the clock does.
    await tx.run_many(
        "INSERT INTO edited (track_id, edited_ns) VALUES (?, ?)"
        " ON CONFLICT (track_id) DO UPDATE SET edited_ns = max(edited_ns + 1, excluded.edited_ns),"
        " unmade = 1",
        [(track_id, now_ns) for track_id in tracks],
    )
    await log_tracks(tx, tracks)
