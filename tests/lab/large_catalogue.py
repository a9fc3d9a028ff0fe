"""A catalogue of very many tracks, written as a scan leaves it, without their files.

Few files are really there, in a folder of their own: a scan finds them, and holds the others back,
since more than half of all are missing. The tree is complete, so a mount has nothing to place.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from musefs.app.parts import tree_rules
from musefs.catalog.database import open_database
from musefs.catalog.tracks import StoredTrack, TrackFile
from musefs.config import load
from musefs.library.placing import TreeRules
from musefs.model import ContentId, TrackId
from tests.indexing.music import flac_of
from tests.lab.mounting import musefs, write_config

TRACKS_PER_ALBUM = 12
ALBUMS_PER_ARTIST = 16
IN_ONE_FOLDER = 0.1
"""Of all tracks, those in a single album."""
REAL_FILES = 40
AUDIO_BYTES = 300_000
ONE_FOLDER = "Collection/1999 - Everything"
REAL_FOLDER = "Unknown/Unknown"

_ORIGIN = "nas"
_FIRST_INODE = 100
_MTIME_NS = 1_700_000_000_000_000_000
_SIZE = 31_000_000


@dataclass(frozen=True, slots=True)
class LargeLibrary:
    """Where everything is: the configuration, and the folder of the origin."""

    config: Path
    origin: Path
    tracks: int

    def some_path(self, number: int) -> str:
        """Where a track is in the tree; those of the single album are behind all others."""
        return "/".join(_place(number, self.tracks)) + f"/{_name(number, self.tracks)}"

    @property
    def in_one_folder(self) -> int:
        """How many tracks the largest folder has."""
        return self.tracks - _first_in_one_folder(self.tracks)

    @property
    def real_names(self) -> list[str]:
        """The tracks whose files are there, in REAL_FOLDER of the tree."""
        return [f"Real {number}.flac" for number in range(REAL_FILES)]


def make_library(folder: Path, tracks: int) -> LargeLibrary:
    """A configuration, an origin and a catalogue in this folder. Raises RuntimeError."""
    origin, state = folder / "origin", folder / "state"
    (origin / "real").mkdir(parents=True)
    state.mkdir(mode=0o700)
    noise = random.Random(tracks).randbytes(AUDIO_BYTES)
    for number in range(REAL_FILES):
        audio = noise[number:] + noise[:number]
        path = origin / "real" / f"{number}.flac"
        path.write_bytes(flac_of(f"Real {number}", b"", audio))
    origins = [{"id": _ORIGIN, "kind": "local", "path": str(origin), "watch": "inotify"}]
    config = write_config(folder / "musefs.yaml", {"state": str(state), "origins": origins})
    library = LargeLibrary(config, origin, tracks)
    _write_catalogue(library, state / "catalogue.db")
    done = musefs("scan", config, timeout_s=600)
    if f"{REAL_FILES} inspected, 0 failed" not in done.stdout:
        raise RuntimeError(f"the library cannot be scanned: {done.stdout} {done.stderr}")
    return library


def _write_catalogue(library: LargeLibrary, path: Path) -> None:
    rules = tree_rules(load(library.config, {}))
    for number in (0, TRACKS_PER_ALBUM, library.tracks - 1):
        _see_that_it_is_placed_so(rules, number, library.tracks)
    asyncio.run(_make_empty(path))
    count = range(library.tracks)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        many = connection.executemany
        connection.execute("INSERT INTO settings VALUES ('tree_rules', ?)", [rules.text])
        many("INSERT INTO contents VALUES (?, ?, ?, 131, ?, ?, NULL)", map(_content, count))
        files = (_file(number, library.tracks) for number in count)
        many("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?, ?, 'audio', ?, NULL)", files)
        numbers = ((number + 1, number + 1) for number in count)
        many("INSERT INTO tracks VALUES (?, ?, 'flac', 251.5, NULL)", numbers)
        tags = (
            (number + 1, name, 0, value)
            for number in count
            for name, value in sorted(_tags(number, library.tracks).items())
        )
        many("INSERT INTO tags VALUES (?, ?, ?, ?)", tags)
        many(
            "INSERT INTO nodes (inode, parent, name, folded, kind, track_id, content_id, size,"
            " mtime_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            _nodes(library.tracks),
        )
        connection.execute(
            "UPDATE nodes SET subfolders = (SELECT count(*) FROM nodes c"
            " WHERE c.parent = nodes.inode AND c.kind = 'folder') WHERE kind = 'folder'"
        )
        connection.execute("COMMIT")


async def _make_empty(path: Path) -> None:
    database = await open_database(path)
    await database.aclose()


def _see_that_it_is_placed_so(rules: TreeRules, number: int, tracks: int) -> None:
    """Raise RuntimeError when the product would put a track elsewhere."""
    file = TrackFile(_ORIGIN, _path(number, tracks), _SIZE, _MTIME_NS)
    tags = {name: [value] for name, value in _tags(number, tracks).items()}
    track = StoredTrack(TrackId(1), ContentId(1), "flac", tags, [file])
    wanted = (*_place(number, tracks), _name(number, tracks))
    if rules.place(track, file) != wanted:
        raise RuntimeError(f"the tree has {rules.place(track, file)}, not {wanted}")


def _first_in_one_folder(tracks: int) -> int:
    return tracks - int(tracks * IN_ONE_FOLDER)


def _album(number: int, tracks: int) -> tuple[str, str, int]:
    """Artist, album, and the number of a track in it, from 1."""
    first = _first_in_one_folder(tracks)
    if number >= first:
        return "Collection", "Everything", number - first + 1
    album, position = divmod(number, TRACKS_PER_ALBUM)
    return f"Artist {album // ALBUMS_PER_ARTIST:05}", f"Album {album:06}", position + 1


def _tags(number: int, tracks: int) -> dict[str, str]:
    artist, album, position = _album(number, tracks)
    return {
        "album": album,
        "albumartist": artist,
        "artist": artist,
        "date": "1999",
        "genre": "Rock",
        "isrc": f"XX{number:010}",
        "title": f"The title of song {number}",
        "tracknumber": str(position),
    }


def _place(number: int, tracks: int) -> tuple[str, str]:
    artist, album, _ = _album(number, tracks)
    return artist, f"1999 - {album}"


def _name(number: int, tracks: int) -> str:
    return f"{_album(number, tracks)[2]:02} The title of song {number}.flac"


def _path(number: int, tracks: int) -> str:
    artist, album, position = _album(number, tracks)
    return f"{artist}/{album}/{position:02}.flac"


def _content(number: int) -> tuple[object, ...]:
    # As scattered as real fingerprints are.
    fingerprint = random.Random(number).randbytes(32)
    size = _SIZE + number
    return number + 1, size, fingerprint, size, f"0 131 {size}"


def _file(number: int, tracks: int) -> tuple[object, ...]:
    path, size, mtime_ns = _path(number, tracks), _SIZE + number, _MTIME_NS + number
    folder = path.rpartition("/")[0]
    version = f"{size}-{mtime_ns}-{number}"
    return number + 1, _ORIGIN, path.encode(), folder.encode(), size, mtime_ns, version, number + 1


def _nodes(tracks: int) -> Iterator[tuple[object, ...]]:
    """Folders in front of what is in them."""
    inode = _FIRST_INODE
    folders: dict[tuple[str, ...], int] = {(): 1}
    for number in range(tracks):
        place = _place(number, tracks)
        for depth in (1, 2):
            path = place[:depth]
            if path in folders:
                continue
            folders[path] = inode
            parent, name = folders[path[:-1]], path[-1]
            yield inode, parent, name, name, "folder", None, None, 0, _MTIME_NS
            inode += 1
        name = _name(number, tracks)
        shown = number + 1, number + 1, _SIZE + number, _MTIME_NS + number
        yield inode, folders[place], name, name, "track", *shown
        inode += 1
