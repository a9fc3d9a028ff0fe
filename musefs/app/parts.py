"""Builds every part of musefs from the configuration, and owns their lifetimes.

The read path is one expression: a block pool over a chunk store over the federation of the origins.
Parts are opened in the order in which they need each other, and closed in the reverse order.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from musefs.catalog.chunks import Chunks
from musefs.catalog.contents import Contents
from musefs.catalog.database import Database, open_database
from musefs.catalog.files import Files, keep_origins
from musefs.config import Config
from musefs.content.block_pool import BlockPool
from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_shelf import StoreLimits
from musefs.content.chunk_store import ChunkStore
from musefs.content.readahead import ReadAhead, ReadAheadBudget
from musefs.federation.federation import Federation, Patience
from musefs.federation.member import Member
from musefs.federation.replicas import Replicas
from musefs.indexing.examining import Examiner
from musefs.indexing.following import Follower
from musefs.indexing.inspection import EndSizes
from musefs.indexing.scanning import Scanner
from musefs.indexing.selecting import Selection
from musefs.kit.background import BackgroundTasks
from musefs.library.library import Library
from musefs.library.naming import NamingRules
from musefs.library.open_files import Keepers, OpenFiles
from musefs.library.placing import TreeRules
from musefs.library.refreshing import Refresher
from musefs.library.template import Template
from musefs.library.tree import Tree
from musefs.library.whereabouts import Whereabouts
from musefs.state import StateFolder, claim
from origins import Origin, open_origin

log = logging.getLogger(__name__)

READ_AHEAD_TASKS_MAX = 256


@dataclass(frozen=True, slots=True)
class Parts:
    """All parts of one musefs, open."""

    config: Config
    state: StateFolder
    database: Database
    origins: dict[str, Origin]
    files: Files
    library: Library
    refresher: Refresher
    followers: dict[str, Follower]
    federation: Federation
    store: ChunkStore
    pool: BlockPool
    whereabouts: Whereabouts
    open_files: OpenFiles


@asynccontextmanager
async def assembled(config: Config, purpose: str) -> AsyncIterator[Parts]:
    """The parts, for as long as the context lasts. `purpose` is shown to who finds the lock taken.

    Raises ConfigError, StateInUse, StateBroken.
    """
    async with AsyncExitStack() as closing:
        state = claim(config.state, purpose)
        # The lock is taken first and given back last; an exception leaves the mark of a crash.
        closing.push(lambda kind, _error, _trace: state.release(clean=kind is None))
        database = await open_database(state.catalogue)
        closing.push_async_callback(database.aclose)
        origins = {
            settings.id: open_origin(settings.spec(os.environ)) for settings in config.origins
        }
        for origin in origins.values():
            closing.push_async_callback(origin.aclose)
        parts = _assemble(config, state, database, origins, closing)
        for gone in await keep_origins(database, list(origins)):
            log.info("%s: no longer configured, its files leave the library", gone)
        yield parts


def _assemble(
    config: Config,
    state: StateFolder,
    database: Database,
    origins: dict[str, Origin],
    closing: AsyncExitStack,
) -> Parts:
    files, contents = Files(database), Contents(database)
    rules = tree_rules(config)
    refresher = Refresher(Tree(database, rules, priorities(config), time.time_ns))
    library = Library(database, rules.names)
    refresher.listeners.append(library.follow)
    replicas = Replicas(contents)
    closing.push_async_callback(replicas.aclose)

    def committed() -> None:
        replicas.forget_all()
        refresher.wake()

    followers = _followers(config, files, origins, committed)
    federation = _federation(config, origins, replicas, followers)
    store, keepers = _keepers(config, state, Chunks(database), federation, closing)
    read_through = [settings.id for settings in config.origins if not settings.cached]
    whereabouts = Whereabouts(contents, store, read_through)
    return Parts(
        config=config,
        state=state,
        database=database,
        origins=origins,
        files=files,
        library=library,
        refresher=refresher,
        followers=followers,
        federation=federation,
        store=store,
        pool=keepers.pool,
        whereabouts=whereabouts,
        open_files=OpenFiles(whereabouts, keepers),
    )


def _keepers(
    config: Config,
    state: StateFolder,
    chunks: Chunks,
    federation: Federation,
    closing: AsyncExitStack,
) -> tuple[ChunkStore, Keepers]:
    chunk_files = ChunkFiles(state.chunks)
    closing.callback(chunk_files.close)
    limits = StoreLimits(disk_bytes_max=config.cache.disk_bytes_max)
    store = ChunkStore(federation, chunk_files, chunks, limits, unclean=state.unclean)
    pool = BlockPool(store, config.cache.memory_bytes_max)
    closing.push_async_callback(pool.aclose)
    tasks = BackgroundTasks(READ_AHEAD_TASKS_MAX)
    closing.push_async_callback(tasks.aclose)
    budget = ReadAheadBudget(config.cache.memory_bytes_max // 2)

    def read_ahead() -> ReadAhead:
        return ReadAhead(pool, budget, tasks, config.cache.readahead_bytes_max)

    return store, Keepers(pool, read_ahead)


def tree_rules(config: Config) -> TreeRules:
    """What the tree of this configuration is made by. Raises TemplateError."""
    tree = config.tree
    text = json.dumps(
        [
            tree.template,
            dict(tree.fallbacks),
            tree.default,
            tree.names,
            tree.case_insensitive,
            # The preferred replica's path and date stand for a track.
            priorities(config),
        ],
        sort_keys=True,
    )
    return TreeRules(
        Template.parse(tree.template, tree.fallbacks, tree.default),
        NamingRules(tree.names, tree.case_insensitive),
        text,
    )


def priorities(config: Config) -> dict[str, int]:
    """Of every origin by its id: a lower one is asked first."""
    return {settings.id: settings.priority for settings in config.origins}


def _followers(
    config: Config, files: Files, origins: dict[str, Origin], committed: Callable[[], None]
) -> dict[str, Follower]:
    ends = EndSizes(config.cache.heads_bytes, config.cache.tails_bytes)
    selection = Selection(config.tree.sidecars)
    followers = {}
    for settings in config.origins:
        examiner = Examiner(ends, settings.limits.requests_max)
        scanner = Scanner(files, examiner, selection, committed)
        followers[settings.id] = Follower(origins[settings.id], scanner)
    return followers


def _federation(
    config: Config,
    origins: dict[str, Origin],
    replicas: Replicas,
    followers: dict[str, Follower],
) -> Federation:
    members = {
        settings.id: Member(origins[settings.id], settings.priority, settings.kind != "local")
        for settings in config.origins
    }
    patience = Patience(
        retries_s=config.federation.retries_s, check_every_s=config.federation.check_every_s
    )

    def look_again(origin: str, path: str) -> None:
        followers[origin].look_at(path)

    return Federation(members, replicas, patience, look_again)
