"""The command `why`: what a virtual path is made of, and where that lies."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from musefs.catalog.database import open_readonly
from musefs.cli.configuration import from_file
from musefs.cli.locating import canonical
from musefs.cli.options import AsJson, ConfigFile
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import columns, printable, say, say_json, size
from musefs.cli.running import run
from musefs.config import Config
from musefs.library.explaining import (
    ExplainedContent,
    ExplainedTrack,
    Explanation,
    OriginPreference,
    explain,
)
from musefs.library.library import Library
from musefs.library.naming import NamingRules
from musefs.mount import mountpoint as mountpoints


@ends_with_code
def why(
    config: ConfigFile,
    path: Annotated[
        str, typer.Argument(metavar="PATH", help="In the tree, or below the mountpoint.")
    ],
    as_json: AsJson = False,
) -> ExitCode:
    """Explain a virtual path: its track, content, replicas, layout and cache."""
    settings = from_file(config)
    explanation = run(_explain(settings, _virtual(settings, path)))
    if as_json:
        say_json(asdict(explanation))
    else:
        for line in columns(_told(explanation)):
            say(line)
    return ExitCode.DONE


def _virtual(config: Config, path: str) -> str:
    """The path below the root of the tree; one below a mountpoint of this library is cut there."""
    state = os.path.realpath(config.state)
    here = canonical(Path(path))
    for mounted in mountpoints.mounts():
        if mounted.state is None or os.path.realpath(mounted.state) != state:
            continue
        for candidate in (here, Path(path)):
            if candidate.is_relative_to(mounted.path):
                return str(candidate.relative_to(mounted.path))
    return path


async def _explain(config: Config, path: str) -> Explanation:
    database = await open_readonly(config.state / "catalogue.db")
    try:
        library = Library(database, NamingRules(config.tree.names, config.tree.case_insensitive))
        preferences = {
            origin.id: OriginPreference(origin.priority, origin.cached) for origin in config.origins
        }
        return await explain(database, library, preferences, path)
    finally:
        await database.aclose()


def _told(explanation: Explanation) -> list[tuple[str, str]]:
    rows = [
        ("path", printable(explanation.path)),
        ("kind", explanation.kind),
        ("inode", str(explanation.inode)),
    ]
    if explanation.entries is not None:
        rows.append(("entries", str(explanation.entries)))
    if explanation.track is not None:
        rows += _track_rows(explanation.track)
    if explanation.content is not None:
        rows += _content_rows(explanation.content)
    return rows


def _track_rows(track: ExplainedTrack) -> list[tuple[str, str]]:
    rows = [("track", f"{track.id}, {track.format}")]
    for name, values in sorted(track.tags.items()):
        rows += [(f"  {printable(name)}", printable(value)) for value in values]
    for art in track.art:
        where = "" if art.offset is None else f" from byte {art.offset}"
        rows.append(("art", f"{printable(art.mime)}, {size(art.length)}{where}"))
    return rows


def _content_rows(content: ExplainedContent) -> list[tuple[str, str]]:
    rows = [
        ("content", f"{content.id}, {content.size} bytes, fingerprint {content.fingerprint}"),
        ("audio", f"bytes {content.audio_start} to {content.audio_end}"),
    ]
    for replica in content.replicas:
        rank = "not configured" if replica.priority is None else f"priority {replica.priority}"
        where = f"{replica.origin}: {printable(replica.path)}"
        rows.append(("replica", f"{where} ({rank}, version {printable(replica.version)})"))
        if replica.failure:
            rows.append(("  failure", printable(replica.failure)))
    for segment in content.layout:
        start = "" if segment.offset is None else f" from byte {segment.offset}"
        rows.append(("layout", f"{segment.kind}, {segment.length} bytes{start}"))
    percent = 100 * content.cached_bytes // content.size if content.size else 100
    cached = (
        f"{percent} %, {content.cached_chunks} of {content.chunks} chunks"
        if content.cacheable
        else "off, read straight from the origin"
    )
    return [*rows, ("cached", cached)]
