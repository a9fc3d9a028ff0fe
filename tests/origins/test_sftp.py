"""An SFTP server: the contract, and what only SSH can do."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from origins import (
    FileMissing,
    Limits,
    OriginUnavailable,
    open_origin,
)
from origins.sftp import SftpOrigin, plan_blocks
from origins.sftp_pool import Connection
from tests.faults.proxy import Fault, FaultProxy
from tests.lab.processes import free_port
from tests.lab.sshd import Sshd
from tests.origins.contract import OriginContract, Peer, listed, read_whole, some_bytes
from tests.origins.sftp_peer import SftpPeer, refusal


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with Sshd() as running:
        yield running


@pytest.fixture
def peer(server: Sshd) -> SftpPeer:
    return SftpPeer(server)


class TestSftpOrigin(OriginContract):
    @pytest.fixture
    def peer(self, server: Sshd) -> Peer:
        return SftpPeer(server)


# Reaching the server


async def test_nobody_listening_is_unavailable(server: Sshd) -> None:
    text = await refusal(replace(server.spec(), port=free_port()), OriginUnavailable)
    assert "check the server and the network" in text


async def test_a_name_that_does_not_resolve_is_unavailable(server: Sshd) -> None:
    text = await refusal(replace(server.spec(), host="no-host.invalid"), OriginUnavailable)
    assert "no such host" in text


async def test_a_server_that_says_nothing_is_unavailable_in_time(server: Sshd) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = Limits(connect_timeout_s=0.2)
        async with asyncio.timeout(3):
            spec = replace(server.spec(limits), port=silent.getsockname()[1])
            await refusal(spec, OriginUnavailable)


async def test_a_missing_root_is_an_outage(server: Sshd) -> None:
    origin = open_origin(replace(server.spec(), path="/music/not mounted"))
    for call in (origin.check(), listed(origin), listed(origin, "a"), origin.stat("f")):
        with pytest.raises(OriginUnavailable, match="no such folder"):
            await call
    await origin.aclose()


async def test_a_connection_that_died_is_replaced(peer: SftpPeer) -> None:
    data = some_bytes(600_000)
    peer.put("f", data)
    origin = open_origin(peer.spec())
    version = (await origin.stat("f")).version
    assert await origin.read("f", version, 0, 10) == data[:10]
    peer.server.kill_connections()
    with suppress(OriginUnavailable):
        assert await origin.read("f", version, 0, len(data)) == data
    assert await origin.read("f", version, 0, len(data)) == data
    await origin.aclose()


async def test_a_session_that_died_is_replaced_though_its_connection_lasts(peer: SftpPeer) -> None:
    data = some_bytes(600_000)
    peer.put("f", data)
    origin = open_origin(peer.spec())
    version = (await origin.stat("f")).version
    for _ in range(5):
        assert await origin.read("f", version, 0, 10) == data[:10]
        peer.server.kill_sessions()
        with suppress(OriginUnavailable):
            assert await origin.read("f", version, 0, len(data)) == data
        assert await origin.read("f", version, 0, len(data)) == data
    await origin.aclose()


async def test_a_connection_that_went_silent_is_replaced(peer: SftpPeer, tmp_path: Path) -> None:
    peer.put("f", b"bytes")
    with FaultProxy(peer.server.port) as proxy:
        known_hosts = peer.server.known_hosts.read_text()
        hosts = tmp_path / "known_hosts"
        hosts.write_text(known_hosts.replace(f":{peer.server.port} ", f":{proxy.port} "))
        limits = Limits(timeout_s=0.5, connections_max=1)
        spec = replace(peer.spec(limits), port=proxy.port, known_hosts=hosts)
        origin = open_origin(spec)
        assert await read_whole(origin, "f") == b"bytes"
        proxy.begin(Fault.BLACK_HOLE)
        with pytest.raises(OriginUnavailable):
            await origin.stat("f")
        proxy.end()
        assert await read_whole(origin, "f") == b"bytes"
        await origin.aclose()


async def test_a_restarted_server_is_found_again(peer: SftpPeer) -> None:
    peer.put("f", b"bytes")
    origin = open_origin(peer.spec())
    assert await read_whole(origin, "f") == b"bytes"
    peer.server.stop()
    for _ in range(2):
        with pytest.raises(OriginUnavailable):
            await origin.stat("f")
    peer.server.start()
    assert await read_whole(origin, "f") == b"bytes"
    await origin.aclose()


async def test_connections_grow_with_the_load_up_to_the_bound(peer: SftpPeer) -> None:
    data = some_bytes(400_000)
    peer.put("f", data)
    origin = SftpOrigin(peer.spec(Limits(connections_max=3)))
    assert "0 connections of 3" in repr(origin)
    info = await origin.stat("f")
    assert "1 connections of 3" in repr(origin)
    for _ in range(4):
        reads = [origin.read("f", info.version, n * 1000, 300_000) for n in range(20)]
        answers = await asyncio.gather(*reads)
        assert answers == [data[n * 1000 : n * 1000 + 300_000] for n in range(20)]
    await asyncio.gather(*origin._pool._growth)
    assert "3 connections of 3" in repr(origin)
    await origin.aclose()


async def test_nobody_waits_for_another_connection_while_there_is_one(
    peer: SftpPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    peer.put("f", b"bytes")
    origin = SftpOrigin(peer.spec(Limits(connections_max=3)))
    info = await origin.stat("f")
    connect, begun, may_go_on = origin._pool._connect, asyncio.Semaphore(0), asyncio.Event()

    async def slow() -> Connection:
        begun.release()
        await may_go_on.wait()
        return await connect()

    monkeypatch.setattr(origin._pool, "_connect", slow)
    async with asyncio.timeout(10):
        reads = [origin.read("f", info.version, 0, 5) for _ in range(20)]
        assert await asyncio.gather(*reads) == [b"bytes"] * 20
        assert "1 connections of 3" in repr(origin)
        for _ in range(2):
            await begun.acquire()
    may_go_on.set()
    await origin.aclose()
    assert "0 connections of 3" in repr(origin)


async def test_a_refused_second_connection_is_done_without(peer: SftpPeer) -> None:
    peer.put("f", b"bytes")
    origin = SftpOrigin(peer.spec(Limits(connections_max=3)))
    info = await origin.stat("f")
    peer.server.known_hosts.rename(peer.server.folder / "hidden")
    try:
        reads = [origin.read("f", info.version, 0, 5) for _ in range(10)]
        assert await asyncio.gather(*reads) == [b"bytes"] * 10
    finally:
        (peer.server.folder / "hidden").rename(peer.server.known_hosts)
    assert "1 connections of 3" in repr(origin)
    await origin.aclose()


async def test_open_files_are_bounded(peer: SftpPeer) -> None:
    for n in range(60):
        peer.put(f"{n}", b"%d" % n)
    origin = SftpOrigin(peer.spec(Limits(connections_max=1)))
    for path, info in (await listed(origin)).items():
        assert await origin.read(path, info.version, 0, 5) == path.encode()
    (connection,) = origin._pool._connections
    assert len(connection._handles) <= 33
    await origin.aclose()


# What the server's files may be


async def test_links_inside_the_root_are_followed_and_others_are_not(peer: SftpPeer) -> None:
    (peer.server.files / "secret").write_bytes(b"secret")
    peer.put("real/f", b"bytes")
    (peer.folder / "inside").symlink_to("real")
    (peer.folder / "file").symlink_to("real/f")
    (peer.folder / "outside").symlink_to("..")
    (peer.folder / "outside file").symlink_to("../secret")
    (peer.folder / "broken").symlink_to("nowhere")
    (peer.folder / "loop").symlink_to(".")
    (peer.folder / "real/up").symlink_to("../real")
    origin = open_origin(peer.spec())
    assert set(await listed(origin)) == {"real/f", "inside/f", "file"}
    assert await read_whole(origin, "inside/f") == b"bytes"
    for path in ("outside/secret", "outside file", "../secret"):
        with pytest.raises(FileMissing):
            await origin.stat(path)
    with pytest.raises(FileMissing):
        await listed(origin, "outside")
    version = f"6-{int((peer.server.files / 'secret').stat().st_mtime) * 10**9}"
    with pytest.raises(FileMissing):
        await origin.read("outside file", version, 0, 6)  # type: ignore[arg-type]
    await origin.aclose()


async def test_names_that_are_not_utf8_are_kept_apart(peer: SftpPeer) -> None:
    for raw in (b"caf\xe9", b"caf\xe8", b"line\nbreak"):
        peer.put(os.fsdecode(raw), raw)
    origin = open_origin(peer.spec())
    assert sorted(await listed(origin)) == ["caf\udce8", "caf\udce9", "line\nbreak"]
    assert await read_whole(origin, "caf\udce9") == b"caf\xe9"
    await origin.aclose()


async def test_only_regular_files_are_listed_and_opened(peer: SftpPeer) -> None:
    peer.put("f", b"x")
    os.mkfifo(peer.folder / "pipe")
    origin = open_origin(peer.spec())
    assert set(await listed(origin)) == {"f"}
    with pytest.raises(FileMissing):
        await origin.stat("pipe")
    await origin.aclose()


@pytest.mark.parametrize(
    ("offset", "size", "expected"),
    [
        (0, 10, [(0, 4), (4, 4), (8, 2)]),
        (3, 4, [(3, 4)]),
        (0, 1000, [(n * 4, 4) for n in range(32)]),
    ],
)
def test_a_range_is_asked_in_blocks(
    offset: int, size: int, expected: list[tuple[int, int]]
) -> None:
    assert plan_blocks(offset, size, 4) == expected
