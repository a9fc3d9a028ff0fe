"""The socket: who may use it, what it replaces, and what else is served on it."""

from __future__ import annotations

import asyncio
import os
import socket as sockets
import stat
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from musefs.control import socket_file
from musefs.control.client import Client
from musefs.control.server import SERVICE, ControlServer
from musefs.errors import ConfigError, StateInUse
from tests.control.service import STATUS, SmallService


def test_a_socket_is_private_from_its_first_moment(socket: Path) -> None:
    seen: list[tuple[int, bool]] = []

    def bind(path: str) -> None:
        with sockets.socket(sockets.AF_UNIX) as made:
            made.bind(path)
        folder = Path(path).parent
        seen.append((stat.S_IMODE(folder.resolve().stat().st_mode), socket.exists()))

    mask = os.umask(0)
    try:
        inode = socket_file.publish(socket, bind)
    finally:
        os.umask(mask)
    assert seen == [(0o700, False)]
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    assert socket.stat().st_ino == inode
    assert os.listdir(socket.parent) == [socket.name]


async def test_the_service_socket_is_for_its_user_alone(
    socket: Path, server: ControlServer
) -> None:
    assert stat.filemode(os.lstat(socket).st_mode) == "srw-------"
    assert repr(server) == f"<ControlServer {socket}, started>"


async def test_a_stopped_service_leaves_nothing_behind(socket: Path, server: ControlServer) -> None:
    await server.stop(0)
    assert os.listdir(socket.parent) == []
    assert repr(server) == f"<ControlServer {socket}, stopped>"


async def test_what_a_dead_service_left_is_replaced(socket: Path, service: SmallService) -> None:
    with sockets.socket(sockets.AF_UNIX) as dead:
        dead.bind(str(socket))
    server = ControlServer(service, socket)
    await server.start()
    async with Client(socket) as client:
        assert await client.status() == STATUS
    await server.stop(0)


async def test_the_socket_of_a_living_service_is_left_alone(
    socket: Path, server: ControlServer
) -> None:
    with pytest.raises(StateInUse, match="another service answers"):
        await ControlServer(SmallService(), socket).start()
    async with Client(socket) as client:
        assert await client.status() == STATUS


def test_a_file_in_the_place_of_the_socket_is_not_overwritten(socket: Path) -> None:
    socket.write_text("mine")
    with pytest.raises(ConfigError, match="is there and no socket"):
        asyncio.run(ControlServer(SmallService(), socket).start())
    assert socket.read_text() == "mine"


async def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"control\.socket: .*No such file"):
        await ControlServer(SmallService(), tmp_path / "none" / "c.sock").start()


async def test_a_path_of_107_bytes_serves_and_a_longer_one_is_refused(
    tmp_path: Path, service: SmallService
) -> None:
    room = 107 - len(os.fsencode(tmp_path)) - 1
    longest = tmp_path / ("s" * room)
    server = ControlServer(service, longest)
    await server.start()
    async with Client(longest) as client:
        assert await client.status() == STATUS
    await server.stop(0)
    with pytest.raises(ConfigError, match=r"control\.socket: .* has 108 bytes"):
        await ControlServer(service, tmp_path / ("s" * (room + 1))).start()


async def test_a_link_in_the_usual_place_leads_to_a_socket_elsewhere(
    tmp_path: Path, service: SmallService
) -> None:
    deep = tmp_path / ("deep" * 20)
    deep.mkdir()
    pointer = deep / "control.sock"
    server = ControlServer(service, tmp_path / "c", pointer)
    await server.start()
    async with Client(pointer) as client:
        assert await client.status() == STATUS
    await server.stop(0)


async def test_health_checks_say_that_it_serves(socket: Path, server: ControlServer) -> None:
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", SERVICE):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=5)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
    assert SERVICE == "musefs.v1.Musefs"


async def test_reflection_lists_what_is_served(socket: Path, server: ControlServer) -> None:
    async with grpc.aio.insecure_channel(f"unix:{socket}") as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([request]), timeout=5)
        answers = [answer async for answer in call]
    assert {service.name for service in answers[0].list_services_response.service} == {
        "musefs.v1.Musefs",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
