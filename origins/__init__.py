"""Remote files: folders, SFTP servers and S3 buckets behind one read-only interface.

Knows nothing of music, caches or FUSE. Open an origin with `open_origin(spec)`.
"""

from origins.base import WHOLE_ORIGIN, FileInfo, Origin, Version
from origins.errors import (
    AccessDenied,
    FileChanged,
    FileMissing,
    ListingIncomplete,
    OriginError,
    OriginUnavailable,
)
from origins.opening import open_origin
from origins.specs import Limits, LocalSpec, OriginSpec, S3Spec, SftpSpec

__all__ = [
    "WHOLE_ORIGIN",
    "AccessDenied",
    "FileChanged",
    "FileInfo",
    "FileMissing",
    "Limits",
    "ListingIncomplete",
    "LocalSpec",
    "Origin",
    "OriginError",
    "OriginSpec",
    "OriginUnavailable",
    "S3Spec",
    "SftpSpec",
    "Version",
    "open_origin",
]
