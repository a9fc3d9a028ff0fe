"""Shows sidecar files (covers, cue sheets, logs, lyrics) beside the tracks of their folder.

A sidecar goes where most tracks of its folder are. When its folder has none, but the folders just
below it all lead to one place (the discs of an album), it goes there. Of several files with the
same bytes at one place (replicas of an album) one is shown. One that is named like a track (lyrics)
gets the track's new name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from musefs.catalog import sidecars
from musefs.catalog.database import Transaction
from musefs.catalog.nodes import NewNode, Node
from musefs.catalog.paths import folder_of
from musefs.catalog.sidecars import SidecarFile
from musefs.library.placing import Placing
from musefs.model import ContentId, Inode


async def place_sidecars(
    placing: Placing, tx: Transaction, folders: Iterable[tuple[str, str]]
) -> None:
    """Put the sidecars of these (origin, folder) pairs, and of those above them, in place."""
    todo = deque(folders)
    # A folder of discs: its sidecars depend on the folders below it.
    todo.extend((origin, folder_of(folder)) for origin, folder in list(todo) if "/" in folder)
    for entry in await sidecars.orphans(tx):
        replica = await sidecars.hand_over(tx, entry)
        if replica is None:
            await placing.take_out(entry)
        else:
            todo.append(replica)
    todo = deque(await sidecars.with_sidecars(tx, list(dict.fromkeys(todo))))
    new: dict[int, tuple[SidecarFile, Inode | None, dict[str, str]]] = {}
    while todo:
        origin, folder = todo.popleft()
        files = await sidecars.sidecar_files(tx, origin, folder)
        parent = await _place_of(tx, origin, folder) if files else None
        stems = await _new_stems(tx, origin, folder, parent) if parent is not None else {}
        for file in files:
            if file.entry is None:
                new[file.id] = (file, parent, stems)
                continue
            await _place(placing, tx, file, parent, stems)
            # Where its bytes are no longer shown, a replica may have to stand in.
            if (left := _left(file.entry, file, parent)) is not None:
                todo.extend(await sidecars.hidden_replicas(tx, left))
    # Last, so that of equal bytes those that have an inode keep it.
    for file, parent, stems in new.values():
        await _place(placing, tx, file, parent, stems)


async def _place_of(tx: Transaction, origin: str, folder: str) -> Inode | None:
    direct = await sidecars.track_folders(tx, origin, folder)
    if direct:
        return direct[0]
    below = await sidecars.track_folders_below(tx, origin, folder) if folder else []
    return below[0] if len(below) == 1 else None


async def _new_stems(tx: Transaction, origin: str, folder: str, parent: Inode) -> dict[str, str]:
    """What the tracks of a folder were called, and are called now, without their extensions."""
    names = await sidecars.track_names(tx, origin, folder, parent)
    return {path.rpartition(".")[0]: name.rpartition(".")[0] for path, name in names}


async def _place(
    placing: Placing,
    tx: Transaction,
    file: SidecarFile,
    parent: Inode | None,
    stems: dict[str, str],
) -> None:
    entry = file.entry
    own = entry.inode if entry is not None else None
    if parent is None or await sidecars.twin(tx, parent, file.content_id, own):
        if entry is not None:
            await placing.take_out(entry)
        return
    new = NewNode(
        parent=parent,
        name=placing.sidecar_name(file.path, stems.get(file.path.rpartition(".")[0])),
        folded="",
        kind="sidecar",
        size=file.size,
        mtime_ns=file.mtime_ns,
        file_id=file.id,
        content_id=file.content_id,
    )
    await placing.put(new, entry)


def _left(entry: Node, file: SidecarFile, parent: Inode | None) -> ContentId | None:
    """The bytes that a sidecar's entry showed at a place where it does not show them any more."""
    stays = (entry.parent, entry.content_id) == (parent, file.content_id)
    return None if stays else entry.content_id
