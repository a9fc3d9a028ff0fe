"""The order in which connections to S3 are used."""

from __future__ import annotations

import asyncio
import contextlib

from origins.s3 import S3Origin
from tests.lab.s3server import S3Server
from tests.origins.contract import some_bytes
from tests.origins.s3_peer import S3Peer


async def _relay(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, carried: list[int], number: int
) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(1 << 16):
            carried.append(number)
            sink.write(data)
            await sink.drain()
    sink.close()


async def test_the_connection_that_was_used_last_is_used_first() -> None:
    carried: list[int] = []
    numbers = iter(range(100))
    with S3Server() as server:

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            far_reader, far_writer = await asyncio.open_connection(server.host, server.port)
            number = next(numbers)
            await asyncio.gather(
                _relay(reader, far_writer, carried, number), _relay(far_reader, writer, [], number)
            )

        peer = S3Peer(server)
        data = some_bytes(5000)
        peer.put("f", data)
        front = await asyncio.start_server(accept, "127.0.0.1", 0)
        port = front.sockets[0].getsockname()[1]
        server.endpoint = f"http://127.0.0.1:{port}"
        origin = S3Origin(server.spec(peer.prefix))
        version = (await origin.stat("f")).version
        await asyncio.gather(*(origin.read("f", version, 0, 5000) for _ in range(4)))
        assert len(set(carried)) == 4
        carried.clear()
        for _ in range(6):
            assert await origin.read("f", version, 0, 5000) == data
        assert len(set(carried)) == 1
        await origin.aclose()
        front.close()
