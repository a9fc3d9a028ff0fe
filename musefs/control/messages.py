"""Between the values of musefs and the messages of the control interface. Pure.

A message has the fields of its value, by the same names, so that both are walked, not listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from musefs.control.v1 import musefs_pb2
from musefs.indexing.scanning import Progress
from musefs.layout.images import IMAGE_BYTES_MAX
from musefs.library.pins import PinStatus
from musefs.library.prefetching import WarmingProgress
from musefs.library.track_tags import ArtOfTrack, Edited, TrackTags
from musefs.status import CacheStatus, OriginStatus, Status

MESSAGE_BYTES_MAX = IMAGE_BYTES_MAX + (64 << 10)
"""Room for a picture and the path of what it is for. gRPC's own bound is 4 MiB."""
TRACKS_BYTES_MAX = 4 << 20


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


def track_tags_message(track: TrackTags) -> Any:
    """The message that carries the tags of a track."""
    return musefs_pb2.TrackTags(
        path=_plain(track.path),
        format=track.format,
        tags=field_messages(track.tags),
        edited=_plain(track.edited),
        art=[musefs_pb2.ArtOfTrack(**_plain(asdict(art))) for art in track.art],
        untouched=_plain(track.untouched),
    )


def track_tags_of(message: Any) -> TrackTags:
    """The tags of a track that a message carries."""
    return TrackTags(
        path=message.path,
        format=message.format,
        tags={field: tuple(values) for field, values in changes_of(message.tags).items()},
        edited=tuple(message.edited),
        art=tuple(ArtOfTrack(**_fields(ArtOfTrack, art)) for art in message.art),
        untouched=message.untouched if message.HasField("untouched") else None,
    )


def edited_message(edited: Edited) -> Any:
    """The message that carries what an edit did, with as many tracks as TRACKS_BYTES_MAX allow."""
    message = musefs_pb2.Edited(count=edited.count, pending=edited.pending)
    left = TRACKS_BYTES_MAX
    for track in map(track_tags_message, edited.tracks):
        left -= track.ByteSize()
        if left < 0 and message.tracks:
            break
        message.tracks.append(track)
    return message


def edited_of(message: Any) -> Edited:
    """What an edit did, as a message carries it."""
    return Edited(
        tracks=tuple(map(track_tags_of, message.tracks)),
        count=message.count,
        pending=message.pending,
    )


def warming_message(progress: WarmingProgress) -> Any:
    """The message that carries how far warming is."""
    return musefs_pb2.WarmingProgress(**_plain(asdict(progress)))


def warming_of(message: Any) -> WarmingProgress:
    """How far warming is, as a message carries it."""
    values = _fields(WarmingProgress, message)
    values["error"] = message.error if message.HasField("error") else None
    return WarmingProgress(**values)


def pin_message(status: PinStatus) -> Any:
    """The message that carries a pin."""
    return musefs_pb2.PinStatus(**_plain(asdict(status)))


def pin_of(message: Any) -> PinStatus:
    """The pin that a message carries."""
    values = _fields(PinStatus, message)
    values["error"] = message.error if message.HasField("error") else None
    return PinStatus(**values)


def field_messages(tags: Mapping[str, Sequence[str]]) -> list[Any]:
    """The messages that carry fields and their values."""
    return [
        musefs_pb2.Field(name=_plain(name), values=_plain(values)) for name, values in tags.items()
    ]


def changes_of(messages: Iterable[Any]) -> dict[str, list[str]]:
    """The fields that messages carry; those of one name add up."""
    changes: dict[str, list[str]] = {}
    for message in messages:
        changes.setdefault(message.name, []).extend(message.values)
    return changes


def _fields(
    kind: type[
        Status | OriginStatus | CacheStatus | Progress | ArtOfTrack | WarmingProgress | PinStatus
    ],
    message: Any,
) -> Any:
    return {field.name: getattr(message, field.name) for field in fields(kind)}


def _plain(value: Any) -> Any:
    """Text in a message is UTF-8: bytes of a path that are not are shown escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_plain(inner) for inner in value]
    return value
