"""The smallest files that are music, and an origin with a catalogue that follows it."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from musefs.catalog.chunks import Chunks
from musefs.catalog.database import Database
from musefs.catalog.files import Files
from musefs.catalog.tracks import stored_tracks
from musefs.indexing.examining import Examiner
from musefs.indexing.inspection import DEFAULT_ENDS
from musefs.indexing.scanning import Progress, Scanner, ScanOptions
from musefs.indexing.selecting import Selection
from musefs.indexing.verifying import Verifier
from origins import AccessDenied, Origin, OriginUnavailable
from tests.fakes.origin import FakeOrigin, Rule, Troubled, no_trouble

_STREAMINFO = struct.pack(">HHHHQ", 4096, 4096, 0, 0, 44100 << 44 | 1 << 41 | 15 << 36) + bytes(16)
SIDECARS = ("cover.*", "*.cue")

DENIED = AccessDenied("nas: permission denied: chmod +r it")
DOWN = OriginUnavailable("nas: connection refused: is it on?")


def flac(title: str) -> bytes:
    """A FLAC file of one title (RFC 9639 section 8) whose audio depends on it."""
    entry = f"TITLE={title}".encode()
    comment = struct.pack("<III", 0, 1, len(entry)) + entry
    blocks = bytes([0, *len(_STREAMINFO).to_bytes(3, "big")]) + _STREAMINFO
    blocks += bytes([0x84, *len(comment).to_bytes(3, "big")]) + comment
    return b"fLaC" + blocks + b"\xff\xf8" + title.encode() * 10


def flac_with_art(title: str, art: bytes, audio_bytes: int) -> bytes:
    """The same with a front cover (RFC 9639 section 8.8), padding, and so much audio."""
    return flac_of(title, art, random.Random(title).randbytes(audio_bytes))


def flac_of(title: str, art: bytes, audio: bytes) -> bytes:
    """The same with this audio."""
    entry = f"TITLE={title}".encode()
    comment = struct.pack("<III", 0, 1, len(entry)) + entry
    mime = b"image/jpeg"
    picture = (
        struct.pack(">II", 3, len(mime)) + mime + struct.pack(">IIIIII", 0, 1, 1, 24, 0, len(art))
    )
    info = _STREAMINFO[:8] + bytes(2) + _STREAMINFO[8:]
    blocks = b""
    for kind, body in ((0, info), (4, comment), (6, picture + art), (0x81, bytes(3000))):
        blocks += bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"fLaC" + blocks + b"\xff\xf8" + audio


def album(count: int) -> dict[str, bytes]:
    """So many tracks in one folder."""
    return {f"album/{n:04}.flac": flac(f"title {n}") for n in range(count)}


@dataclass
class Indexed:
    """An origin, trouble before it, and the catalogue that a scanner keeps of it."""

    database: Database
    fake: FakeOrigin
    at_once_max: int = 4
    commits: int = 0
    troubled: Troubled = field(init=False)
    files: Files = field(init=False)
    scanner: Scanner = field(init=False)
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        self.troubled = Troubled(self.fake, no_trouble)
        self.files = Files(self.database)
        examiner = Examiner(DEFAULT_ENDS, self.at_once_max)
        self.scanner = Scanner(self.files, examiner, Selection(SIDECARS), self._committed)
        digests = Chunks(self.database).chunks
        self.verifier = Verifier(self.database, examiner, digests, self._committed)

    def _committed(self) -> None:
        self.commits += 1

    @property
    def origin(self) -> Origin:
        """The origin with its trouble."""
        return self.troubled

    async def scan(
        self, *paths: str, full: bool = False, accept_removals: bool = False
    ) -> Progress:
        """Scan once, everything when no path is given."""
        progress = Progress(self.fake.id)
        options = ScanOptions(paths or ("",), full, accept_removals)
        await self.scanner.scan(self.troubled, options, progress)
        return progress

    def take_reads(self) -> list[str]:
        """The paths of all reads since the last call."""
        paths = [path for path, _, _ in self.fake.reads]
        self.fake.reads.clear()
        return paths

    async def titles(self) -> dict[str, str]:
        """The title that the catalogue has for each path of a track."""
        rows = await self.database.rows("SELECT id FROM tracks")
        tracks = await stored_tracks(self.database, [row[0] for row in rows])
        return {
            file.path: track.tags.get("title", ["?"])[0] for track in tracks for file in track.files
        }

    async def paths(self) -> set[str]:
        """All paths that the catalogue knows."""
        rows = await self.database.rows("SELECT path FROM files")
        return {row[0].decode("utf-8", "surrogateescape") for row in rows}


def failing_at(error: Exception, *paths: str, operation: str = "read") -> Rule:
    """A rule that raises in one operation on these paths."""

    async def rule(name: str, path: str) -> None:
        if name == operation and path in paths:
            raise error

    return rule


def failing_after(error: Exception, count: int, operation: str) -> Rule:
    """A rule that lets so many operations pass."""
    left = count

    async def rule(name: str, path: str) -> None:
        nonlocal left
        left -= name == operation
        if left < 0:
            raise error

    return rule
