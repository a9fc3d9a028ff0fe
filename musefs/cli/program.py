"""The command line as a whole: which commands there are, and what they have in common."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from musefs.cli import cache, fsck, logs, mounting, offline, service, tags, warming, why
from musefs.cli.outcomes import ExitCode
from musefs.cli.output import allow_any_text, say

program = typer.Typer(
    name="musefs",
    help="Mount a music library from local disks, SFTP servers and S3 buckets as one folder tree.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    *(mounting.mount, mounting.unmount, offline.scan, offline.check, why.why, fsck.fsck),
    *(service.status, service.rescan, service.shutdown, cache.backup),
    *(warming.prefetch, warming.pin, warming.unpin, warming.pins),
):
    program.command()(command)
program.add_typer(tags.commands)
program.add_typer(cache.commands)


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"musefs {version('musefs')}")
        raise typer.Exit


@program.callback()
def common(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Mount a music library from local disks, SFTP servers and S3 buckets as one folder tree."""
    allow_any_text()
    logs.set_up("warning", "text")


def main() -> None:
    """Run the command that the arguments name, and exit."""
    try:
        program(prog_name="musefs")
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our answer has gone; the interpreter must not try to write the rest of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.ERROR)
