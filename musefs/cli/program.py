"""The command line as a whole: which commands there are, and what they have in common.

Only the modules of the command that is called are loaded: all of them take as long as a mount.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import Annotated

import typer

from musefs.cli import logs
from musefs.cli.outcomes import ExitCode
from musefs.cli.output import allow_any_text, say

COMMANDS = {
    "mount": "mounting",
    "unmount": "unmounting",
    "scan": "offline",
    "check": "offline",
    "why": "why",
    "fsck": "fsck",
    "status": "service",
    "rescan": "service",
    "shutdown": "service",
    "backup": "cache",
    "prefetch": "warming",
    "pin": "warming",
    "unpin": "warming",
    "pins": "warming",
}
"""Each command, and the module below this package in which it is a function of that name."""

GROUPS = ("tags", "cache")
"""Commands that have commands; each is `commands` of the module of its name."""

YOUNG_OBJECTS_MAX = 50_000
"""Loading makes classes that stay, and a scan millions of objects that die at once and are in no
cycle: there is little to find every 700 of them, where Python looks."""


def program_for(arguments: Sequence[str]) -> typer.Typer:
    """The program, with the command that is called alone, or with all when none is."""
    called = next((word for word in arguments if not word.startswith("-")), None)
    one = called is not None and (called in COMMANDS or called in GROUPS)
    program = typer.Typer(
        name="musefs",
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    program.callback()(common)
    for name, module in COMMANDS.items():
        if not one or name == called:
            program.command()(getattr(import_module(f"musefs.cli.{module}"), name))
    for name in GROUPS:
        if not one or name == called:
            program.add_typer(import_module(f"musefs.cli.{name}").commands)
    return program


def _show_version(wanted: bool) -> None:
    if wanted:
        say(f"musefs {version('musefs')}")
        raise typer.Exit


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
    gc.set_threshold(YOUNG_OBJECTS_MAX)
    try:
        program_for(sys.argv[1:])(prog_name="musefs")
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our answer has gone; the interpreter must not try to write the rest of it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.ERROR)
