"""Room for bytes on their way: first come first served, and nothing is lost with who leaves."""

from __future__ import annotations

import asyncio

from musefs.content.blocks import Block, BlockTable
from musefs.content.reservations import Reservations
from musefs.model import ContentId


async def hold(room: Reservations, size: int, go: asyncio.Event, kept: list[bool]) -> None:
    async with room.room(size) as is_kept:
        kept.append(is_kept)
        await go.wait()


async def test_who_comes_first_gets_room_first() -> None:
    room = Reservations(BlockTable(), 100, wait_s=30)
    go, kept = [asyncio.Event() for _ in range(3)], list[bool]()
    holders = [
        asyncio.create_task(hold(room, size, go[n], kept)) for n, size in enumerate((90, 60, 5))
    ]
    await asyncio.sleep(0.01)
    assert (kept, room.reserved_bytes) == ([True], 90)

    go[0].set()
    await asyncio.sleep(0.01)
    assert (kept, room.reserved_bytes) == ([True] * 3, 65)
    for event in go:
        event.set()
    await asyncio.gather(*holders)
    assert room.reserved_bytes == 0


async def test_room_granted_to_one_who_leaves_at_that_moment_goes_to_the_next() -> None:
    room = Reservations(BlockTable(), 100, wait_s=30)
    go, kept = asyncio.Event(), list[bool]()
    first_may_go = asyncio.Event()

    async def make_room() -> None:
        await hold(room, 100, first_may_go, kept)
        leaver.cancel()  # the leaver has been granted the room, and has not run since

    first = asyncio.create_task(make_room())
    leaver, last = (asyncio.create_task(hold(room, 100, go, kept)) for _ in range(2))
    await asyncio.sleep(0.01)
    first_may_go.set()
    await asyncio.wait([first, leaver])
    assert leaver.cancelled()
    go.set()
    async with asyncio.timeout(2):
        await last
    assert kept == [True, True]
    assert room.reserved_bytes == 0


async def test_a_pinned_table_lets_one_at_a_time_through_unkept() -> None:
    table = BlockTable()
    block = Block((ContentId(1), 0), bytes(100))
    table.insert(block)
    table.pin(block)
    room = Reservations(table, 100, wait_s=30)
    go, kept = [asyncio.Event() for _ in range(3)], list[bool]()
    holders = [asyncio.create_task(hold(room, 50, go[n], kept)) for n in range(3)]
    await asyncio.sleep(0.01)
    assert kept == [False]

    table.unpin(block)
    room.settle()
    await asyncio.sleep(0.01)
    assert kept == [False, True, True]
    for event in go:
        event.set()
    await asyncio.gather(*holders)
