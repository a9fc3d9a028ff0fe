"""How much SQLite does for everyday work, in steps of its machine: as much in any library.

A plan does not show everything: to look up what is NULL in an index is a search by its words, and
goes through all rows when nearly all of them are.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from musefs.app.parts import Parts, assembled
from musefs.app.service import App
from musefs.catalog.nodes import ROOT
from musefs.config import load
from musefs.indexing.scanning import ScanOptions
from tests.lab.large_catalogue import REAL_FOLDER, LargeLibrary, make_library

FEW, MANY = 2_000, 8_000
STEPS_PER_CALL = 10
MORE_MAX = 1.3


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> tuple[LargeLibrary, LargeLibrary]:
    """A small library, and a larger one."""
    few, many = (make_library(tmp_path_factory.mktemp("large"), count) for count in (FEW, MANY))
    return few, many


async def follow(parts: Parts, *paths: str) -> None:
    await parts.followers["nas"].rescan(ScanOptions(paths=paths))
    await parts.refresher.catch_up()
    await parts.refresher._tree.unmade()


async def change(parts: Parts, library: LargeLibrary) -> None:
    file = library.origin / "real" / "3.flac"
    file.write_bytes(file.read_bytes() + b"more")
    await follow(parts, "real/3.flac")


async def come_and_go(parts: Parts, library: LargeLibrary) -> None:
    """A sidecar, and a track in the folder of that."""
    cover, song = library.origin / "real" / "cover.jpg", library.origin / "real" / "new.flac"
    cover.write_bytes(b"cover")
    await follow(parts, "real/cover.jpg")
    song.write_bytes((library.origin / "real" / "4.flac").read_bytes() + b"new")
    await follow(parts, "real/new.flac")
    cover.unlink()
    song.unlink()
    await follow(parts, "real/cover.jpg", "real/new.flac")


async def edit(parts: Parts, library: LargeLibrary) -> None:
    path = f"{REAL_FOLDER}/{library.real_names[5]}"
    await parts.tagging.set(path, {"genre": ["Jazz"]})
    await parts.tagging.clear(path)
    await parts.refresher.catch_up()


async def read(parts: Parts, library: LargeLibrary) -> None:
    node = await parts.library.walk(f"{REAL_FOLDER}/{library.real_names[6]}")
    await parts.library.children(node.parent)
    handle = await parts.reading.open_files.open(node)
    await parts.reading.open_files.read(handle, 0, 1000)
    parts.reading.open_files.release(handle)


async def status(parts: Parts, library: LargeLibrary) -> None:
    app = App(parts, str(library.origin))
    await app.status_json()
    await app.unserved_text()
    await parts.library.entry(ROOT)
    await parts.refresher._tree.adopt_rules()
    await parts.warming.pins.statuses()


async def steps(
    library: LargeLibrary, work: Callable[[Parts, LargeLibrary], Awaitable[None]]
) -> int:
    """How many of ten steps a piece of work takes, the second time that it is done."""
    calls = 0

    def called() -> None:
        nonlocal calls
        calls += 1

    async with assembled(load(library.config, {}), "test") as parts:
        await work(parts, library)
        for connection in parts.database._connections:
            await connection.set_progress_handler(called, STEPS_PER_CALL)
        await work(parts, library)
    return calls


@pytest.mark.parametrize("work", [change, come_and_go, edit, read, status])
async def test_everyday_work_takes_as_many_steps_in_any_library(
    libraries: tuple[LargeLibrary, LargeLibrary],
    work: Callable[[Parts, LargeLibrary], Awaitable[None]],
) -> None:
    few, many = [await steps(library, work) for library in libraries]
    print(f"{work.__name__}: {few} and {many} times {STEPS_PER_CALL} steps")
    assert few > 10
    assert many <= MORE_MAX * few + 10
