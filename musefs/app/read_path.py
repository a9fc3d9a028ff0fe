"""The read path: open files over a block pool over a chunk store over the federation of origins."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from musefs.catalog.chunks import Chunks
from musefs.catalog.contents import Contents
from musefs.catalog.database import Database
from musefs.config import Config
from musefs.content.block_pool import BlockPool
from musefs.content.chunk_files import ChunkFiles
from musefs.content.chunk_shelf import StoreLimits
from musefs.content.chunk_store import ChunkStore
from musefs.content.passed_runs import Near
from musefs.content.readahead import ReadAhead, ReadAheadBudget
from musefs.federation.federation import Federation, ReplicaNews
from musefs.federation.member import Member
from musefs.federation.patience import Patience
from musefs.federation.replicas import Replicas
from musefs.kit.background import BackgroundTasks
from musefs.library.open_files import Keepers, OpenFiles
from musefs.library.servings import GivenPictures, Servings
from musefs.library.whereabouts import Whereabouts
from musefs.state import StateFolder
from origins import Origin

READ_AHEAD_TASKS_MAX = 256
PICTURES_BYTES_MAX = 16 << 20
"""Of the pictures that users gave, in memory."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every part stands on, and who closes it in the end."""

    config: Config
    state: StateFolder
    database: Database
    origins: dict[str, Origin]
    closing: AsyncExitStack


@dataclass(frozen=True, slots=True)
class ReadPath:
    """The layers, from the origins upwards."""

    replicas: Replicas
    federation: Federation
    store: ChunkStore
    keepers: Keepers
    whereabouts: Whereabouts
    open_files: OpenFiles


def read_path(ground: Ground, news: ReplicaNews) -> ReadPath:
    """Build the layers, each given the next as what lies below."""
    contents = Contents(ground.database)
    replicas = Replicas(contents)
    ground.closing.push_async_callback(replicas.aclose)
    federation = _federation(ground, replicas, news)
    store, keepers = _keepers(ground, federation)
    read_through = [origin.id for origin in ground.config.origins if not origin.cached]
    whereabouts = Whereabouts(contents, store, read_through)
    open_files = OpenFiles(Servings(ground.database, whereabouts), keepers)
    return ReadPath(replicas, federation, store, keepers, whereabouts, open_files)


def _keepers(ground: Ground, federation: Federation) -> tuple[ChunkStore, Keepers]:
    config, state, database, closing = ground.config, ground.state, ground.database, ground.closing
    chunk_files = ChunkFiles(state.chunks)
    closing.callback(chunk_files.close)
    limits = StoreLimits(disk_bytes_max=config.cache.disk_bytes_max)
    store = ChunkStore(federation, chunk_files, Chunks(database), limits, unclean=state.unclean)
    pool = BlockPool(store, config.cache.memory_bytes_max, at_hand=store.at_hand)
    closing.push_async_callback(pool.aclose)
    tasks = BackgroundTasks(READ_AHEAD_TASKS_MAX)
    closing.push_async_callback(tasks.aclose)
    budget = ReadAheadBudget(config.cache.memory_bytes_max // 2)

    near = Near(store.has, store.at_hand.will_need)

    def read_ahead() -> ReadAhead:
        return ReadAhead(pool, budget, tasks, config.cache.readahead_bytes_max, near)

    pictures = BlockPool(GivenPictures(database), PICTURES_BYTES_MAX)
    closing.push_async_callback(pictures.aclose)
    return store, Keepers(pool, read_ahead, pictures, federation)


def _federation(ground: Ground, replicas: Replicas, news: ReplicaNews) -> Federation:
    config, origins = ground.config, ground.origins
    members = {
        settings.id: Member(origins[settings.id], settings.priority, settings.kind != "local")
        for settings in config.origins
    }
    patience = Patience(
        retries_s=config.federation.retries_s,
        hedge_min_s=config.federation.patience_s,
        check_every_s=config.federation.check_every_s,
    )
    return Federation(members, replicas, patience, news)
