"""Whole files against recorded digests: what no scan can notice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from musefs.indexing.verifying import REQUEST_BYTES_MAX, Verified, Verifier
from origins import FileInfo, Origin, OriginUnavailable
from tests.fakes.origin import Troubled
from tests.indexing.listening import Listening, listening, noise, overwritten
from tests.indexing.music import DOWN, failing_at, flac_of

AUDIO = noise(1, 2_500_000)
SONG = flac_of("one", noise(2, 300_000), AUDIO)
PATH = "a/song.flac"
MIDDLE = 1_500_000


@pytest.fixture
async def nas(tmp_path: Path) -> AsyncIterator[Listening]:
    async with listening(tmp_path, "nas") as found:
        found.origins["nas"].put(PATH, SONG)
        await found.scan()
        yield found


def silently_put(nas: Listening, path: str, data: bytes) -> None:
    """Other bytes under the version of those before."""
    files = nas.origins["nas"]._files
    files[path] = (data, files[path][1])


async def verified(
    nas: Listening,
    origin: Origin | None = None,
    bytes_per_s: int | None = None,
    committed: Callable[[], None] = lambda: None,
) -> dict[str, Verified]:
    nas.origins["nas"].reads.clear()
    verifier = Verifier(nas.database, nas.examiner(), nas.store.digests, committed)
    found = verifier.verify_all(origin or nas.origins["nas"], bytes_per_s)
    return {one.path: one async for one in found}


async def test_a_file_that_is_what_it_was_is_read_once_in_bounded_requests(nas: Listening) -> None:
    await nas.play(PATH)
    found = await verified(nas)
    assert found == {PATH: Verified(PATH, "same", len(SONG))}
    sizes = [size for _, _, size in nas.origins["nas"].reads]
    assert sum(sizes) == len(SONG)
    assert max(sizes) <= REQUEST_BYTES_MAX


async def test_only_what_has_digests_is_read(nas: Listening) -> None:
    nas.origins["nas"].put("b/plain.flac", flac_of("two", b"", noise(5, 900_000)))
    await nas.scan()
    found = await verified(nas)
    assert set(found) == {PATH, "b/plain.flac"}
    assert sum(size for _, _, size in nas.origins["nas"].reads) < 600_000
    await nas.store.clear()
    assert await verified(nas) == {}


async def test_audio_that_changed_without_a_trace_is_found(nas: Listening) -> None:
    await nas.play(PATH)
    before = await nas.content(PATH)
    other = overwritten(SONG, MIDDLE, b"other")
    silently_put(nas, PATH, other)
    await nas.scan(full=True)
    assert await nas.content(PATH) == before
    told: list[None] = []
    found = await verified(nas, committed=lambda: told.append(None))
    assert found[PATH].outcome == "other"
    assert told == [None]
    after = await nas.content(PATH)
    assert (after.id == before.id, after.ends == before.ends) == (False, True)
    nas.replicas.forget_all()
    assert await nas.play(PATH) == other
    assert (await verified(nas))[PATH].outcome == "same"
    await nas.scan(full=True)
    assert await nas.content(PATH) == after


async def test_what_the_origin_does_not_give_changes_nothing(nas: Listening) -> None:
    before = await nas.content(PATH)
    away = Troubled(nas.origins["nas"], failing_at(DOWN, PATH))
    assert await verified(nas, away) == {PATH: Verified(PATH, "unread", reason=str(DOWN))}
    nas.origins["nas"].put(PATH, flac_of("two", b"", AUDIO))
    assert (await verified(nas))[PATH].outcome == "changed"
    nas.origins["nas"].delete(PATH)
    assert (await verified(nas))[PATH].outcome == "changed"
    assert await nas.content(PATH) == before


async def test_a_mismatch_while_the_origin_goes_away_is_left_for_later(nas: Listening) -> None:
    await nas.play(PATH)
    before = await nas.content(PATH)
    silently_put(nas, PATH, overwritten(SONG, MIDDLE, b"other"))

    class Away(Troubled):
        async def stat(self, path: str) -> FileInfo:
            raise OriginUnavailable("nas: gone in between: is it on?")

    found = await verified(nas, Away(nas.origins["nas"], failing_at(DOWN)))
    assert found[PATH].outcome == "unread"
    assert await nas.content(PATH) == before
    assert (await verified(nas))[PATH].outcome == "other"


async def test_it_is_no_faster_than_allowed(nas: Listening) -> None:
    await nas.play(PATH)
    bytes_per_s = 1_500_000  # of which a second's worth passes at once
    begun_s = asyncio.get_running_loop().time()
    assert (await verified(nas, bytes_per_s=bytes_per_s))[PATH].outcome == "same"
    at_least_s = (len(SONG) - REQUEST_BYTES_MAX) / bytes_per_s - 1
    assert asyncio.get_running_loop().time() - begun_s >= at_least_s > 0.1
