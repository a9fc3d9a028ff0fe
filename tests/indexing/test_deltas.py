"""Files that change where they are cached: what that costs, and what is true afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from musefs.errors import ContentChanged
from musefs.indexing.sampling import WINDOW_BYTES
from origins.base import Version
from tests.fakes.origin import FakeOrigin
from tests.indexing.listening import Listening, listening, noise, overwritten
from tests.indexing.music import DOWN, flac_of

AUDIO = noise(1, 30_000_000)
SHORT = noise(2, 3_000_000)
COVER = noise(3, 1_000_000)
SONG = "a/song.flac"
MIDDLE = 1_700_000


@pytest.fixture
async def nas(tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(tmp_path, "nas") as found:
        yield found


async def heard(nas: Listening, data: bytes) -> None:
    """The song is scanned and was played once."""
    nas.origins["nas"].put(SONG, data)
    await nas.scan()
    assert await nas.play(SONG) == data


def audio_bytes_read(nas: Listening, audio_start: int) -> int:
    reads = nas.origins["nas"].reads
    return sum(max(0, offset + size - max(offset, audio_start)) for _, offset, size in reads)


@pytest.mark.parametrize("art", [b"", COVER], ids=["plain", "with a cover"])
async def test_new_tags_cost_less_than_a_hundredth_and_no_audio(nas: Listening, art: bytes) -> None:
    await heard(nas, flac_of("one", art, AUDIO))
    old = await nas.content(SONG)
    retagged = flac_of("another title that is longer", art, AUDIO)
    nas.origins["nas"].put(SONG, retagged)
    cost = await nas.scan()
    print(f"a re-tag of {len(retagged):,} bytes: {cost:,} bytes in {len(nas.origins['nas'].reads)}")
    assert cost < 300_000
    new = await nas.content(SONG)
    assert new.id != old.id
    assert new.audio_start != old.audio_start
    nas.origins["nas"].reads.clear()
    assert await nas.play(SONG) == retagged
    assert audio_bytes_read(nas, new.audio_start) == 0


async def test_tags_and_audio_that_change_together_are_fetched(nas: Listening) -> None:
    await heard(nas, flac_of("one", b"", SHORT))
    other = flac_of("two", b"", noise(9, len(SHORT)))
    nas.origins["nas"].put(SONG, other)
    await nas.scan()
    assert await nas.play(SONG) == other


@pytest.mark.parametrize("place", [30_000, len(SHORT) - 3])
async def test_a_change_in_what_is_read_anyway_is_noticed_however_small(
    nas: Listening, place: int
) -> None:
    await heard(nas, flac_of("one", b"", SHORT))
    other = flac_of("two", b"", overwritten(SHORT, place, b"abc"))
    nas.origins["nas"].put(SONG, other)
    await nas.scan()
    assert await nas.store.cached_share((await nas.content(SONG)).content()) < 0.1
    assert await nas.play(SONG) == other


async def test_audio_of_another_length_is_not_even_compared(nas: Listening) -> None:
    await heard(nas, flac_of("one", b"", SHORT))
    other = flac_of("two", b"", SHORT + b"x")
    nas.origins["nas"].put(SONG, other)
    await nas.scan()
    offsets = [offset for _, offset, _ in nas.origins["nas"].reads]
    assert not [offset for offset in offsets if 200_000 < offset < len(SHORT) - 200_000]
    assert await nas.play(SONG) == other


async def test_a_touched_file_stays_what_it_is(nas: Listening) -> None:
    song = flac_of("one", b"", SHORT)
    await heard(nas, song)
    old = await nas.content(SONG)
    nas.origins["nas"].put(SONG, song)
    await nas.scan()
    assert await nas.content(SONG) == old
    nas.origins["nas"].reads.clear()
    assert await nas.play(SONG) == song
    assert nas.origins["nas"].reads == []


async def test_other_audio_between_the_same_ends_is_another_content(nas: Listening) -> None:
    song = flac_of("one", b"", SHORT)
    await heard(nas, song)
    old = await nas.content(SONG)
    tracks = await nas.database.rows("SELECT id FROM tracks")
    other = overwritten(song, 200_000, noise(4, len(song) - 400_000))
    nas.origins["nas"].put(SONG, other)
    await nas.scan()
    new = await nas.content(SONG)
    assert new.id != old.id
    assert new.ends == old.ends != new.fingerprint
    assert await nas.play(SONG) == other
    assert await nas.database.rows("SELECT id FROM tracks") == tracks
    with pytest.raises(ContentChanged):
        await nas.store._below.read(old.content(), MIDDLE, 10)
    await nas.scan(full=True)
    assert await nas.content(SONG) == new


async def test_a_variant_that_changes_again_is_yet_another(nas: Listening) -> None:
    song = flac_of("one", b"", SHORT)
    seen = set()
    for take in range(4):
        data = overwritten(song, 200_000, noise(take, len(song) - 400_000))
        await heard(nas, data)
        seen.add((await nas.content(SONG)).id)
    assert len(seen) == 4


async def test_two_origins_that_change_alike_stay_one_content(tmp_path: Path) -> None:
    song = flac_of("one", b"", SHORT)
    other = overwritten(song, 200_000, noise(4, len(song) - 400_000))
    async with listening(tmp_path, "nas", "box") as both:
        for data in (song, other):
            for name, origin in both.origins.items():
                origin.put(SONG, data)
                await both.scan(name)
                assert await both.play(SONG, name) == data
        assert await both.content(SONG, "nas") == await both.content(SONG, "box")
        assert await both.database.rows(
            "SELECT DISTINCT t.id FROM tracks t JOIN files f ON f.content_id = t.content_id"
        ) == [(1,)]


async def test_nothing_is_compared_with_what_is_not_stored(nas: Listening) -> None:
    song = flac_of("one", b"", SHORT)
    nas.origins["nas"].put(SONG, song)
    await nas.scan()
    old = await nas.content(SONG)
    await nas.store.clear()
    nas.origins["nas"].put(SONG, overwritten(song, MIDDLE, b"other"))
    await nas.scan()
    assert await nas.content(SONG) == old
    assert await nas.play(SONG) == overwritten(song, MIDDLE, b"other")


def no_windows(patch: pytest.MonkeyPatch) -> None:
    """Have every origin go away when a window is read."""
    read = FakeOrigin.read

    async def failing(
        self: FakeOrigin, path: str, version: Version, offset: int, size: int
    ) -> bytes:
        if size == WINDOW_BYTES:
            raise DOWN
        return await read(self, path, version, offset, size)

    patch.setattr(FakeOrigin, "read", failing)


async def test_what_cannot_be_compared_now_is_compared_by_the_next_scan(
    nas: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = flac_of("one", b"", SHORT)
    await heard(nas, song)
    old = await nas.content(SONG)
    other = overwritten(song, 200_000, noise(4, len(song) - 400_000))
    nas.origins["nas"].put(SONG, other)
    with monkeypatch.context() as patch:
        no_windows(patch)
        await nas.scan()
    assert nas.failed == 1
    assert await nas.content(SONG) == old
    await nas.scan()
    assert nas.failed == 0
    assert await nas.play(SONG) == other


async def test_a_new_copy_of_a_variant_is_told_from_the_first(tmp_path: Path) -> None:
    song = flac_of("one", b"", SHORT)
    other = overwritten(song, 200_000, noise(4, len(song) - 400_000))
    third = overwritten(song, 200_000, noise(5, len(song) - 400_000))
    async with listening(tmp_path, "nas", "box") as both:
        await heard(both, song)
        await heard(both, other)
        box = both.origins["box"]
        for path, data in (("1.flac", other), ("2.flac", song), ("3.flac", third)):
            box.put(path, data)
        await both.scan("box")
        for path, data in (("1.flac", other), ("2.flac", song), ("3.flac", third)):
            assert await both.play(path, "box") == data
        assert await both.content("1.flac", "box") == await both.content(SONG)
        ids = {(await both.content(f"{n}.flac", "box")).id for n in (1, 2, 3)}
        assert len(ids) == 3
        both.origins["nas"].put("moved.flac", other)
        both.origins["nas"].delete(SONG)
        await both.scan()
        assert await both.content("moved.flac") == await both.content("1.flac", "box")


async def test_what_cannot_be_told_apart_now_is_by_the_next_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    song = flac_of("one", b"", SHORT)
    other = overwritten(song, 200_000, noise(4, len(song) - 400_000))
    async with listening(tmp_path, "nas", "box") as both:
        await heard(both, song)
        await heard(both, other)
        both.origins["box"].put(SONG, other)
        with monkeypatch.context() as patch:
            no_windows(patch)
            await both.scan("box")
        assert both.failed == 1
        assert await both.files.known("box", [SONG]) == {}
        await both.scan("box")
        assert await both.content(SONG, "box") == await both.content(SONG)
