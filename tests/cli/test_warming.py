"""The commands `prefetch`, `pin`, `unpin` and `pins`, against a served control socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from musefs.control.server import ControlServer
from tests.cli.conftest import Ask
from tests.control.service import PIN, SmallService, SmallWarming

SOCKET = ("--socket", "control.sock")


@pytest.fixture
async def warming(tmp_path: Path) -> AsyncIterator[SmallWarming]:
    service = SmallService()
    server = ControlServer(service, tmp_path / "control.sock")
    await server.start()
    yield service.warming
    await server.stop(0)


async def test_a_prefetch_with_failures_says_so(ask: Ask, warming: SmallWarming) -> None:
    done = await ask("prefetch", "blue", *SOCKET)
    assert done.code == 2
    assert done.out == (
        "1 of 2 tracks are in the disk cache or at hand: 60 B of 100 B, 50 B fetched\n"
    )
    assert done.errors == "musefs: 1 tracks failed; the last: a.flac: gone \\udcff\n"
    warming.last = replace(warming.last, failed_tracks=0, error=None)
    done = await ask("prefetch", "blue", *SOCKET, "--json")
    assert (done.code, done.errors) == (0, "")
    assert json.loads(done.out) == asdict(warming.last)


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        (["blue"], "blue"),
        (['artist:"Ana Luz" blue'], 'artist:"Ana Luz" blue'),
        (["artist:Ana Luz", "blue"], 'artist:"Ana Luz" blue'),
        (["so what", "blue"], '"so what" blue'),
        (["/Ana Luz/Blue"], "/Ana Luz/Blue"),
        (["control.sock"], "control.sock"),
    ],
)
async def test_a_query_is_sent_as_the_shell_gave_it(
    ask: Ask, warming: SmallWarming, words: list[str], sent: str
) -> None:
    done = await ask("prefetch", *words, *SOCKET)
    assert done.code == 2
    assert warming.asked == [sent]


async def test_a_pin_tells_what_it_names(ask: Ask, warming: SmallWarming) -> None:
    done = await ask("pin", "blue", *SOCKET)
    assert (done.code, done.errors) == (0, "")
    assert done.out.splitlines() == [
        "pinned blue: 12 tracks, 3.0 GiB",
        "not all of them fit: raise cache.pins, or unpin something",
    ]
    done = await ask("pin", "blue", *SOCKET, "--json")
    assert json.loads(done.out) == asdict(replace(PIN, query="blue"))
    done = await ask("unpin", PIN.query, *SOCKET)
    assert (done.code, done.out) == (0, 'unpinned artist:"Ana Luz"\n')
    assert warming.pins.asked == [("pin", "blue"), ("pin", "blue"), ("unpin", PIN.query)]


async def test_pins_are_listed(ask: Ask, warming: SmallWarming) -> None:
    warming.pins.found.append(
        replace(PIN, query="x\x1b", over_budget=False, error="box: no route to host")
    )
    done = await ask("pins", *SOCKET, TZ="UTC")
    assert done.out.splitlines() == [
        "query             tracks  here     of       since",
        'artist:"Ana Luz"  12      1.0 GiB  3.0 GiB  2023-11-14 22:13  '
        "not all of it fits: raise cache.pins",
        r"x\x1b             12      1.0 GiB  3.0 GiB  2023-11-14 22:13",
        r"x\x1b: box: no route to host",
    ]
    done = await ask("pins", *SOCKET, "--json")
    assert json.loads(done.out) == {"pins": [asdict(pin) for pin in warming.pins.found]}
    warming.pins.found.clear()
    done = await ask("pins", *SOCKET)
    assert done.out == "nothing is pinned: musefs pin QUERY\n"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["prefetch", "nothing"], "no track in the tree matches"),
        (["pin", "odd:"], "there is no such field"),
        (["unpin", "blue"], "it is not pinned"),
    ],
)
async def test_what_is_refused_is_one_line(
    ask: Ask, warming: SmallWarming, words: list[str], text: str
) -> None:
    done = await ask(*words, *SOCKET)
    assert (done.code, done.out) == (1, "")
    assert done.errors.startswith("musefs: ")
    assert done.errors.count("\n") == 1
    assert text in done.errors


async def test_an_empty_query_is_wrong_usage(ask: Ask, warming: SmallWarming) -> None:
    done = await ask("pin", " ", *SOCKET)
    assert done.code == 2
    assert "QUERY is empty" in done.errors
