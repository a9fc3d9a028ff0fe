"""What a running musefs says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OriginStatus:
    """An origin: its health, what is known of it, and how far its last scan came."""

    id: str
    kind: str
    priority: int
    health: str
    files: int
    scan_done: bool
    listed: int
    inspected: int
    failed: int
    removed: int
    held_back: int
    error: str


@dataclass(frozen=True, slots=True)
class CacheStatus:
    """What the block pool (memory) and the chunk store (disk) hold, in bytes, and how they did."""

    memory_bytes: int
    memory_bytes_max: int
    memory_hits: int
    memory_misses: int
    disk_bytes: int
    disk_bytes_max: int
    disk_hits: int
    disk_misses: int
    disk_saved_bytes: int
    corrupt_chunks: int


@dataclass(frozen=True, slots=True)
class Status:
    """The service as a whole. Times in seconds, sizes in bytes.

    `pending` counts changes of the catalogue that the mount does not show yet.
    """

    version: str
    pid: int
    state: str
    mountpoint: str
    mode: str
    uptime_s: float
    tracks: int
    sidecars: int
    folders: int
    library_bytes: int
    pending: int
    unserved: int
    open_files: int
    origins: tuple[OriginStatus, ...]
    cache: CacheStatus


@dataclass(frozen=True, slots=True)
class CacheStats:
    """The caches in detail: what they hold now, and counts since the start.

    `logical_bytes` is what the chunks stand for, each counted for every content that has it;
    `refused_chunks` were not stored, because the disk was full, slow or read-only.
    """

    totals: CacheStatus
    memory_blocks: int
    memory_evictions: int
    chunks: int
    logical_bytes: int
    kept_bytes: int
    pinned_bytes: int
    queued_bytes: int
    chunk_evictions: int
    refused_chunks: int
    scrubbed_chunks: int
    repaired_chunks: int


@dataclass(frozen=True, slots=True)
class WorkStatus:
    """Counts since the start, which no machine's speed changes.

    `requests` of the kernel by kind, `failed` ones by errno, `statements` of the catalogue.
    """

    requests: Mapping[str, int]
    failed: Mapping[str, int]
    statements: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """What emptying the caches has freed, or would free, in bytes."""

    memory_bytes: int
    disk_bytes: int


@dataclass(slots=True)
class VerifyProgress:
    """How far a look through the disk cache is, in chunks.

    `wrong` ones are `repaired`, or `lost`: dropped, and not to be fetched from any origin for now.
    `files` at the origins were compared with their chunks: `changed_files` had other bytes.
    """

    chunks: int = 0
    checked: int = 0
    wrong: int = 0
    repaired: int = 0
    lost: int = 0
    done: bool = False
    files: int = 0
    changed_files: int = 0
    unread_files: int = 0


@dataclass(frozen=True, slots=True)
class BackedUp:
    """A copy of the catalogue: where it is, and its size in bytes."""

    path: str
    size: int
