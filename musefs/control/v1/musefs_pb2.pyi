from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PrefetchRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: str
    def __init__(self, query: _Optional[str] = ...) -> None: ...

class WarmingProgress(_message.Message):
    __slots__ = ("tracks", "tracks_done", "failed_tracks", "bytes", "bytes_done", "bytes_fetched", "done", "error")
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    TRACKS_DONE_FIELD_NUMBER: _ClassVar[int]
    FAILED_TRACKS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BYTES_DONE_FIELD_NUMBER: _ClassVar[int]
    BYTES_FETCHED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    tracks: int
    tracks_done: int
    failed_tracks: int
    bytes: int
    bytes_done: int
    bytes_fetched: int
    done: bool
    error: str
    def __init__(self, tracks: _Optional[int] = ..., tracks_done: _Optional[int] = ..., failed_tracks: _Optional[int] = ..., bytes: _Optional[int] = ..., bytes_done: _Optional[int] = ..., bytes_fetched: _Optional[int] = ..., done: _Optional[bool] = ..., error: _Optional[str] = ...) -> None: ...

class PinRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: str
    def __init__(self, query: _Optional[str] = ...) -> None: ...

class UnpinRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: str
    def __init__(self, query: _Optional[str] = ...) -> None: ...

class UnpinResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListPinsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PinStatus(_message.Message):
    __slots__ = ("query", "pinned_at_s", "tracks", "bytes", "bytes_present", "over_budget", "error")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PINNED_AT_S_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    BYTES_PRESENT_FIELD_NUMBER: _ClassVar[int]
    OVER_BUDGET_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    query: str
    pinned_at_s: float
    tracks: int
    bytes: int
    bytes_present: int
    over_budget: bool
    error: str
    def __init__(self, query: _Optional[str] = ..., pinned_at_s: _Optional[float] = ..., tracks: _Optional[int] = ..., bytes: _Optional[int] = ..., bytes_present: _Optional[int] = ..., over_budget: _Optional[bool] = ..., error: _Optional[str] = ...) -> None: ...

class GetCacheStatsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CacheStats(_message.Message):
    __slots__ = ("totals", "memory_blocks", "memory_evictions", "chunks", "logical_bytes", "kept_bytes", "pinned_bytes", "queued_bytes", "chunk_evictions", "refused_chunks", "scrubbed_chunks", "repaired_chunks")
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_EVICTIONS_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    LOGICAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    KEPT_BYTES_FIELD_NUMBER: _ClassVar[int]
    PINNED_BYTES_FIELD_NUMBER: _ClassVar[int]
    QUEUED_BYTES_FIELD_NUMBER: _ClassVar[int]
    CHUNK_EVICTIONS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    SCRUBBED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_CHUNKS_FIELD_NUMBER: _ClassVar[int]
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
    def __init__(self, totals: _Optional[_Union[CacheStatus, _Mapping]] = ..., memory_blocks: _Optional[int] = ..., memory_evictions: _Optional[int] = ..., chunks: _Optional[int] = ..., logical_bytes: _Optional[int] = ..., kept_bytes: _Optional[int] = ..., pinned_bytes: _Optional[int] = ..., queued_bytes: _Optional[int] = ..., chunk_evictions: _Optional[int] = ..., refused_chunks: _Optional[int] = ..., scrubbed_chunks: _Optional[int] = ..., repaired_chunks: _Optional[int] = ...) -> None: ...

class ClearCacheRequest(_message.Message):
    __slots__ = ("tier", "dry_run")
    TIER_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    tier: str
    dry_run: bool
    def __init__(self, tier: _Optional[str] = ..., dry_run: _Optional[bool] = ...) -> None: ...

class ClearCacheResponse(_message.Message):
    __slots__ = ("memory_bytes", "disk_bytes")
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    memory_bytes: int
    disk_bytes: int
    def __init__(self, memory_bytes: _Optional[int] = ..., disk_bytes: _Optional[int] = ...) -> None: ...

class VerifyCacheRequest(_message.Message):
    __slots__ = ("originals",)
    ORIGINALS_FIELD_NUMBER: _ClassVar[int]
    originals: bool
    def __init__(self, originals: _Optional[bool] = ...) -> None: ...

class VerifyProgress(_message.Message):
    __slots__ = ("chunks", "checked", "wrong", "repaired", "lost", "done", "files", "changed_files", "unread_files")
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    CHECKED_FIELD_NUMBER: _ClassVar[int]
    WRONG_FIELD_NUMBER: _ClassVar[int]
    REPAIRED_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FILES_FIELD_NUMBER: _ClassVar[int]
    UNREAD_FILES_FIELD_NUMBER: _ClassVar[int]
    chunks: int
    checked: int
    wrong: int
    repaired: int
    lost: int
    done: bool
    files: int
    changed_files: int
    unread_files: int
    def __init__(self, chunks: _Optional[int] = ..., checked: _Optional[int] = ..., wrong: _Optional[int] = ..., repaired: _Optional[int] = ..., lost: _Optional[int] = ..., done: _Optional[bool] = ..., files: _Optional[int] = ..., changed_files: _Optional[int] = ..., unread_files: _Optional[int] = ...) -> None: ...

class BackUpRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class BackUpResponse(_message.Message):
    __slots__ = ("path", "size")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    path: str
    size: int
    def __init__(self, path: _Optional[str] = ..., size: _Optional[int] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Status(_message.Message):
    __slots__ = ("version", "pid", "state", "mountpoint", "mode", "uptime_s", "tracks", "sidecars", "folders", "library_bytes", "pending", "unserved", "open_files", "origins", "cache")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MOUNTPOINT_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    UPTIME_S_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    SIDECARS_FIELD_NUMBER: _ClassVar[int]
    FOLDERS_FIELD_NUMBER: _ClassVar[int]
    LIBRARY_BYTES_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    UNSERVED_FIELD_NUMBER: _ClassVar[int]
    OPEN_FILES_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
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
    origins: _containers.RepeatedCompositeFieldContainer[OriginStatus]
    cache: CacheStatus
    def __init__(self, version: _Optional[str] = ..., pid: _Optional[int] = ..., state: _Optional[str] = ..., mountpoint: _Optional[str] = ..., mode: _Optional[str] = ..., uptime_s: _Optional[float] = ..., tracks: _Optional[int] = ..., sidecars: _Optional[int] = ..., folders: _Optional[int] = ..., library_bytes: _Optional[int] = ..., pending: _Optional[int] = ..., unserved: _Optional[int] = ..., open_files: _Optional[int] = ..., origins: _Optional[_Iterable[_Union[OriginStatus, _Mapping]]] = ..., cache: _Optional[_Union[CacheStatus, _Mapping]] = ...) -> None: ...

class OriginStatus(_message.Message):
    __slots__ = ("id", "kind", "priority", "health", "files", "scan_done", "listed", "inspected", "failed", "removed", "held_back", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    HEALTH_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    SCAN_DONE_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    INSPECTED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
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
    def __init__(self, id: _Optional[str] = ..., kind: _Optional[str] = ..., priority: _Optional[int] = ..., health: _Optional[str] = ..., files: _Optional[int] = ..., scan_done: _Optional[bool] = ..., listed: _Optional[int] = ..., inspected: _Optional[int] = ..., failed: _Optional[int] = ..., removed: _Optional[int] = ..., held_back: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class CacheStatus(_message.Message):
    __slots__ = ("memory_bytes", "memory_bytes_max", "memory_hits", "memory_misses", "disk_bytes", "disk_bytes_max", "disk_hits", "disk_misses", "disk_saved_bytes", "corrupt_chunks")
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    MEMORY_HITS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_MISSES_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_FIELD_NUMBER: _ClassVar[int]
    DISK_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    DISK_HITS_FIELD_NUMBER: _ClassVar[int]
    DISK_MISSES_FIELD_NUMBER: _ClassVar[int]
    DISK_SAVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    CORRUPT_CHUNKS_FIELD_NUMBER: _ClassVar[int]
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
    def __init__(self, memory_bytes: _Optional[int] = ..., memory_bytes_max: _Optional[int] = ..., memory_hits: _Optional[int] = ..., memory_misses: _Optional[int] = ..., disk_bytes: _Optional[int] = ..., disk_bytes_max: _Optional[int] = ..., disk_hits: _Optional[int] = ..., disk_misses: _Optional[int] = ..., disk_saved_bytes: _Optional[int] = ..., corrupt_chunks: _Optional[int] = ...) -> None: ...

class RescanOriginRequest(_message.Message):
    __slots__ = ("origin", "full", "accept_removals")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_REMOVALS_FIELD_NUMBER: _ClassVar[int]
    origin: str
    full: bool
    accept_removals: bool
    def __init__(self, origin: _Optional[str] = ..., full: _Optional[bool] = ..., accept_removals: _Optional[bool] = ...) -> None: ...

class RescanProgress(_message.Message):
    __slots__ = ("origin", "expected", "listed", "inspected", "failed", "removed", "held_back", "done", "error")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    INSPECTED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    HELD_BACK_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    origin: str
    expected: int
    listed: int
    inspected: int
    failed: int
    removed: int
    held_back: int
    done: bool
    error: str
    def __init__(self, origin: _Optional[str] = ..., expected: _Optional[int] = ..., listed: _Optional[int] = ..., inspected: _Optional[int] = ..., failed: _Optional[int] = ..., removed: _Optional[int] = ..., held_back: _Optional[int] = ..., done: _Optional[bool] = ..., error: _Optional[str] = ...) -> None: ...

class ShutdownRequest(_message.Message):
    __slots__ = ("drain_s",)
    DRAIN_S_FIELD_NUMBER: _ClassVar[int]
    drain_s: float
    def __init__(self, drain_s: _Optional[float] = ...) -> None: ...

class ShutdownResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetTagsRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class TrackTags(_message.Message):
    __slots__ = ("path", "format", "tags", "edited", "art", "untouched")
    PATH_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    EDITED_FIELD_NUMBER: _ClassVar[int]
    ART_FIELD_NUMBER: _ClassVar[int]
    UNTOUCHED_FIELD_NUMBER: _ClassVar[int]
    path: str
    format: str
    tags: _containers.RepeatedCompositeFieldContainer[Field]
    edited: _containers.RepeatedScalarFieldContainer[str]
    art: _containers.RepeatedCompositeFieldContainer[ArtOfTrack]
    untouched: str
    def __init__(self, path: _Optional[str] = ..., format: _Optional[str] = ..., tags: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., edited: _Optional[_Iterable[str]] = ..., art: _Optional[_Iterable[_Union[ArtOfTrack, _Mapping]]] = ..., untouched: _Optional[str] = ...) -> None: ...

class Field(_message.Message):
    __slots__ = ("name", "values")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    name: str
    values: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., values: _Optional[_Iterable[str]] = ...) -> None: ...

class ArtOfTrack(_message.Message):
    __slots__ = ("kind", "mime", "length", "given")
    KIND_FIELD_NUMBER: _ClassVar[int]
    MIME_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    kind: int
    mime: str
    length: int
    given: bool
    def __init__(self, kind: _Optional[int] = ..., mime: _Optional[str] = ..., length: _Optional[int] = ..., given: _Optional[bool] = ...) -> None: ...

class SetTagsRequest(_message.Message):
    __slots__ = ("path", "changes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    path: str
    changes: _containers.RepeatedCompositeFieldContainer[Field]
    def __init__(self, path: _Optional[str] = ..., changes: _Optional[_Iterable[_Union[Field, _Mapping]]] = ...) -> None: ...

class ClearTagsRequest(_message.Message):
    __slots__ = ("path",)
    PATH_FIELD_NUMBER: _ClassVar[int]
    path: str
    def __init__(self, path: _Optional[str] = ...) -> None: ...

class SetArtRequest(_message.Message):
    __slots__ = ("path", "image")
    PATH_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    path: str
    image: bytes
    def __init__(self, path: _Optional[str] = ..., image: _Optional[bytes] = ...) -> None: ...

class Edited(_message.Message):
    __slots__ = ("tracks", "count", "pending")
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    tracks: _containers.RepeatedCompositeFieldContainer[TrackTags]
    count: int
    pending: bool
    def __init__(self, tracks: _Optional[_Iterable[_Union[TrackTags, _Mapping]]] = ..., count: _Optional[int] = ..., pending: _Optional[bool] = ...) -> None: ...
