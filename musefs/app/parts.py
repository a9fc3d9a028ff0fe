"""Builds every part of musefs from the configuration, and owns their lifetimes.

Parts are opened in the order in which they need each other, and closed in the reverse order.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from musefs.app.read_path import Ground, ReadPath, read_path
from musefs.catalog.chunks import Chunks
from musefs.catalog.database import Database, open_database
from musefs.catalog.files import Files, keep_origins
from musefs.catalog.pictures import sweep_pictures
from musefs.config import Config
from musefs.content.chunk_store import ChunkStore
from musefs.content.scrubbing import Scrubber
from musefs.federation.federation import ReplicaNews
from musefs.indexing.deltas import Deltas
from musefs.indexing.examining import Examiner
from musefs.indexing.following import Follower
from musefs.indexing.gathering import Gatherer
from musefs.indexing.inspection import EndSizes
from musefs.indexing.keeping import Keeping
from musefs.indexing.scanning import Scanner
from musefs.indexing.selecting import Selection
from musefs.indexing.verifying import Verifier
from musefs.library.album_ahead import AlbumAhead
from musefs.library.choosing import Choosing
from musefs.library.library import Library
from musefs.library.naming import NamingRules
from musefs.library.pins import Pins
from musefs.library.placing import TreeRules
from musefs.library.prefetching import Warmer
from musefs.library.refreshing import Refresher
from musefs.library.retagging import Retagger
from musefs.library.tagging import Tagging
from musefs.library.template import Template
from musefs.library.tree import Preferences, Tree
from musefs.library.warming import Warming
from musefs.state import StateFolder, claim
from origins import Origin, open_origin

log = logging.getLogger(__name__)


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
    reading: ReadPath
    tagging: Tagging
    warming: Warming
    scrubber: Scrubber


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
        async with database.writing() as tx:
            await sweep_pictures(tx)  # no file is open yet that may show them
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
    files, rules = Files(database), tree_rules(config)
    library = Library(database, rules.names)
    followers: dict[str, Follower] = {}
    ground = Ground(config, state, database, origins, closing)
    reading = read_path(ground, _news(followers))
    retagger = Retagger(database, reading.whereabouts.content_of, reading.keepers.pool)
    tree = Tree(database, rules, Preferences(priorities(config)), time.time_ns, retagger)
    tree.is_open = lambda inode: reading.open_files.node(inode) is not None
    refresher = Refresher(tree)
    warming = _warming(ground, library, reading)
    refresher.listeners += [library.follow, reading.open_files.ready.follow, warming.pins.follow]
    followers |= _followers(ground, files, _committed(reading, refresher), reading.store)
    return Parts(
        config=config,
        state=state,
        database=database,
        origins=origins,
        files=files,
        library=library,
        refresher=refresher,
        followers=followers,
        reading=reading,
        tagging=Tagging(database, library, refresher, time.time_ns, retagged=rules.retagged),
        warming=warming,
        scrubber=Scrubber(
            reading.store.repair, reading.whereabouts.content_of, config.cache.scrub_bytes_per_s
        ),
    )


def _committed(reading: ReadPath, refresher: Refresher) -> Callable[[], None]:
    def committed() -> None:
        reading.replicas.forget_all()
        reading.open_files.ready.forget_all()
        refresher.wake()

    return committed


def _news(followers: Mapping[str, Follower]) -> ReplicaNews:
    return ReplicaNews(
        stale=lambda origin, path: followers[origin].look_at(path),
        wrong=lambda origin, path: followers[origin].doubt(path),
    )


def _warming(ground: Ground, library: Library, reading: ReadPath) -> Warming:
    config, database, pool = ground.config, ground.database, reading.keepers.pool
    read_through = [origin.id for origin in config.origins if not origin.cached]
    choosing = Choosing(database, library, read_through)
    content_of = reading.whereabouts.content_of
    warmer = Warmer(reading.store.warming, content_of, lambda: pool.stats().in_flight)
    ahead = AlbumAhead(database, warmer)
    ground.closing.push_async_callback(ahead.aclose)
    reading.open_files.half_read = ahead.half_read
    pins = Pins(database, choosing, warmer, config.cache.pins_bytes_max, time.time_ns)
    return Warming(choosing, warmer, pins)


def _followers(
    ground: Ground, files: Files, committed: Callable[[], None], store: ChunkStore
) -> dict[str, Follower]:
    config = ground.config
    selection = Selection(config.tree.sidecars)
    followers = {}
    for settings in config.origins:
        # What is read straight through is not kept near either.
        ends = EndSizes(config.cache.heads_bytes, config.cache.tails_bytes, settings.cached)
        gatherer = Gatherer() if settings.cached else None
        deltas = Deltas(store) if settings.cached else None
        examiner = Examiner(ends, settings.limits.requests_max, gatherer, deltas)
        kept = Keeping(store.keeping, Chunks(ground.database)) if settings.cached else None
        scanner = Scanner(files, examiner, selection, committed, kept)
        verifier = Verifier(ground.database, examiner, store.digests, committed)
        followers[settings.id] = Follower(ground.origins[settings.id], scanner, verifier)
    return followers


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
            config.mount.mode,
        ],
        sort_keys=True,
    )
    return TreeRules(
        Template.parse(tree.template, tree.fallbacks, tree.default),
        NamingRules(tree.names, tree.case_insensitive),
        text,
        retagged=config.mount.mode == "synthesis",
    )


def priorities(config: Config) -> dict[str, int]:
    """Of every origin by its id: a lower one is asked first."""
    return {settings.id: settings.priority for settings in config.origins}
