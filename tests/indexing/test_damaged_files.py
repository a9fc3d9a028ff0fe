"""Whatever is done to a file, its inspection ends with a result."""

from __future__ import annotations

from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from musefs.indexing.inspection import Inspection
from musefs.layout.formats import Format
from tests.lab.ranges import CountedFile
from tests.lab.samples import SAMPLE_NAMES, shared_samples


@cache
def sample(name: str) -> bytes:
    return shared_samples()[name].read_bytes()


names = st.sampled_from(SAMPLE_NAMES)
MAGIC = {
    Format.FLAC: b"fLaC",
    Format.MP3: b"ID3\4\0\0\0\0\2\0",
    Format.WAV: b"RIFF\0\0\0\0WAVE",
    Format.AIFF: b"FORM\0\0\0\0AIFF",
    Format.MP4: b"\0\0\0\x08ftyp",
    Format.MUSEPACK: b"MPCK",
    Format.WAVPACK: b"wvpk",
}


async def inspected(data: bytes, name: str) -> Inspection:
    found = await CountedFile(data).inspect(name)
    assert found.failure is None or len(found.failure.splitlines()) == 1
    assert 0 <= found.audio_start <= found.audio_end <= len(data)
    assert all(values and all(values) for values in found.tags.values())
    return found


@settings(deadline=2000, max_examples=200)
@given(names, st.floats(0, 1))
async def test_a_file_cut_anywhere_is_read_or_refused(name: str, share: float) -> None:
    data = sample(name)
    await inspected(data[: round(share * share * len(data))], name)


flips = st.lists(st.tuples(st.booleans(), st.integers(0, 6000), st.integers(0, 255)), max_size=12)


@settings(deadline=2000, max_examples=300)
@given(names, flips)
async def test_damaged_bytes_are_read_or_refused(
    name: str, places: list[tuple[bool, int, int]]
) -> None:
    data = bytearray(sample(name))
    for at_the_end, place, value in places:
        data[-1 - place if at_the_end else place] = value
    await inspected(bytes(data), name)


@settings(deadline=2000, max_examples=100)
@given(st.sampled_from(sorted(Format)), st.binary(max_size=400))
async def test_random_bytes_are_read_or_refused(kind: Format, data: bytes) -> None:
    await inspected(MAGIC.get(kind, b"") + data, f"a.{kind}")
