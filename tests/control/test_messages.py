"""Values survive the way into a message and back."""

from __future__ import annotations

import json
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from musefs.control.messages import progress_message, progress_of, status_message, status_of
from musefs.control.v1 import musefs_pb2
from musefs.indexing.scanning import Progress
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


@given(STATUSES)
def test_a_status_is_the_same_after_the_wire(status: Status) -> None:
    wire = status_message(status).SerializeToString()
    assert status_of(musefs_pb2.Status.FromString(wire)) == status


@given(PROGRESSES)
def test_a_progress_is_the_same_after_the_wire(progress: Progress) -> None:
    wire = progress_message(progress).SerializeToString()
    assert progress_of(musefs_pb2.RescanProgress.FromString(wire)) == progress


def test_every_field_of_a_value_has_its_field_in_the_message() -> None:
    for value, message in (
        (Status, musefs_pb2.Status),
        (OriginStatus, musefs_pb2.OriginStatus),
        (CacheStatus, musefs_pb2.CacheStatus),
        (Progress, musefs_pb2.RescanProgress),
    ):
        names = {field.name for field in message.DESCRIPTOR.fields}
        assert names == set(value.__dataclass_fields__)


def test_text_that_is_not_unicode_is_shown_escaped() -> None:
    message = progress_message(Progress("nas", error="caf\udce9.flac"))
    assert json.dumps(asdict(progress_of(message)))
    assert progress_of(message).error == "caf\\udce9.flac"
