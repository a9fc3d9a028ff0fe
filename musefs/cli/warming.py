"""The commands `prefetch`, `pin`, `unpin` and `pins`: music that is near before it is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from musefs.cli.locating import find_mounted, find_socket
from musefs.cli.options import ServiceOptions, TargetOptions, takes
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import columns, complain, printable, say, say_json, size
from musefs.cli.running import run
from musefs.control.client import Client
from musefs.library.pins import PinStatus
from musefs.library.prefetching import WarmingProgress

Report = Callable[[WarmingProgress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOptions(ServiceOptions):
    """What names tracks."""

    words: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY",
            help="A track or folder, under a mountpoint or in the tree; or words and "
            'field:"value", all of which a track must have.',
        ),
    ]


@ends_with_code
@takes(QueryOptions)
def prefetch(options: QueryOptions) -> ExitCode:
    """Bring tracks into the disk cache now. Exit code 2: some could not be fetched."""
    socket, query = _named(options)
    with _shown(quiet=options.as_json) as report:
        last = run(_prefetch(socket, query, report))
    if options.as_json:
        say_json(asdict(last))
    else:
        say(
            f"{last.tracks_done} of {last.tracks} tracks are in the disk cache or at hand: "
            f"{size(last.bytes_done)} of {size(last.bytes)}, {size(last.bytes_fetched)} fetched"
        )
    if not last.failed_tracks:
        return ExitCode.DONE
    complain(f"{last.failed_tracks} tracks failed; the last: {printable(last.error or '')}")
    return ExitCode.FILES_FAILED


@ends_with_code
@takes(QueryOptions)
def pin(options: QueryOptions) -> ExitCode:
    """Keep tracks offline from now on, also those that come later and match."""
    socket, query = _named(options)
    status = run(_pin(socket, query))
    if options.as_json:
        say_json(asdict(status))
        return ExitCode.DONE
    say(f"pinned {printable(status.query)}: {status.tracks} tracks, {size(status.bytes)}")
    if status.bytes_present < status.bytes and not status.over_budget:
        say(f"{size(status.bytes_present)} are here, the rest follows: see musefs pins")
    if status.over_budget:
        say("not all of them fit: raise cache.pins, or unpin something")
    return ExitCode.DONE


@ends_with_code
@takes(QueryOptions)
def unpin(options: QueryOptions) -> ExitCode:
    """End a pin; its tracks stay cached as long as there is room."""
    socket, query = _named(options)
    run(_unpin(socket, query))
    if options.as_json:
        say_json({"query": query, "unpinned": True})
    else:
        say(f"unpinned {printable(query)}")
    return ExitCode.DONE


@ends_with_code
@takes(TargetOptions)
def pins(options: TargetOptions) -> ExitCode:
    """List what is pinned, and how much of it is here."""
    found = run(_pins(find_socket(options, options.target)))
    if options.as_json:
        say_json({"pins": [asdict(status) for status in found]})
        return ExitCode.DONE
    if not found:
        say("nothing is pinned: musefs pin QUERY")
        return ExitCode.DONE
    for line in columns([("query", "tracks", "here", "of", "since", ""), *map(_row, found)]):
        say(line)
    for status in found:
        if status.error is not None:
            say(f"{printable(status.query)}: {printable(status.error)}")
    return ExitCode.DONE


def _named(options: QueryOptions) -> tuple[Path, str]:
    """The musefs that is meant, and the query as it is sent: a path below its root with "/"."""
    if len(options.words) > 1:
        return find_socket(options), " ".join(map(_quoted, options.words))
    [query] = options.words
    if not query.strip():
        raise typer.BadParameter("QUERY is empty: give a path, or words that tracks must have")
    # A word that happens to be the name of nothing is no path, wherever one stands.
    found = find_mounted(options, query) if query[0] == "/" or os.path.lexists(query) else None
    if found is not None:
        return found[0], f"/{found[1]}"
    return find_socket(options), query


def _quoted(word: str) -> str:
    """A word of the shell, which has taken the quotes away, as one term."""
    if '"' in word or not any(map(str.isspace, word)):
        return word
    field, colon, value = word.partition(":")
    if colon and not any(map(str.isspace, field)):
        return f'{field}:"{value}"'
    return f'"{word}"'


async def _prefetch(socket: Path, query: str, report: Report) -> WarmingProgress:
    last = WarmingProgress(0, 0, 0, 0, 0, 0)
    async with Client(socket) as client:
        async for last in client.prefetch(query):
            report(last)
    return last


async def _pin(socket: Path, query: str) -> PinStatus:
    async with Client(socket) as client:
        return await client.pin(query)


async def _unpin(socket: Path, query: str) -> None:
    async with Client(socket) as client:
        await client.unpin(query)


async def _pins(socket: Path) -> Sequence[PinStatus]:
    async with Client(socket) as client:
        return await client.pins()


def _row(status: PinStatus) -> tuple[str, ...]:
    since = datetime.fromtimestamp(status.pinned_at_s).astimezone().strftime("%Y-%m-%d %H:%M")
    note = "not all of it fits: raise cache.pins" if status.over_budget else ""
    counts = (str(status.tracks), size(status.bytes_present), size(status.bytes))
    return (printable(status.query), *counts, since, note)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Report]:
    """What to report progress to: a bar when stderr is a terminal, else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns_shown = (BarColumn(), TextColumn("{task.fields[counts]}"), TimeElapsedColumn())
    bars = Bars(*columns_shown, console=Console(stderr=True))
    task = bars.add_task("", total=None, counts="")

    def report(progress: WarmingProgress) -> None:
        counts = f"{size(progress.bytes_done)} of {size(progress.bytes)}"
        counts += f", {progress.failed_tracks} tracks failed" if progress.failed_tracks else ""
        bars.update(task, completed=progress.bytes_done, total=progress.bytes, counts=counts)

    with bars:
        yield report
