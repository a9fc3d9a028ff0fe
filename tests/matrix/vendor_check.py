"""What becomes of a stranger's file: served with other tags, or as it is, with a reason.

Runs in a process of its own for each file, which is ended when it takes too long.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from musefs.indexing.inspection import Inspection, inspect
from musefs.layout.audio_range import audio_range
from musefs.layout.fetching import Ahead, parsed
from musefs.layout.formats import TAGS_AT_THE_END, TAIL_BYTES, Format
from musefs.layout.ranged import Extents, Malformed, in_memory
from musefs.layout.reading import read_tags
from musefs.layout.segments import Layout
from musefs.layout.synthesis import synthesise
from musefs.layout.tags import Tags
from musefs.layout.wish import Unservable, Wish
from tests.lab.decoding import pcm_md5
from tests.lab.readers.by_mutagen import read_by_mutagen
from tests.lab.served import HEAD_BYTES, Change, materialise
from tests.matrix.changes import CHANGES

LIMIT_S = 10.0
_PROCESSES = 2
_CHANGES = ("unchanged", "text_jpeg", "empty")
_SUFFIXES = {
    Format.FLAC: ".flac",
    Format.OGGFLAC: ".oga",
    Format.VORBIS: ".ogg",
    Format.OPUS: ".opus",
    Format.MP3: ".mp3",
    Format.TTA: ".tta",
    Format.WAV: ".wav",
    Format.AIFF: ".aiff",
    Format.DSF: ".dsf",
    Format.MP4: ".m4a",
    Format.WAVPACK: ".wv",
    Format.APE: ".ape",
    Format.MUSEPACK: ".mpc",
    Format.ASF: ".wma",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reason` says why the file is served as it is; `faults` what is wrong with the served one."""

    change: str
    reason: str | None = None
    faults: tuple[str, ...] = ()


def outcomes(paths: Iterable[Path]) -> dict[Path, list[Outcome]]:
    """All changes of all files; a file that takes more than LIMIT_S has one outcome, a fault."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    waiting = list(paths)[::-1]
    found: dict[Path, list[Outcome]] = {}
    while waiting:
        batch = [waiting.pop() for _ in range(min(_PROCESSES, len(waiting)))]
        pipes = [context.Pipe(duplex=False) for _ in batch]
        running = [
            context.Process(target=_answer, args=(path, pipe[1]))
            for path, pipe in zip(batch, pipes, strict=True)
        ]
        for process in running:
            process.start()
        for path, process, (receiving, sending) in zip(batch, running, pipes, strict=True):
            sending.close()
            found[path] = _received(receiving)
            process.kill()
            process.join()
            process.close()
            receiving.close()
    return found


def _received(pipe: Connection) -> list[Outcome]:
    try:
        if pipe.poll(LIMIT_S):
            answer: list[Outcome] = pipe.recv()
            return answer
    except EOFError:
        return [Outcome("any", None, ("the process ended without an answer",))]
    return [Outcome("any", None, (f"took more than {LIMIT_S:g} s",))]


def _answer(path: Path, pipe: Connection) -> None:
    pipe.send([_outcome(path, change) for change in _CHANGES])


def _outcome(path: Path, change: str) -> Outcome:
    original = path.read_bytes()

    async def read(offset: int, size: int) -> bytes:
        return original[offset : offset + size]

    found = asyncio.run(inspect(read, path.name, len(original)))
    if found.failure is not None:
        return Outcome(change, found.failure)
    wish = _wish(found, CHANGES[change])
    extents = Extents(len(original))
    extents.add(0, original[:HEAD_BYTES])
    ahead = Ahead(tail_bytes=TAIL_BYTES if found.format in TAGS_AT_THE_END else 0)
    try:
        layout = asyncio.run(
            parsed(read, extents, lambda file: synthesise(found.format, file, wish), ahead)
        )
    except (Unservable, Malformed) as error:
        return Outcome(change, str(error))
    return Outcome(change, None, tuple(_faults(path, found, wish, layout)))


def _wish(found: Inspection, change: Change) -> Wish:
    cover = change.picture.cover(found.format) if change.picture else None
    return Wish(change.tags(found.tags), found.pictures, cover, change.bare)


def _faults(path: Path, found: Inspection, wish: Wish, layout: Layout) -> Iterable[str]:
    original = path.read_bytes()
    cover = wish.cover
    picture = CHANGES["text_jpeg"].picture
    assert picture is not None
    served = materialise(layout, original, {cover.id: picture.data} if cover else {})
    yield from _differences("read_tags", wish.tags, read_tags(found.format, in_memory(served)).tags)
    with tempfile.TemporaryDirectory() as name:
        before, after = (Path(name) / f"{which}{_SUFFIXES[found.format]}" for which in "ba")
        before.write_bytes(original)
        after.write_bytes(served)
        yield from _mutagen_faults(before, after, wish)
        same_bytes = _audio(found.format, original) == _audio(found.format, served)
        # Pages get other numbers. What no decoder accepts has no sound to compare.
        if not same_bytes and pcm_md5(before) not in (None, pcm_md5(after)):
            yield "sounds unlike the original"


def _mutagen_faults(before: Path, after: Path, wish: Wish) -> Iterable[str]:
    if not _is_read_by_mutagen(before):
        return
    shown = read_by_mutagen([after])
    if after not in shown:
        yield "mutagen reads the original but not what is served"
    else:
        yield from _differences("mutagen", wish.tags, shown[after].fields)


def _is_read_by_mutagen(path: Path) -> bool:
    try:
        return path in read_by_mutagen([path])
    except Exception:  # noqa: BLE001 - broken files bring mutagen to raise anything
        return False


def _differences(reader: str, wished: Tags, found: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    for field in sorted(wished.keys() | found.keys()):
        if wished.get(field) != found.get(field):
            yield f"{reader}: {field} is {found.get(field)!r:.80}, not {wished.get(field)!r:.80}"


def _audio(kind: Format, data: bytes) -> bytes:
    start, end = audio_range(kind, in_memory(data))
    return data[start:end]
