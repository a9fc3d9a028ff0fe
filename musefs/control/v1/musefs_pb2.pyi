from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

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
