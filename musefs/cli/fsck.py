"""The command `fsck`: the catalogue, its tree and the chunk store, checked while nothing runs."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Annotated

import typer

from musefs.catalog.chunks import Chunks
from musefs.catalog.database import Database, open_database
from musefs.catalog.integrity import (
    damage,
    dangling,
    mend_references,
    mend_tree,
    tree_faults,
)
from musefs.cli.configuration import from_file
from musefs.cli.options import AsJson, ConfigFile
from musefs.cli.outcomes import ExitCode, ends_with_code
from musefs.cli.output import say, say_json
from musefs.cli.running import run
from musefs.config import Config
from musefs.content.chunk_check import ChunkReport, check_chunks
from musefs.content.chunk_files import ChunkFiles
from musefs.errors import StateBroken
from musefs.state import StateFolder, claim

_CHUNK_FAULTS = {
    "rows_without_files": "chunks are recorded and not on the disk",
    "files_without_rows": "chunks are on the disk and not recorded",
    "wrong_bytes": "chunks have other bytes than their name says",
    "stray_files": "half-written files lie about",
}


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found, a line each. `left` is what is still wrong at the end."""

    catalogue: list[str]
    references: list[str]
    tree: list[str]
    chunks: list[str]
    chunk_count: int
    left: list[str]

    @property
    def lines(self) -> list[str]:
        """All of them, and where."""
        named = (
            ("catalogue", self.catalogue),
            ("references", self.references),
            ("tree", self.tree),
            ("chunks", self.chunks),
        )
        return [f"{place}: {line}" for place, lines in named for line in lines]


@ends_with_code
def fsck(
    config: ConfigFile,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    as_json: AsJson = False,
) -> ExitCode:
    """Check the catalogue and the chunk store. Exit code 1: something is wrong still."""
    findings = run(_check(from_file(config), repair))
    if as_json:
        say_json(asdict(findings) | {"ok": not findings.left})
    else:
        for line in findings.lines:
            say(line)
        say(_verdict(findings, repair))
    return ExitCode.ERROR if findings.left else ExitCode.DONE


def _verdict(findings: Findings, repair: bool) -> str:
    if not findings.lines:
        return f"all is well, {findings.chunk_count} chunks checked"
    if not findings.left:
        return "repaired"
    if findings.catalogue:
        return (
            "the catalogue is damaged: put a backup in its place, or move catalogue.db away: the "
            "next scan makes a new one, without the tags and covers that you have set"
        )
    if repair:
        return f"repaired, but for: {'; '.join(findings.left)}"
    return "mend it with --repair"


async def _check(config: Config, repair: bool) -> Findings:
    catalogue = config.state / "catalogue.db"
    if not catalogue.is_file():
        raise StateBroken(
            f"{catalogue}: there is no catalogue yet: run `musefs scan` or mount first"
        )
    state = claim(config.state, "fsck")
    clean = False
    try:
        database = await open_database(state.catalogue)
        try:
            findings = await _findings(config, state, database, repair)
        finally:
            await database.aclose()
        clean = not findings.left
    finally:
        # Unless all is well, the next start verifies what it reads.
        state.release(clean=clean)
    return findings


async def _findings(
    config: Config, state: StateFolder, database: Database, repair: bool
) -> Findings:
    damages = await damage(database)
    loose, faults = await dangling(database), await tree_faults(database)
    # In a damaged file nothing is written.
    repair = repair and not damages
    if repair and (loose or faults):
        await _mend(config, database)
    chunks = await _chunks(state, database, repair)
    flaws = [
        f"{count} {text}"
        for name, text in _CHUNK_FAULTS.items()
        if (count := getattr(chunks, name))
    ]
    if repair:
        left = [*await dangling(database), *await tree_faults(database)]
    else:
        left = [*damages, *loose, *faults]
    return Findings(
        catalogue=damages,
        references=loose,
        tree=faults,
        chunks=flaws,
        chunk_count=chunks.chunks,
        left=left if repair else [*left, *flaws],
    )


async def _mend(config: Config, database: Database) -> None:
    # Not at the top: they load every library.
    from musefs.app.parts import tree_rules
    from musefs.library.tree import Preferences, Tree

    async with database.writing() as tx:
        await mend_references(tx)
        await mend_tree(tx)
    priorities = {origin.id: origin.priority for origin in config.origins}
    tree = Tree(database, tree_rules(config), Preferences(priorities), time.time_ns)
    while await tree.refresh() is not None:
        pass


async def _chunks(state: StateFolder, database: Database, repair: bool) -> ChunkReport:
    files = ChunkFiles(state.chunks)
    try:
        return await check_chunks(Chunks(database), files, repair=repair)
    finally:
        files.close()
