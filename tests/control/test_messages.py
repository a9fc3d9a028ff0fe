"""Values survive the way into a message and back."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from musefs.control.messages import (
    TRACKS_BYTES_MAX,
    edited_message,
    edited_of,
    progress_message,
    progress_of,
    status_message,
    status_of,
    track_tags_message,
    track_tags_of,
)
from musefs.control.v1 import musefs_pb2
from musefs.indexing.scanning import Progress
from musefs.library.track_tags import ArtOfTrack, Edited, TrackTags
from musefs.status import CacheStatus, OriginStatus, Status

NUMBERS = st.integers(0, (1 << 63) - 1)
TEXTS = st.text()
FINITE = st.floats(allow_nan=False)
SCALARS = {int: NUMBERS, str: TEXTS, float: FINITE}
ORIGINS = st.builds(
    OriginStatus,
    **dict.fromkeys(("priority", "files", "listed", "inspected", "failed"), NUMBERS),
    **dict.fromkeys(("removed", "held_back"), NUMBERS),
    **dict.fromkeys(("id", "kind", "health", "error"), TEXTS),
    scan_done=st.booleans(),
)
STATUSES = st.builds(
    Status,
    origins=st.lists(ORIGINS, max_size=4).map(tuple),
    cache=st.builds(CacheStatus, *[NUMBERS] * 10),
    **dict.fromkeys(("version", "state", "mountpoint", "mode"), TEXTS),
    **dict.fromkeys(("pid", "tracks", "sidecars", "folders", "library_bytes"), NUMBERS),
    **dict.fromkeys(("pending", "unserved", "open_files"), NUMBERS),
    uptime_s=FINITE,
)
PROGRESSES = st.builds(Progress, TEXTS, *[NUMBERS] * 6, done=st.booleans(), error=st.none() | TEXTS)

TRACKS = st.builds(
    TrackTags,
    path=TEXTS,
    format=TEXTS,
    tags=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3).map(tuple), max_size=4),
    edited=st.lists(TEXTS, max_size=3).map(tuple),
    art=st.lists(st.builds(ArtOfTrack, NUMBERS, TEXTS, NUMBERS, st.booleans())).map(tuple),
    untouched=st.none() | TEXTS,
)


@given(STATUSES)
def test_a_status_is_the_same_after_the_wire(status: Status) -> None:
    wire = status_message(status).SerializeToString()
    assert status_of(musefs_pb2.Status.FromString(wire)) == status


@given(PROGRESSES)
def test_a_progress_is_the_same_after_the_wire(progress: Progress) -> None:
    wire = progress_message(progress).SerializeToString()
    assert progress_of(musefs_pb2.RescanProgress.FromString(wire)) == progress


@given(TRACKS)
def test_the_tags_of_a_track_are_the_same_after_the_wire(track: TrackTags) -> None:
    wire = track_tags_message(track).SerializeToString()
    assert track_tags_of(musefs_pb2.TrackTags.FromString(wire)) == track


@given(st.lists(TRACKS, max_size=3).map(tuple), NUMBERS, st.booleans())
def test_an_edit_is_the_same_after_the_wire(
    tracks: tuple[TrackTags, ...], count: int, pending: bool
) -> None:
    edited = Edited(tracks, count, pending)
    wire = edited_message(edited).SerializeToString()
    assert edited_of(musefs_pb2.Edited.FromString(wire)) == edited


def test_an_edit_tells_as_many_tracks_as_a_message_holds() -> None:
    long = TrackTags("a.flac", "flac", {"lyrics": ("la" * 500_000,)}, ("lyrics",), (), None)
    message = edited_message(Edited((long,) * 100, 100, pending=False))
    assert (len(message.tracks), message.count) == (4, 100)
    assert message.ByteSize() <= TRACKS_BYTES_MAX + 100
    longest = TrackTags("a.flac", "flac", {"lyrics": ("la" * 500_000,) * 6}, (), (), None)
    assert len(edited_message(Edited((longest,) * 2, 2, pending=False)).tracks) == 1


def test_every_field_of_a_value_has_its_field_in_the_message() -> None:
    for value, message in (
        (Status, musefs_pb2.Status),
        (OriginStatus, musefs_pb2.OriginStatus),
        (CacheStatus, musefs_pb2.CacheStatus),
        (Progress, musefs_pb2.RescanProgress),
        (TrackTags, musefs_pb2.TrackTags),
        (ArtOfTrack, musefs_pb2.ArtOfTrack),
        (Edited, musefs_pb2.Edited),
    ):
        names = {field.name for field in message.DESCRIPTOR.fields}
        assert names == set(value.__dataclass_fields__)


def test_text_that_is_not_unicode_is_shown_escaped() -> None:
    message = progress_message(Progress("nas", error="caf\udce9.flac"))
    assert json.dumps(asdict(progress_of(message)))
    assert progress_of(message).error == "caf\\udce9.flac"
    odd = TrackTags("\udcff", "mp3", {"\udcff": ("\udcff",)}, ("\udcff",), (), "\udcff")
    sent = track_tags_of(track_tags_message(odd))
    assert (sent.path, sent.untouched) == ("\\udcff", "\\udcff")
    assert sent.tags == {"\\udcff": ("\\udcff",)}
