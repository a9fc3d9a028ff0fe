"""The commands that ask a running musefs: `status`, `rescan` and `shutdown`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from musefs.cli import progress
from musefs.cli.locating import find_socket
from musefs.cli.options import Full, ServiceOptions, TargetOptions, takes
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import columns, duration, printable, say, say_json, share, size
from musefs.cli.running import run
from musefs.cli.stopping import stop_and_wait
from musefs.control.client import Client
from musefs.indexing.scanning import Progress, ScanOptions
from musefs.status import OriginStatus, Status

END_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class RescanOptions(ServiceOptions):
    """What `rescan` is told."""

    origin: Annotated[
        str | None, typer.Argument(metavar="ORIGIN", help="An origin's id; default: all.")
    ] = None
    accept_removals: Annotated[
        bool,
        typer.Option("--accept-removals", help="Forget files even when most of them are gone."),
    ] = False
    full: Full = False


@dataclass(frozen=True, slots=True)
class ShutdownOptions(TargetOptions):
    """What `shutdown` is told."""

    drain_s: Annotated[
        float,
        typer.Option(
            "--drain", metavar="SECONDS", min=0, max=3600, help="Let open files be read so long."
        ),
    ] = 0.0


@ends_with_code
@takes(TargetOptions)
def status(options: TargetOptions) -> ExitCode:
    """Show how a running musefs does: origins, library, cache."""
    answer = run(_status(find_socket(options, options.target)))
    if options.as_json:
        say_json(asdict(answer))
    else:
        for line in _told(answer):
            say(line)
    return ExitCode.DONE


@ends_with_code
@takes(RescanOptions)
def rescan(options: RescanOptions) -> ExitCode:
    """Have a running musefs look for changes. Exit code 2: some files failed."""
    socket = find_socket(options)
    wanted = ScanOptions(full=options.full, accept_removals=options.accept_removals)
    with progress.shown(quiet=options.as_json) as report:
        progresses = run(_rescan(socket, options.origin, wanted, report))
    if options.as_json:
        say_json({"origins": [asdict(one) for one in progresses]})
    else:
        progress.summarise(progresses)
    return progress.outcome(progresses)


@ends_with_code
@takes(ShutdownOptions)
def shutdown(options: ShutdownOptions) -> ExitCode:
    """Have a running musefs unmount and end, and wait for that."""
    socket = find_socket(options, options.target)
    run(stop_and_wait(socket, options.drain_s, END_TIMEOUT_S))
    if options.as_json:
        say_json({"socket": str(socket), "ended": True})
    else:
        say(f"the musefs at {socket} has ended")
    return ExitCode.DONE


async def _status(socket: Path) -> Status:
    async with Client(socket) as client:
        return await client.status()


async def _rescan(
    socket: Path, origin: str | None, options: ScanOptions, report: progress.Report
) -> list[Progress]:
    """The last that was told of each origin."""
    latest: dict[str, Progress] = {}
    async with Client(socket) as client:
        async for told in client.rescan(origin, options):
            latest[told.origin] = told
            report(told)
    return list(latest.values())


def _told(status: Status) -> list[str]:
    cache = status.cache
    unserved = f", {status.unserved} unserved or as they are" if status.unserved else ""
    pending = f", {status.pending} changes to follow" if status.pending else ""
    rows = [
        ("musefs", f"{status.version}, process {status.pid}, up {duration(status.uptime_s)}"),
        ("mounted", f"{status.mountpoint}, {status.mode}, {status.open_files} open files"),
        ("state", status.state),
        (
            "library",
            f"{status.tracks} tracks, {status.sidecars} sidecars, {status.folders} folders, "
            f"{size(status.library_bytes)}{unserved}{pending}",
        ),
        (
            "memory",
            f"{size(cache.memory_bytes)} of {size(cache.memory_bytes_max)}, "
            f"{share(cache.memory_hits, cache.memory_misses)} hits",
        ),
        (
            "disk",
            f"{size(cache.disk_bytes)} of {size(cache.disk_bytes_max)}, "
            f"{share(cache.disk_hits, cache.disk_misses)} hits, "
            f"{size(cache.disk_saved_bytes)} saved by sharing, {cache.corrupt_chunks} corrupt",
        ),
    ]
    head = ("origin", "kind", "priority", "health", "files", "scan")
    return [
        *columns(rows),
        "",
        *columns([head, *map(_origin_row, status.origins)]),
        *_errors(status),
    ]


def _origin_row(origin: OriginStatus) -> tuple[str, ...]:
    scan = "done" if origin.scan_done else f"{origin.listed} listed"
    if origin.failed:
        scan += f", {origin.failed} failed"
    if origin.held_back:
        scan += f", {origin.held_back} held back"
    counts = (str(origin.priority), origin.health, str(origin.files), scan)
    return (origin.id, origin.kind, *counts)


def _errors(status: Status) -> list[str]:
    return [f"{origin.id}: {printable(origin.error)}" for origin in status.origins if origin.error]
