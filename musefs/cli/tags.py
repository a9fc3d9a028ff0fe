"""The commands `tags show|set|clear|art`: what the tree says of a track, and edits of it.

The files at the origins stay as they are: a running musefs keeps the edits and serves them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from musefs.cli.locating import find_entry
from musefs.cli.options import ServiceOptions, takes
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import columns, printable, say, say_json, size
from musefs.cli.running import run
from musefs.control.client import Client
from musefs.errors import InvalidImage, InvalidTags
from musefs.layout.images import IMAGE_BYTES_MAX, see_that_it_is_small
from musefs.layout.tag_values import VALUE_BYTES_MAX
from musefs.library.track_tags import SHOWN_MAX, ArtOfTrack, Edited, TrackTags

EDITED_MARK = "*"
_PICTURES = {0: "other picture", 3: "front cover", 4: "back cover"}

commands = typer.Typer(
    name="tags",
    help="Show and change tags and covers as a running musefs serves them.",
    no_args_is_help=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryOptions(ServiceOptions):
    """What `tags show` and `tags clear` are told."""

    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="A track, or a folder for all below: under a mountpoint or in the tree.",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOptions(EntryOptions):
    """What `tags set` is told."""

    words: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE...",
            help="Repeat a key for several values; KEY= removes the field; KEY@=FILE reads a file.",
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtOptions(EntryOptions):
    """What `tags art` is told."""

    image: Annotated[
        Path | None, typer.Argument(metavar="IMAGE", help="A JPEG or PNG of at most 10 MiB.")
    ] = None
    remove: Annotated[bool, typer.Option("--remove", help="Show no picture at all.")] = False


@commands.command()
@ends_with_code
@takes(EntryOptions)
def show(options: EntryOptions) -> ExitCode:
    """Show the tags of a track, or list the tracks below a folder."""
    socket, path = find_entry(options, options.path)
    tracks = run(_tags(socket, path))
    if options.as_json:
        say_json({"tracks": [asdict(track) for track in tracks]})
        return ExitCode.DONE
    depth = len(list(filter(None, path.split("/"))))
    is_track = len(tracks) == 1 and tracks[0].path.strip("/").count("/") + 1 == depth
    for line in _table(tracks[0]) if is_track else _list(tracks):
        say(line)
    return ExitCode.DONE


@commands.command("set")
@ends_with_code
@takes(SetOptions)
def set_fields(options: SetOptions) -> ExitCode:
    """Set or remove fields of a track, or of all tracks below a folder."""
    words = [_split(word) for word in options.words]
    socket, path = find_entry(options, options.path)
    changes: dict[str, list[str]] = {}
    for key, value in words:
        name = key.removesuffix("@")
        texts = [_text_of(Path(value)) if name != key else value]
        changes.setdefault(name, []).extend(filter(None, texts))
    return _told(run(_set(socket, path, changes)), options)


@commands.command()
@ends_with_code
@takes(EntryOptions)
def clear(options: EntryOptions) -> ExitCode:
    """Take every edit back: tags and pictures are those of the file again."""
    socket, path = find_entry(options, options.path)
    return _told(run(_clear(socket, path)), options)


@commands.command()
@ends_with_code
@takes(ArtOptions)
def art(options: ArtOptions) -> ExitCode:
    """Give a track, or all tracks below a folder, another front cover."""
    if (options.image is None) == (not options.remove):
        raise typer.BadParameter("give the path of an image, or --remove: one of them")
    socket, path = find_entry(options, options.path)
    image = _image_of(options.image) if options.image is not None else None
    return _told(run(_set_art(socket, path, image)), options)


def _split(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not key.removesuffix("@"):
        raise typer.BadParameter(f"{printable(word)}: should be KEY=VALUE, such as title=Blue")
    return key, value


def _text_of(path: Path) -> str:
    """The value that a file holds. Raises InvalidTags."""
    try:
        with path.open("rb") as file:
            value = file.read(VALUE_BYTES_MAX + 1)
    except OSError as error:
        raise InvalidTags(
            f"{path}: {error.strerror}: name a file to read the value from"
        ) from error
    if len(value) > VALUE_BYTES_MAX:
        raise InvalidTags(
            f"{path}: has more than {size(VALUE_BYTES_MAX)}: a value may have no more"
        )
    try:
        return value.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidTags(f"{path}: is not UTF-8: convert it (iconv -t UTF-8)") from error


def _image_of(path: Path) -> bytes:
    """The bytes of a picture. Raises InvalidImage."""
    try:
        with path.open("rb") as file:
            # Its size first: what is too large is not read.
            see_that_it_is_small(os.fstat(file.fileno()).st_size)
            image = file.read(IMAGE_BYTES_MAX + 1)
            see_that_it_is_small(len(image))
    except OSError as error:
        raise InvalidImage(f"{path}: {error.strerror}: name a JPEG or PNG") from error
    except InvalidImage as error:
        raise InvalidImage(f"{path}: {error}") from error
    return image


async def _tags(socket: Path, path: str) -> list[TrackTags]:
    async with Client(socket) as client:
        return await client.tags(path)


async def _set(socket: Path, path: str, changes: dict[str, list[str]]) -> Edited:
    async with Client(socket) as client:
        return await client.set_tags(path, changes)


async def _clear(socket: Path, path: str) -> Edited:
    async with Client(socket) as client:
        return await client.clear_tags(path)


async def _set_art(socket: Path, path: str, image: bytes | None) -> Edited:
    async with Client(socket) as client:
        return await client.set_art(path, image)


def _told(edited: Edited, options: EntryOptions) -> ExitCode:
    """What an edit did: where the tracks are now, and what is not shown as it should be."""
    if options.as_json:
        say_json(asdict(edited))
        return ExitCode.DONE
    for track in edited.tracks:
        say(printable(track.path))
        if track.untouched is not None:
            say(f"  served with its original bytes: {printable(track.untouched)}")
    if edited.count > len(edited.tracks):
        say(f"and {edited.count - len(edited.tracks)} more")
    if edited.pending:
        say("stored; the mount shows it later (musefs status tells how many changes are to follow)")
    return ExitCode.DONE


def _list(tracks: Sequence[TrackTags]) -> Iterator[str]:
    """A line for each track."""
    rows = [(printable(track.path), track.format, _edits(track)) for track in tracks]
    yield from columns(rows)
    if len(tracks) >= SHOWN_MAX:
        yield f"these are the first {SHOWN_MAX}: name a smaller folder for others"


def _edits(track: TrackTags) -> str:
    edited = f"edited: {', '.join(map(printable, track.edited))}" if track.edited else ""
    return f"{edited}, served untouched" if track.untouched is not None else edited


def _table(track: TrackTags) -> list[str]:
    """A line for each value; edited fields are marked."""
    rows = [("path", printable(track.path)), ("format", track.format)]
    removed = [name for name in track.edited if name not in track.tags and name != "art"]
    for name in sorted({*track.tags, *removed}):
        rows += _field_rows(track, name, track.tags.get(name, ()))
    rows += _field_rows(track, "art", [_art(picture) for picture in track.art])
    if track.untouched is not None:
        rows.append(("untouched", printable(track.untouched)))
    return columns(rows)


def _field_rows(track: TrackTags, name: str, values: Sequence[str]) -> list[tuple[str, str]]:
    """Rows of one field, the name in the first; a value of several lines has several rows."""
    is_edited = name in track.edited
    lines = [printable(line) for value in values for line in value.split("\n")]
    if is_edited and not lines:
        lines = ["(removed)"]
    names = [f"{printable(name)} {EDITED_MARK}" if is_edited else printable(name)]
    names += [""] * (len(lines) - 1)
    return list(zip(names, lines, strict=False))


def _art(picture: ArtOfTrack) -> str:
    kind = _PICTURES.get(picture.kind, f"picture of type {picture.kind}")
    given = ", given" if picture.given else ""
    return f"{kind}, {picture.mime or 'unknown type'}, {size(picture.length)}{given}"
