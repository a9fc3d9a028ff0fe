"""Replicas whose bytes are not those that are known: left out, looked at, never served."""

from __future__ import annotations

import pytest

from musefs.errors import ContentChanged, ContentUnavailable
from musefs.model import Buffer
from tests.fakes.source import truth
from tests.federation.peers import SONG, Club

pytestmark = pytest.mark.looptime

OTHER = bytes(SONG.size)


def is_right(data: Buffer) -> bool:
    return data == truth(SONG.id, SONG.size)


async def test_wrong_bytes_are_asked_for_elsewhere_and_the_file_is_looked_at() -> None:
    club = Club("nas", "box")
    club.origins["nas"].bytes = OTHER
    for _ in range(3):
        assert is_right(await club.federation.read(SONG, 0, SONG.size, is_right))
    assert club.wrong == [("nas", "song")]
    assert club.federation.health_of()["nas"].errors == 0


async def test_a_wrong_answer_does_not_win_against_a_late_one() -> None:
    club = Club("nas", "box")
    club.origins["nas"].outcomes.append(2.5)
    club.origins["box"].bytes = OTHER
    assert is_right(await club.federation.read(SONG, 0, SONG.size, is_right))
    assert club.wrong == [("box", "song")]


@pytest.mark.parametrize("names", [("nas",), ("nas", "box")])
async def test_when_nobody_has_the_right_bytes_the_content_has_changed(
    names: tuple[str, ...],
) -> None:
    club = Club(*names)
    for origin in club.origins.values():
        origin.bytes = OTHER
    with pytest.raises(ContentChanged) as changed:
        await club.federation.read(SONG, 0, SONG.size, is_right)
    assert "other bytes" in str(changed.value.__cause__)
    assert sorted(name for name, _ in club.wrong) == sorted(names)
    assert [len(club.reads(name)) for name in names] == [1] * len(names)
    assert await club.federation.read(SONG, 0, SONG.size) == OTHER


async def test_wrong_bytes_beside_an_origin_that_is_down_are_no_change() -> None:
    club = Club("nas", "box")
    club.origins["nas"].bytes = OTHER
    club.origins["box"].down = True
    with pytest.raises(ContentUnavailable):
        await club.federation.read(SONG, 0, SONG.size, is_right)
    assert [len(club.reads(name)) for name in club.origins] == [1, 4]


async def test_a_check_that_breaks_is_nobodys_fault() -> None:
    club = Club("nas", "box")
    with pytest.raises(ZeroDivisionError):
        await club.federation.read(SONG, 0, SONG.size, lambda _: bool(1 // 0))
    assert [status.errors for status in club.federation.health_of().values()] == [0, 0]
