"""A local folder: the contract, and what only a disk can do."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from origins import (
    AccessDenied,
    FileChanged,
    FileMissing,
    LocalSpec,
    OriginUnavailable,
    open_origin,
)
from origins.local import LocalOrigin
from origins.local_files import translated
from origins.paths import DEPTH_MAX
from tests.origins.contract import OriginContract, Peer, listed, opened, read_whole, some_bytes
from tests.origins.local_peer import LocalPeer, run_script


@pytest.fixture
def peer(tmp_path: Path) -> LocalPeer:
    (tmp_path / "root").mkdir()
    return LocalPeer(tmp_path / "root")


class TestLocalOrigin(OriginContract):
    @pytest.fixture
    def peer(self, tmp_path: Path) -> Peer:
        (tmp_path / "root").mkdir()
        return LocalPeer(tmp_path / "root")


async def test_a_missing_root_is_an_outage_and_not_an_empty_folder(tmp_path: Path) -> None:
    async with opened(LocalPeer(tmp_path / "not mounted")) as origin:
        for call in (listed(origin), listed(origin, "a"), origin.stat("f"), origin.check()):
            with pytest.raises(OriginUnavailable, match=r"not mounted.*mount its disk"):
                await call


async def test_a_root_that_is_a_file_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    async with opened(LocalPeer(tmp_path / "file")) as origin:
        with pytest.raises(OriginUnavailable):
            await listed(origin)


async def test_a_root_replaced_during_a_listing_is_an_outage(peer: LocalPeer) -> None:
    for n in range(600):
        peer.put(f"{n}/f", b"x")
    async with opened(peer) as origin:
        files = origin.list()
        await anext(files)
        shutil.rmtree(peer.folder)
        peer.folder.mkdir()
        with pytest.raises(OriginUnavailable, match="replaced"):
            async for _ in files:
                pass


async def test_opening_does_nothing_on_the_disk(tmp_path: Path) -> None:
    origin = open_origin(LocalSpec("nas", tmp_path / "missing"))
    assert repr(origin) == f"<Limited <LocalOrigin nas at {tmp_path}/missing, 0 open>>"
    await origin.aclose()


async def test_a_file_rewritten_in_place_is_refused(peer: LocalPeer) -> None:
    peer.put("f", b"old bytes")
    async with opened(peer) as origin:
        version = (await origin.stat("f")).version
        assert await origin.read("f", version, 0, 9) == b"old bytes"
        with (peer.folder / "f").open("r+b") as file:
            file.write(b"new")
        with pytest.raises(FileChanged):
            await origin.read("f", version, 0, 9)


async def test_only_regular_files_are_listed_and_opened(peer: LocalPeer) -> None:
    peer.put("f", b"x")
    os.mkfifo(peer.folder / "pipe")
    (peer.folder / "broken").symlink_to("nowhere")
    async with opened(peer) as origin:
        assert set(await listed(origin)) == {"f"}
        for path in ("pipe", "broken"):
            with pytest.raises(FileMissing):
                await origin.stat(path)


async def test_links_inside_the_root_are_followed_and_others_are_not(
    peer: LocalPeer, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    peer.put("real/f", b"bytes")
    (peer.folder / "inside").symlink_to("real")
    (peer.folder / "file").symlink_to("real/f")
    (peer.folder / "outside").symlink_to("..")
    (peer.folder / "outside file").symlink_to(tmp_path / "secret")
    async with opened(peer) as origin:
        assert set(await listed(origin)) == {"real/f", "inside/f", "file"}
        assert await read_whole(origin, "inside/f") == b"bytes"
        for path in ("outside/secret", "outside file", "../secret"):
            with pytest.raises(FileMissing):
                await origin.stat(path)
        with pytest.raises(FileMissing):
            await listed(origin, "outside")


async def test_a_loop_of_links_ends(peer: LocalPeer) -> None:
    peer.put("a/b/f", b"x")
    (peer.folder / "a/b/up").symlink_to("..")
    (peer.folder / "a/b/root").symlink_to(peer.folder)
    (peer.folder / "self").symlink_to("self")
    async with opened(peer) as origin:
        assert set(await listed(origin)) == {"a/b/f"}


async def test_too_deep_folders_are_left_out(
    peer: LocalPeer, caplog: pytest.LogCaptureFixture
) -> None:
    peer.put("/".join(["d"] * DEPTH_MAX + ["f"]), b"x")
    peer.put("/".join(["e"] * (DEPTH_MAX + 1) + ["f"]), b"x")
    async with opened(peer) as origin:
        assert [path[0] for path in await listed(origin)] == ["d"]
    assert "deeper than 64" in caplog.text


async def test_names_that_are_not_utf8_are_kept_apart(peer: LocalPeer) -> None:
    for raw in (b"caf\xe9", b"caf\xe8", b"line\nbreak"):
        peer.put(os.fsdecode(raw), raw)
    async with opened(peer) as origin:
        found = await listed(origin)
        assert sorted(found) == ["caf\udce8", "caf\udce9", "line\nbreak"]
        assert await read_whole(origin, "caf\udce9") == b"caf\xe9"


def test_an_unreadable_folder_is_named_at_the_end() -> None:
    # Root may read everything: the listing runs as another user, in a process of its own.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        peer = LocalPeer(Path(name))
        peer.folder.chmod(0o755)
        peer.put("open/f", b"x")
        peer.put("open/g", b"x")
        peer.put("closed/f", b"x")
        (peer.folder / "open/g").chmod(0o600)
        (peer.folder / "closed").chmod(0o700)
        lines = run_script("as_nobody", name).splitlines()
    *files, incomplete, denied, watching_begun = lines
    assert sorted(files) == ["open/f", "open/g"]
    assert incomplete.startswith("ListingIncomplete could not be read: 'closed'")
    assert denied.startswith("AccessDenied nas: ")
    assert watching_begun == "watching []"


@pytest.mark.parametrize(
    ("number", "kind"),
    [(5, OriginUnavailable), (107, OriginUnavailable), (116, OriginUnavailable),
     (13, AccessDenied), (1, AccessDenied), (2, FileMissing), (20, FileMissing)],
)  # fmt: skip
def test_errors_tell_what_can_be_done(number: int, kind: type[Exception]) -> None:
    assert type(translated(OSError(number, os.strerror(number)), "'/x'")) is kind


async def test_descriptors_are_bounded_and_let_go(peer: LocalPeer) -> None:
    for n in range(100):
        peer.put(f"{n}", b"bytes")
    before = len(os.listdir("/proc/self/fd"))
    origin = LocalOrigin(LocalSpec("nas", peer.folder))
    for path, info in (await listed(origin)).items():
        assert await origin.read(path, info.version, 0, 5) == b"bytes"
    assert ", 64 open>" in repr(origin)
    assert len(os.listdir("/proc/self/fd")) <= before + 66
    await origin.aclose()
    assert len(os.listdir("/proc/self/fd")) <= before + 2


async def test_a_deleted_files_descriptor_is_not_kept(peer: LocalPeer) -> None:
    peer.put("f", b"bytes")
    origin = LocalOrigin(LocalSpec("nas", peer.folder))
    version = (await origin.stat("f")).version
    await origin.read("f", version, 0, 5)
    assert ", 1 open>" in repr(origin)
    peer.delete("f")
    assert await origin.read("f", version, 0, 5) == b"bytes"
    assert ", 0 open>" in repr(origin)
    await origin.aclose()


async def test_a_warm_read_needs_no_thread(
    peer: LocalPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = some_bytes(300_000)
    peer.put("f", data)
    origin = LocalOrigin(LocalSpec("nas", peer.folder))
    version = (await origin.stat("f")).version
    await origin.read("f", version, 0, 10)
    origin._threads.shutdown()
    assert await origin.read("f", version, 1000, 200_000) == data[1000:201_000]
    assert await origin.read("f", version, 299_990, 200_000) == data[-10:]
    await origin.aclose()
