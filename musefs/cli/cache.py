"""The commands `cache stats|clear|verify`, and `backup`: what a running musefs has stored."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bars

from musefs.cli.locating import find_socket
from musefs.cli.options import ServiceOptions, TargetOptions, takes
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import columns, complain, say, say_json, share, size
from musefs.cli.running import run
from musefs.control.client import Client
from musefs.status import BackedUp, CacheStats, Cleared, VerifyProgress

Report = Callable[[VerifyProgress], None]

commands = typer.Typer(
    name="cache",
    help="See, empty and check what a running musefs keeps in memory and on the disk.",
    no_args_is_help=True,
)


class Tier(StrEnum):
    """Which cache."""

    MEMORY = "memory"
    CHUNKS = "chunks"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ClearOptions(TargetOptions):
    """What `cache clear` is told."""

    tier: Annotated[Tier, typer.Option("--tier", help="The memory, the disk, or both.")] = Tier.ALL
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would free.")] = False


@dataclass(frozen=True, slots=True)
class VerifyOptions(TargetOptions):
    """What `cache verify` is told."""

    originals: Annotated[
        bool,
        typer.Option(
            "--originals", help="Then read the originals too, and compare them: costs their bytes."
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class BackupOptions(ServiceOptions):
    """What `backup` is told."""

    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Must not be there yet; default: in STATE/backups, by the time."
        ),
    ] = None


@commands.command()
@ends_with_code
@takes(TargetOptions)
def stats(options: TargetOptions) -> ExitCode:
    """Show what the caches hold, and how they did since the start."""
    answer = run(_stats(find_socket(options, options.target)))
    if options.as_json:
        say_json(asdict(answer))
    else:
        for line in columns(_rows(answer)):
            say(line)
    return ExitCode.DONE


@commands.command()
@ends_with_code
@takes(ClearOptions)
def clear(options: ClearOptions) -> ExitCode:
    """Empty the caches; what is read next comes from the origins again."""
    socket = find_socket(options, options.target)
    cleared = run(_clear(socket, options.tier, options.dry_run))
    if options.as_json:
        say_json(asdict(cleared) | {"dry_run": options.dry_run})
    else:
        freed = "would free" if options.dry_run else "freed"
        say(f"{freed} {size(cleared.memory_bytes)} of memory, {size(cleared.disk_bytes)} of disk")
    return ExitCode.DONE


@commands.command()
@ends_with_code
@takes(VerifyOptions)
def verify(options: VerifyOptions) -> ExitCode:
    """Hash all that is on the disk; fetch wrong chunks again. Exit code 2: some were lost."""
    socket = find_socket(options, options.target)
    with _shown(quiet=options.as_json) as report:
        found = run(_verify(socket, report, options.originals))
    if options.as_json:
        say_json(asdict(found))
    else:
        say(
            f"{found.checked} chunks checked, {found.wrong} wrong, {found.repaired} repaired, "
            f"{found.lost} lost"
        )
        if options.originals:
            say(
                f"{found.files} originals compared, {found.changed_files} with other bytes than "
                f"before, {found.unread_files} not to be read now"
            )
    if not found.lost:
        return ExitCode.DONE
    complain(
        f"{found.lost} chunks were wrong, and no origin gives them now: they were dropped, and "
        "come again when they are read and an origin has them; see musefs status"
    )
    return ExitCode.FILES_FAILED


@ends_with_code
@takes(BackupOptions)
def backup(options: BackupOptions) -> ExitCode:
    """Copy the catalogue of a running musefs: tags and covers that you set, and all it knows."""
    path = str(options.file.expanduser().absolute()) if options.file is not None else None
    done = run(_back_up(find_socket(options), path))
    if options.as_json:
        say_json(asdict(done))
    else:
        say(f"{done.path}, {size(done.size)}")
    return ExitCode.DONE


async def _stats(socket: Path) -> CacheStats:
    async with Client(socket) as client:
        return await client.cache_stats()


async def _clear(socket: Path, tier: Tier, dry_run: bool) -> Cleared:
    async with Client(socket) as client:
        return await client.clear_cache(tier.value, dry_run=dry_run)


async def _verify(socket: Path, report: Report, originals: bool) -> VerifyProgress:
    latest = VerifyProgress()
    async with Client(socket) as client:
        async for latest in client.verify_cache(originals=originals):
            report(latest)
    return latest


async def _back_up(socket: Path, path: str | None) -> BackedUp:
    async with Client(socket) as client:
        return await client.back_up(path)


@contextmanager
def _shown(*, quiet: bool) -> Iterator[Report]:
    """What to report progress to: a bar when stderr is a terminal, else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task("verifying", total=None)
        yield lambda told: bars.update(task, completed=told.checked, total=told.chunks or None)


def _rows(stats: CacheStats) -> list[tuple[str, str]]:
    totals = stats.totals
    return [
        (
            "memory",
            f"{size(totals.memory_bytes)} of {size(totals.memory_bytes_max)} in "
            f"{stats.memory_blocks} blocks, {share(totals.memory_hits, totals.memory_misses)} "
            f"hits, {stats.memory_evictions} evicted",
        ),
        (
            "disk",
            f"{size(totals.disk_bytes)} of {size(totals.disk_bytes_max)} in {stats.chunks} chunks, "
            f"{share(totals.disk_hits, totals.disk_misses)} hits, {stats.chunk_evictions} evicted",
        ),
        (
            "sharing",
            f"stands for {size(stats.logical_bytes)}, {size(totals.disk_saved_bytes)} saved",
        ),
        ("kept", f"{size(stats.kept_bytes)} for tag scans, {size(stats.pinned_bytes)} pinned"),
        (
            "writing",
            f"{size(stats.queued_bytes)} waiting, {stats.refused_chunks} chunks not stored",
        ),
        (
            "health",
            f"{stats.scrubbed_chunks} chunks verified, {totals.corrupt_chunks} found wrong by "
            f"readers, {stats.repaired_chunks} repaired",
        ),
    ]
