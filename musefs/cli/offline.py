"""The commands that need no mount: `scan` and `check`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from musefs.catalog.database import open_readonly
from musefs.catalog.files import FailedFile, Files
from musefs.cli import progress
from musefs.cli.configuration import from_file
from musefs.cli.options import AsJson, ConfigFile, Full
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import complain, say, say_json
from musefs.cli.running import run
from musefs.config import Config
from musefs.control.client import Client
from musefs.errors import MusefsError, StateInUse
from musefs.indexing.scanning import Progress

_ASK_TIMEOUT_S = 3.0


@ends_with_code
def scan(
    config: ConfigFile,
    origin: Annotated[str | None, typer.Option("--origin", help="Only this origin's id.")] = None,
    full: Full = False,
    as_json: AsJson = False,
) -> ExitCode:
    """Index the library without mounting it. Exit code 2: some files failed."""
    settings = from_file(config)
    with progress.shown(quiet=as_json) as report:
        progresses = run(_scan(settings, origin, full, report))
    names = {one.origin for one in progresses if one.failed}
    failures = [f for f in run(_failures(settings.state)) if f.origin in names]
    if as_json:
        say_json({"origins": [asdict(one) for one in progresses], "failures": failures})
    else:
        progress.summarise(progresses)
        progress.list_failures(failures)
    return progress.outcome(progresses)


@ends_with_code
def check(config: ConfigFile, as_json: AsJson = False) -> ExitCode:
    """Validate the configuration, reach every origin, and say what is wrong."""
    from musefs import app  # not at the top: it loads every library, which other commands spare

    settings = from_file(config)
    origins = run(app.check(settings))
    broken = [name for name, reason in origins if reason is not None]
    if as_json:
        say_json(
            {
                "config": str(config),
                "state": str(settings.state),
                "template": settings.tree.template,
                "origins": [{"id": name, "error": reason} for name, reason in origins],
                "ok": not broken,
            }
        )
    else:
        kinds = {settings_of.id: settings_of.kind for settings_of in settings.origins}
        say(f"{config}: ok, {len(origins)} origins, state {settings.state}")
        say(f"template: ok, {settings.tree.template}")
        for name, reason in origins:
            say(f"origin {name} ({kinds[name]}): {reason or 'ok'}")
        if broken:
            complain(f"{config}: cannot be used as it is: see origin {', '.join(broken)}")
    return ExitCode.ERROR if broken else ExitCode.DONE


async def _scan(
    config: Config, origin: str | None, full: bool, report: progress.Report
) -> list[Progress]:
    from musefs import app  # as above

    try:
        return await app.scan(config, origin, full, report)
    except StateInUse as error:
        if await _serves(config.control_socket):
            raise StateInUse(
                f"{config.state}: a musefs serves this library now: have it scan (musefs rescan "
                f"--socket {config.control_socket}), or end it first (musefs shutdown)"
            ) from error
        raise


async def _serves(socket: Path) -> bool:
    try:
        async with Client(socket, _ASK_TIMEOUT_S) as client:
            await client.status()
    except MusefsError:
        return False
    return True


async def _failures(state: Path) -> list[FailedFile]:
    database = await open_readonly(state / "catalogue.db")
    try:
        return await Files(database).failures()
    finally:
        await database.aclose()
