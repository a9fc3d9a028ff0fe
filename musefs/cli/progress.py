"""How far scans are: a bar for each origin on a terminal, and what came of them at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from musefs.catalog.files import FailedFile
from musefs.cli.outcomes import ExitCode
from musefs.cli.output import complain, printable, say
from musefs.indexing.scanning import Progress

FAILURES_SHOWN_MAX = 10

Report = Callable[[Progress], None]


@contextmanager
def shown(*, quiet: bool) -> Iterator[Report]:
    """What to report progress to: bars when stderr is a terminal, else nothing."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    bars = Bars(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    tasks: dict[str, TaskID] = {}

    def report(progress: Progress) -> None:
        if progress.origin not in tasks:
            tasks[progress.origin] = bars.add_task(progress.origin, total=None, counts="")
        # How many files there are is known only at the end; until then, how many there were.
        total = progress.listed if progress.done else max(progress.expected, progress.listed)
        bars.update(
            tasks[progress.origin],
            completed=progress.listed,
            total=total or None,
            counts=f"{progress.listed} files, {progress.inspected} inspected, "
            f"{progress.failed} failed",
        )

    with bars:
        yield report


def summarise(progresses: Sequence[Progress]) -> None:
    """A line for each origin."""
    for progress in progresses:
        parts = [
            f"{progress.listed} files",
            f"{progress.inspected} inspected",
            f"{progress.failed} failed",
            f"{progress.removed} removed",
        ]
        say(f"{progress.origin}: {', '.join(parts)}")
        if progress.held_back:
            say(
                f"{progress.origin}: {progress.held_back} files are no longer listed and stay in "
                f"the library: if that is meant, musefs rescan {progress.origin} --accept-removals"
            )


def list_failures(failures: Sequence[FailedFile]) -> None:
    """The first of the files that cannot be served re-tagged, and why."""
    for failure in failures[:FAILURES_SHOWN_MAX]:
        say(f"  {failure.origin}: {printable(failure.path)}: {printable(failure.reason)}")
    if len(failures) > FAILURES_SHOWN_MAX:
        say(f"  and {len(failures) - FAILURES_SHOWN_MAX} more")


def outcome(progresses: Sequence[Progress]) -> ExitCode:
    """An error when an origin could not be scanned, told here; else whether files failed."""
    code = ExitCode.DONE
    for progress in progresses:
        if progress.error is not None:
            complain(f"{progress.origin}: {progress.error}")
            code = ExitCode.ERROR
    if code is ExitCode.DONE and any(progress.failed for progress in progresses):
        code = ExitCode.FILES_FAILED
    return code
