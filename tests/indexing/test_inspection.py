"""Inspection through ranged reads: what it finds, what it costs, and that nothing breaks it."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest
from blake3 import blake3

from musefs.indexing.inspection import EndSizes, Inspection, fingerprint, identify, inspect
from musefs.layout.formats import Format, tail_bytes
from origins.errors import OriginUnavailable
from tests.lab.corpus import make_hostile, make_library
from tests.lab.ranges import CountedFile, read_whole
from tests.lab.samples import SAMPLE_NAMES, shared_samples

KIB = 1 << 10
FAR_TAGS = {"chunk.wav", "stream.dsf"}
"""Samples whose tag at the end holds art and is larger than the tail that comes with the head."""


@cache
def sample(name: str) -> bytes:
    return shared_samples()[name].read_bytes()


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    samples = next(iter(shared_samples().values())).parent
    return make_hostile(samples, tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("name", SAMPLE_NAMES)
async def test_a_sample_reads_as_with_the_whole_file_at_hand(name: str) -> None:
    file = CountedFile(sample(name))
    found = await file.inspect(name)
    whole = read_whole(found.format, sample(name))
    assert found.failure is None
    assert found.tags == whole.tags
    assert found.pictures == whole.pictures
    assert (found.audio_start, found.audio_end) == (whole.audio_start, whole.audio_end)


@pytest.mark.parametrize("name", sorted(set(SAMPLE_NAMES) - FAR_TAGS))
async def test_a_sample_costs_one_round_trip(name: str) -> None:
    file = CountedFile(sample(name))
    found = await file.inspect(name)
    if file.size <= 64 * KIB:
        assert file.requests == [(0, file.size)]
    else:
        tail_start = file.size - max(8 * KIB, tail_bytes(found.format))
        rest = max(64 * KIB, tail_start)
        assert file.requests == [(0, 64 * KIB), (rest, file.size - rest)]


@pytest.mark.parametrize("name", sorted(FAR_TAGS))
async def test_large_tags_at_the_end_cost_one_request_more(name: str) -> None:
    file = CountedFile(sample(name))
    await file.inspect(name)
    assert len(file.requests) == 3
    assert file.bytes_read < 152 * KIB


async def test_head_and_tail_are_on_their_way_at_the_same_time() -> None:
    data = sample("plain.flac")
    under_way, most = 0, 0

    async def read(offset: int, size: int) -> bytes:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return data[offset : offset + size]

    await inspect(read, "a.flac", len(data))
    assert most == 2


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a"])
async def test_sixteen_mebibytes_of_art_cost_less_than_200_kib(
    kind: str, hostile: dict[str, Path]
) -> None:
    file = CountedFile(hostile[f"art {kind}"])
    found = await file.inspect(f"art.{kind}")
    assert found.failure is None
    assert found.tags["title"] == ("Titre",)
    assert [picture.length for picture in found.pictures] == [(16 << 20) - 4096]
    assert file.bytes_read < 200 * KIB
    assert len(file.requests) <= 4


MP3_TEXT = "has an ID3v2 tag with more than 1 MiB of text"


@pytest.mark.parametrize("kind", ["flac", "mp3", "m4a"])
async def test_sixteen_mebibytes_of_text_are_refused(kind: str, hostile: dict[str, Path]) -> None:
    file = CountedFile(hostile[f"text {kind}"])
    found = await file.inspect(f"text.{kind}")
    assert found.failure in ("has tags larger than 4 MiB", MP3_TEXT)
    assert found.tags == {}
    assert (found.audio_start, found.audio_end) == (0, file.size)
    assert file.bytes_read < 1 << 20


@pytest.mark.parametrize(
    ("short", "reason"),
    [
        ("empty", "is empty"),
        ("truncated flac", "cut off"),
        ("truncated mp3", "cut off"),
        ("truncated m4a", "cut off"),
        ("truncated ogg", "cut off"),
        ("random", "holds no MPEG audio frames"),
    ],
)
async def test_broken_files_give_a_reason(
    short: str, reason: str, hostile: dict[str, Path]
) -> None:
    path = hostile[short]
    found = await CountedFile(path).inspect(path.name)
    assert reason in (found.failure or "")
    assert (found.audio_start, found.audio_end) == (0, path.stat().st_size)


@pytest.mark.parametrize(
    ("name", "claimed", "actual"),
    [
        ("plain.flac", "a.mp3", Format.FLAC),
        ("v24.mp3", "a.flac", Format.MP3),
        ("v1.mp3", "a.ogg", Format.MP3),
        ("opus.opus", "a.ogg", Format.OPUS),
        ("flac.oga", "a.oga", Format.OGGFLAC),
        ("first.m4a", "a.aac", Format.MP4),
        ("adts.aac", "a.mp3", Format.AAC),
        ("windows.wma", "a.mp3", Format.ASF),
        ("wavpack.wv", "a.mka", Format.WAVPACK),
    ],
)
async def test_a_wrong_extension_does_no_harm(name: str, claimed: str, actual: Format) -> None:
    found = await CountedFile(sample(name)).inspect(claimed)
    assert found.failure is None
    assert found.format is actual
    assert found.tags == (await CountedFile(sample(name)).inspect(name)).tags


async def test_audio_of_an_unknown_kind_is_no_failure() -> None:
    found = await CountedFile(b"something" * 100).inspect("a.mka")
    assert found == Inspection(Format.OTHER, {}, (), 0, 900, found.fingerprint)


async def test_names_do_not_matter(hostile: dict[str, Path]) -> None:
    expected = await CountedFile(sample("plain.flac")).inspect("plain.flac")
    for short in ("newline", "not utf-8", "255 bytes", "upper case", "lower case"):
        path = hostile[short]
        assert await CountedFile(path).inspect(path.name) == expected


def test_a_fingerprint_covers_size_head_and_tail() -> None:
    head, tail = bytes(64 * KIB), bytes(8 * KIB)
    size = 1 << 30
    known = fingerprint(size, head, tail)
    assert known == blake3(size.to_bytes(8, "little") + head + tail).digest()
    assert len(known) == 32
    assert fingerprint(size, head + b"more", b"more" + tail) == known
    for other in (
        fingerprint(size + 1, head, tail),
        fingerprint(size, head[:-1] + b"x", tail),
        fingerprint(size, head, b"x" + tail[1:]),
    ):
        assert other != known


@pytest.mark.parametrize("size", [0, 1, 8 * KIB, 64 * KIB, 64 * KIB + 1, 72 * KIB, 200 * KIB])
async def test_the_fingerprint_does_not_depend_on_the_way_it_was_read(size: int) -> None:
    data = bytes(index * index % 251 for index in range(size))
    expected = fingerprint(size, data, data)
    for name in ("a.flac", "a.mp3", "a.jpg"):
        for ends in (EndSizes(), EndSizes(0, 0), EndSizes(128 * KIB, 256 * KIB)):
            assert (await CountedFile(data).inspect(name, ends)).fingerprint == expected
    file = CountedFile(data)
    assert await identify(file.read, size) == expected
    assert file.bytes_read == min(size, 72 * KIB)


async def test_what_the_origin_raises_passes_through() -> None:
    async def read(offset: int, size: int) -> bytes:
        raise OriginUnavailable("box is away")

    for size in (1000, 1 << 20):
        with pytest.raises(OriginUnavailable, match="box is away"):
            await inspect(read, "a.flac", size)


async def test_a_failure_of_one_end_gives_up_the_other() -> None:
    cancelled: list[int] = []

    async def read(offset: int, size: int) -> bytes:
        if offset == 0:
            raise OriginUnavailable("box is away")
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            cancelled.append(offset)
            raise
        return b""

    with pytest.raises(OriginUnavailable):
        await inspect(read, "a.flac", 1 << 20)
    assert cancelled == [(1 << 20) - 8 * KIB]


async def test_an_origin_error_in_a_later_request_passes_through(hostile: dict[str, Path]) -> None:
    file = CountedFile(hostile["art flac"])

    async def read(offset: int, size: int) -> bytes:
        if len(file.requests) == 2:
            raise OriginUnavailable("box is away")
        return await file.read(offset, size)

    with pytest.raises(OriginUnavailable):
        await inspect(read, "art.flac", file.size)


async def test_a_file_that_shrank_is_told(hostile: dict[str, Path]) -> None:
    file = CountedFile(hostile["art flac"].read_bytes()[: 1 << 20])
    found = await inspect(file.read, "a.flac", 16 << 20)
    assert found.failure == "is shorter than its listing says"


async def test_scattered_tags_have_a_bound_on_requests() -> None:
    # FLAC blocks of a mebibyte each: every header is a request of its own.
    block = b"\1" + (1 << 20).to_bytes(3, "big")
    size = 100 << 20

    async def read(offset: int, wanted: int) -> bytes:
        start = (offset - 4) // ((1 << 20) + 4)
        first = start * ((1 << 20) + 4) + 4
        piece = b"fLaC" if offset == 0 else bytes(max(0, offset - first))
        out = (piece + block)[0 if offset == 0 else offset - first :]
        requests.append(offset)
        return out.ljust(wanted, b"\0")[:wanted]

    requests: list[int] = []
    found = await inspect(read, "a.flac", size)
    assert found.failure == "has tags in more than 64 places"
    assert len(requests) == 66


async def test_a_made_library_reads_without_a_failure(tmp_path: Path) -> None:
    samples = next(iter(shared_samples().values())).parent
    tracks = make_library(samples, tmp_path / "music", 40)
    artists: set[tuple[str, ...]] = set()
    for track in tracks:
        found = await CountedFile(track).inspect(track.name)
        assert found.failure is None
        assert found.tags["title"][0].rsplit(" ", 1)[1] == f"{tracks.index(track):05d}"
        assert {"artist", "album", "albumartist", "discnumber", "date", "genre"} <= set(found.tags)
        artists.add(found.tags["artist"])
    assert any(len(names) == 2 for names in artists)
    assert len({track.parent for track in tracks}) == 4
    assert (tracks[0].parent / "cover.jpg").exists()
