"""What a running musefs says of itself."""

from __future__ import annotations

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
