"""Files that cannot be read, or not now: listed, tried again, and in nobody's way."""

from __future__ import annotations

import asyncio

import pytest

from musefs.catalog.files import FailedFile
from musefs.indexing.scanning import UNAVAILABLE_IN_A_ROW_MAX
from origins import FileChanged, FileMissing, OriginError, OriginUnavailable
from tests.fakes.origin import failing, no_trouble
from tests.indexing.music import DENIED, DOWN, Indexed, album, failing_at, flac


async def test_a_denied_file_is_listed_with_its_reason_and_tried_again(indexed: Indexed) -> None:
    path = "album/0003.flac"
    indexed.troubled.rule = failing_at(DENIED, path)
    progress = await indexed.scan()
    assert (progress.inspected, progress.failed) == (10, 1)
    assert await indexed.files.failures() == [FailedFile("nas", path, str(DENIED))]
    assert path not in await indexed.titles()
    indexed.troubled.rule = no_trouble
    indexed.take_reads()
    assert (await indexed.scan()).failed == 0
    assert indexed.take_reads() == [path]
    assert (await indexed.titles())[path] == "title 3"
    assert await indexed.files.failures() == []


async def test_a_file_that_becomes_denied_keeps_what_was_known_of_it(indexed: Indexed) -> None:
    await indexed.scan()
    indexed.fake.put("album/0003.flac", flac("another"))
    indexed.troubled.rule = failing_at(DENIED, "album/0003.flac")
    await indexed.scan()
    assert (await indexed.titles())["album/0003.flac"] == "title 3"
    assert await indexed.files.failure_count() == 1
    indexed.troubled.rule = no_trouble
    await indexed.scan()
    assert (await indexed.titles())["album/0003.flac"] == "another"


async def test_a_file_that_cannot_be_given_now_holds_nothing_up(indexed: Indexed) -> None:
    path = "album/0003.flac"
    indexed.troubled.rule = failing_at(DOWN, path)
    progress = await indexed.scan()
    assert (progress.inspected, progress.failed) == (9, 1)
    assert await indexed.paths() == set(album(10)) - {path}
    assert await indexed.files.failures() == []
    indexed.troubled.rule = no_trouble
    indexed.take_reads()
    await indexed.scan()
    assert indexed.take_reads() == [path]


async def test_a_file_whose_connection_broke_is_tried_again_at_once(indexed: Indexed) -> None:
    path = "album/0003.flac"
    broken = [DOWN]

    async def once(call: str, asked: str) -> None:
        if (call, asked) == ("read", path) and broken:
            raise broken.pop()

    indexed.troubled.rule = once
    progress = await indexed.scan()
    assert (progress.inspected, progress.failed) == (10, 0)
    assert not broken


async def test_a_file_that_hangs_is_left_for_the_next_scan(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musefs.indexing.examining.AGAIN_WITHIN_S", 0.01)
    path = "album/0003.flac"
    asked = []

    async def slow(call: str, wanted: str) -> None:
        if (call, wanted) == ("read", path):
            asked.append(wanted)
            await asyncio.sleep(0.05)
            raise DOWN

    indexed.troubled.rule = slow
    progress = await indexed.scan()
    assert (progress.inspected, progress.failed) == (9, 1)
    assert len(asked) == 1


async def test_many_in_a_row_that_cannot_be_given_end_the_scan(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musefs.indexing.scanning.FILES_PER_BATCH", 100)
    for path, data in album(60).items():
        indexed.fake.put(path, data)
    indexed.troubled.rule = failing(DOWN, "read")
    with pytest.raises(OriginUnavailable):
        await indexed.scan()
    reads = indexed.troubled.calls.count("read")
    files_max = UNAVAILABLE_IN_A_ROW_MAX + indexed.at_once_max
    assert UNAVAILABLE_IN_A_ROW_MAX < reads <= 2 * files_max
    await asyncio.sleep(0.01)
    assert indexed.troubled.calls.count("read") == reads


async def test_failures_with_a_success_between_them_do_not_end_the_scan(
    indexed: Indexed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("musefs.indexing.scanning.FILES_PER_BATCH", 100)
    paths = [f"album/{n:04}.flac" for n in range(60)]
    for path, data in album(60).items():
        indexed.fake.put(path, data)
    indexed.troubled.rule = failing_at(DOWN, *(p for n, p in enumerate(paths) if n % 8))
    progress = await indexed.scan()
    assert progress.inspected == 8


async def test_nothing_reads_on_after_a_scan_has_failed(indexed: Indexed) -> None:
    async def rule(operation: str, path: str) -> None:
        if operation == "read" and path == "album/0000.flac":
            raise ZeroDivisionError
        if operation == "read":
            await asyncio.sleep(0.02)

    indexed.troubled.rule = rule
    with pytest.raises(ZeroDivisionError) as caught:
        await indexed.scan()
    before = len(indexed.fake.reads)
    await asyncio.sleep(0.05)
    assert len(indexed.fake.reads) == before
    assert caught.value.__traceback__ is not None


async def test_a_file_that_changes_while_it_is_read_is_looked_at_once_more(
    indexed: Indexed,
) -> None:
    async def rule(operation: str, path: str) -> None:
        if operation == "read" and path == "album/0003.flac":
            indexed.troubled.rule = no_trouble
            indexed.fake.put(path, flac("while it was read"))

    indexed.troubled.rule = rule
    await indexed.scan()
    assert indexed.troubled.calls.count("stat") == 1
    assert (await indexed.titles())["album/0003.flac"] == "while it was read"
    indexed.take_reads()
    await indexed.scan()
    assert indexed.take_reads() == []


async def test_a_file_that_never_holds_still_is_listed_and_tried_again(indexed: Indexed) -> None:
    path = "album/0003.flac"
    indexed.troubled.rule = failing_at(FileChanged("nas: it changes"), path)
    progress = await indexed.scan()
    assert progress.failed == 1
    assert indexed.troubled.calls.count("stat") == 1
    assert await indexed.files.failures() == [FailedFile("nas", path, "nas: it changes")]
    indexed.troubled.rule = no_trouble
    await indexed.scan()
    assert (await indexed.titles())[path] == "title 3"


@pytest.mark.parametrize("then", [FileMissing("gone"), DOWN, DENIED])
async def test_what_a_changed_file_is_then_is_taken_as_it_is(
    indexed: Indexed, then: OriginError
) -> None:
    async def rule(operation: str, path: str) -> None:
        if path == "album/0003.flac" and operation in ("read", "stat"):
            raise FileChanged("changed") if operation == "read" else then

    indexed.troubled.rule = rule
    progress = await indexed.scan()
    assert ("album/0003.flac" in await indexed.paths()) == (then is DENIED)
    assert progress.failed == (not isinstance(then, FileMissing))


async def test_a_file_that_is_gone_when_it_is_read_is_passed_over(indexed: Indexed) -> None:
    indexed.troubled.rule = failing_at(FileMissing("gone"), "album/0003.flac")
    progress = await indexed.scan()
    assert (progress.inspected, progress.failed) == (9, 0)
    assert "album/0003.flac" not in await indexed.paths()


async def test_a_file_that_is_not_what_it_says_is_kept_with_the_reason(indexed: Indexed) -> None:
    indexed.fake.put("broken.flac", b"fLaC" + b"\xff" * 100)
    indexed.fake.put("empty.flac", b"")
    progress = await indexed.scan()
    assert progress.failed == 2
    assert {"broken.flac", "empty.flac"} <= set(await indexed.titles())
    assert [failed.path for failed in await indexed.files.failures()] == [
        "broken.flac",
        "empty.flac",
    ]
    indexed.take_reads()
    await indexed.scan()
    assert indexed.take_reads() == []
