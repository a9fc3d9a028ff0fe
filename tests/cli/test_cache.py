"""The commands `cache` and `backup`, against a served control socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path

import pytest

from musefs.control.server import ControlServer
from musefs.status import VerifyProgress
from tests.cli.conftest import Ask, Run
from tests.control.service import CACHE_STATS, SmallService

SOCKET = ("--socket", "control.sock")


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[SmallService]:
    service = SmallService()
    server = ControlServer(service, tmp_path / "control.sock")
    await server.start()
    yield service
    await server.stop(0)


async def test_stats_are_told_in_words_and_whole_in_json(ask: Ask, service: SmallService) -> None:
    done = await ask("cache", "stats", *SOCKET)
    assert (done.code, done.errors) == (0, "")
    for text in ("1 B of 2 B in 2 blocks", "4 chunks", "6 B for tag scans, 7 B pinned"):
        assert text in done.out
    done = await ask("cache", "stats", *SOCKET, "--json")
    assert json.loads(done.out) == asdict(CACHE_STATS)


async def test_clear_passes_the_tier_and_tells_what_was_freed(
    ask: Ask, service: SmallService
) -> None:
    done = await ask("cache", "clear", *SOCKET)
    assert (done.code, done.out) == (0, "freed 1.0 MiB of memory, 3.0 GiB of disk\n")
    done = await ask("cache", "clear", *SOCKET, "--tier", "chunks", "--dry-run")
    assert done.out == "would free 1.0 MiB of memory, 3.0 GiB of disk\n"
    done = await ask("cache", "clear", *SOCKET, "--tier", "memory", "--json")
    assert json.loads(done.out) == {
        "memory_bytes": 1 << 20,
        "disk_bytes": 3 << 30,
        "dry_run": False,
    }
    assert service.caching.asked == [
        ("clear", "all", False),
        ("clear", "chunks", True),
        ("clear", "memory", False),
    ]


def test_a_tier_that_is_none_is_wrong_usage(musefs: Run) -> None:
    done = musefs("cache", "clear", "--tier", "disk")
    assert done.returncode == 2
    assert "memory" in done.stderr
    assert "chunks" in done.stderr


async def test_verify_tells_the_counts_and_fails_when_something_is_lost(
    ask: Ask, service: SmallService
) -> None:
    done = await ask("cache", "verify", *SOCKET)
    assert (done.code, done.errors) == (0, "")
    assert done.out == "3 chunks checked, 1 wrong, 1 repaired, 0 lost\n"
    service.caching.progresses = [VerifyProgress(9, 9, done=True, files=4, changed_files=1)]
    done = await ask("cache", "verify", "--originals", *SOCKET)
    assert done.code == 0
    assert "\n4 originals compared, 1 with other bytes than before, 0 not to be read" in done.out
    service.caching.progresses = [VerifyProgress(9, 9, 3, 1, 2, done=True)]
    done = await ask("cache", "verify", *SOCKET)
    assert done.code == 2
    assert done.out == "9 chunks checked, 3 wrong, 1 repaired, 2 lost\n"
    assert done.errors.startswith("musefs: 2 chunks were wrong")
    assert done.errors.count("\n") == 1
    done = await ask("cache", "verify", *SOCKET, "--json")
    assert done.code == 2
    assert json.loads(done.out) == asdict(service.caching.progresses[-1])


async def test_backup_tells_where_it_is(ask: Ask, service: SmallService, tmp_path: Path) -> None:
    done = await ask("backup", *SOCKET)
    assert (done.code, done.out) == (0, "/state/backups/catalogue.db, 4.0 KiB\n")
    done = await ask("backup", *SOCKET, "mine.db", "--json")
    assert json.loads(done.out) == {"path": str(tmp_path / "mine.db"), "size": 4096}
    done = await ask("backup", *SOCKET, "/taken")
    assert done.code == 1
    assert done.errors == "musefs: /taken: there is something already: name another file\n"
    assert service.caching.asked[0] == ("back_up", None)


@pytest.mark.parametrize("command", [("cache", "stats"), ("cache", "verify"), ("backup",)])
def test_no_running_musefs_is_told(musefs: Run, command: tuple[str, ...]) -> None:
    done = musefs(*command, "--socket", "away.sock")
    assert done.returncode == 1
    assert "no musefs runs here" in done.stderr
