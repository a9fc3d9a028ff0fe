"""Between the values of musefs and the messages of the control interface. Pure.

A message has the fields of its value, by the same names, so that both are walked, not listed.
"""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from musefs.control.v1 import musefs_pb2
from musefs.indexing.scanning import Progress
from musefs.status import CacheStatus, OriginStatus, Status


def status_message(status: Status) -> Any:
    """The message that carries a status."""
    return musefs_pb2.Status(**_plain(asdict(status)))


def status_of(message: Any) -> Status:
    """The status that a message carries; what an older service left out is 0 or empty."""
    values = _fields(Status, message)
    values["origins"] = tuple(
        OriginStatus(**_fields(OriginStatus, origin)) for origin in message.origins
    )
    values["cache"] = CacheStatus(**_fields(CacheStatus, message.cache))
    return Status(**values)


def progress_message(progress: Progress) -> Any:
    """The message that carries a progress."""
    return musefs_pb2.RescanProgress(**_plain(asdict(progress)))


def progress_of(message: Any) -> Progress:
    """The progress that a message carries."""
    values = _fields(Progress, message)
    values["error"] = message.error if message.HasField("error") else None
    return Progress(**values)


def _fields(kind: type[Status | OriginStatus | CacheStatus | Progress], message: Any) -> Any:
    return {field.name: getattr(message, field.name) for field in fields(kind)}


def _plain(value: Any) -> Any:
    """Text in a message is UTF-8: bytes of a path that are not are shown escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
