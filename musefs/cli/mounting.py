"""The command `mount`."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import typer

from musefs.cli import background, logs
from musefs.cli.configuration import Overrides, from_arguments
from musefs.cli.locating import canonical
from musefs.cli.options import takes
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import complain, say
from musefs.cli.overlapping import refuse_overlap
from musefs.cli.readiness import Readiness
from musefs.cli.running import run, run_and_abandon
from musefs.config import Config
from musefs.errors import MusefsError, TemplateError
from musefs.library.template import Template
from origins import OriginError

log = logging.getLogger(__name__)

DRY_RUN_PATHS = 20
_LEVELS = {1: "info", 2: "debug"}


@dataclass(frozen=True, slots=True)
class MountOptions:
    """What `mount` is told. What is None or left out is as the configuration says."""

    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="A musefs.yaml, or folders, sftp://user@host/path and s3://bucket/prefix URLs.",
        ),
    ]
    mountpoint: Annotated[Path, typer.Argument(metavar="MOUNTPOINT", help="An empty folder.")]
    background: Annotated[
        bool, typer.Option("--background", help="Return when the tree can be walked.")
    ] = False
    allow_other: Annotated[bool, typer.Option("--allow-other", help="Let other users see it.")] = (
        False
    )
    mode: Annotated[
        Literal["synthesis", "structure-only"] | None,
        typer.Option("--mode", help="Tags from the catalogue, or the original bytes."),
    ] = None
    template: Annotated[
        str | None, typer.Option("--template", help="How tags become folders and names.")
    ] = None
    read_only: Annotated[
        bool,
        typer.Option(
            "--read-only", show_default=False, help="Take no changes; there is no other way."
        ),
    ] = True
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Index, and print the first paths of the tree.")
    ] = False
    verbosity: Annotated[
        int,
        typer.Option("-v", count=True, show_default=False, help="Log more: -v, -vv."),
    ] = 0
    log_format: Annotated[
        Literal["text", "json"] | None, typer.Option("--log-format", help="How log lines look.")
    ] = None
    ready_descriptor: Annotated[int | None, typer.Option(background.READY_OPTION, hidden=True)] = (
        None
    )

    @property
    def overrides(self) -> Overrides:
        """The settings that are given here."""
        return {
            "mount": {"mode": self.mode, "allow_other": self.allow_other or None},
            "tree": {"template": self.template},
            "log": {"level": _LEVELS.get(min(self.verbosity, 2)), "format": self.log_format},
        }


@ends_with_code
@takes(MountOptions)
def mount(options: MountOptions) -> ExitCode:
    """Mount a music library as one folder tree, read-only, until it is unmounted."""
    detached = options.ready_descriptor is not None
    with Readiness(options.ready_descriptor) as readiness:
        if options.template is not None:
            _check_template(options.template)
        config = from_arguments(options.sources, options.overrides)
        mountpoint = canonical(options.mountpoint)
        refuse_overlap(config, mountpoint)
        if options.dry_run:
            return _preview(config)
        if options.background and not detached:
            process = background.start(sys.argv[1:], config.state)
            say(f"mounted at {mountpoint}, process {process}")
            return ExitCode.DONE
        file = config.state / background.LOG_NAME if detached else None
        logs.set_up(config.log.level, config.log.format, file)
        if detached:
            # A process in the background must not keep a folder busy that somebody unmounts.
            os.chdir("/")
        return _leave(_serve(config, mountpoint, readiness))


def _check_template(template: str) -> None:
    try:
        Template.parse(template)
    except TemplateError as error:
        raise TemplateError(f"--{error}") from error


def _preview(config: Config) -> ExitCode:
    # Not at the top: they load every library, which other commands spare.
    from musefs import app
    from musefs.cli import progress

    logs.set_up("warning", config.log.format)
    with progress.shown(quiet=False) as report:
        paths = run(app.preview(config, DRY_RUN_PATHS, report))
    for path in paths:
        say(path)
    return ExitCode.DONE


def _serve(config: Config, mountpoint: Path, readiness: Readiness) -> ExitCode:
    from musefs import app  # as above

    try:
        run_and_abandon(app.serve(config, mountpoint, readiness.ready))
    except (MusefsError, OriginError) as error:
        readiness.failed(str(error))
        complain(str(error))
        return ExitCode.ERROR
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # the process ends here, whatever it was
        log.critical("stopped by an unforeseen error, please report it", exc_info=error)
        readiness.failed(f"stopped by an unforeseen error ({error!r}): the log says where")
        return ExitCode.ERROR
    return ExitCode.DONE


def _leave(code: ExitCode) -> NoReturn:
    """End the process now: a thread may hang on a dead disk, and Python would wait for it."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)
