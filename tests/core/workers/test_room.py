"""The room that samples share: held, waited for, given back."""

import asyncio
import threading

import pytest

from scaffolding_core.workers.room import Room


async def waiting(room: Room, tokens: int) -> asyncio.Task:
    taking = asyncio.create_task(room.take(tokens))
    for _ in range(3):
        await asyncio.sleep(0)
    return taking


async def test_what_fits_is_let_in_and_the_rest_waits_in_order():
    room = Room(10)
    first = await room.take(6)
    big, small = await waiting(room, 8), await waiting(room, 1)
    assert not big.done()
    assert not small.done()
    room.give_back(first)
    room.give_back(await big)
    assert (await small).tokens == 1


async def test_whoever_needs_more_than_there_is_gets_it_all():
    room = Room(10)
    share = await room.take(25)
    assert share.tokens == 10
    other = await waiting(room, 1)
    assert not other.done()
    room.give_back(share)
    await other


async def test_one_that_is_cut_while_it_waits_lets_the_next_in():
    room = Room(10)
    first = await room.take(6)
    cut, next_one = await waiting(room, 8), await waiting(room, 4)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    await next_one
    room.give_back(first)


async def test_one_that_is_cut_in_the_tick_it_is_let_in_gives_the_room_back():
    room = Room(10)
    first = await room.take(10)
    cut = await waiting(room, 10)
    room.give_back(first)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    assert (await room.take(10)).tokens == 10


async def test_giving_back_twice_counts_once():
    room = Room(10)
    first, second = await room.take(5), await room.take(5)
    room.give_back(first)
    room.give_back(first)
    await room.take(5)
    assert not (await waiting(room, 1)).done()
    room.give_back(second)


async def test_loops_in_other_threads_share_it():
    room = Room(10)
    share = await room.take(10)
    thread = threading.Thread(target=lambda: asyncio.run(room.take(10)))
    thread.start()
    room.give_back(share)
    await asyncio.to_thread(thread.join)


async def test_what_a_dead_loop_held_is_free():
    room = Room(10)
    await asyncio.to_thread(lambda: asyncio.run(room.take(10)))
    assert (await room.take(10)).tokens == 10
