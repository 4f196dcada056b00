"""The room that samples share: held, waited for, given back."""

import asyncio
import threading

import pytest

from scaffolding_core.workers.local.room import Need, Room

SLOTS = 4


class Guest:
    """Needs what it needs, and keeps whether it was let in."""

    def __init__(self, tokens: int, slots: int = 1) -> None:
        self.tokens, self.slots, self.inside = tokens, slots, False

    def need(self) -> Need:
        return Need(self.slots, self.tokens)

    def let_in(self) -> None:
        self.inside = True


async def waiting(room: Room, tokens: int, slots: int = 1) -> asyncio.Task:
    taking = asyncio.create_task(room.take(Guest(tokens, slots)))
    for _ in range(3):
        await asyncio.sleep(0)
    return taking


async def test_what_fits_is_let_in_and_the_rest_waits_in_order():
    room = Room(SLOTS, 10)
    first = await room.take(Guest(6))
    big, small = await waiting(room, 8), await waiting(room, 1)
    assert not big.done()
    assert not small.done()
    room.give_back(first)
    room.give_back(await big)
    await small


async def test_whoever_needs_more_than_there_is_gets_it_all():
    room = Room(SLOTS, 10)
    share = await room.take(Guest(25, slots=SLOTS + 1))
    other = await waiting(room, 1)
    assert not other.done()
    room.give_back(share)
    await other


async def test_slots_are_room_too():
    room = Room(SLOTS, 10)
    share = await room.take(Guest(1, slots=3))
    other = await waiting(room, 1, slots=2)
    assert not other.done()
    room.give_back(share)
    await other


async def test_a_share_may_shrink_while_it_is_held():
    room, guest = Room(SLOTS, 10), Guest(8, slots=4)
    await room.take(guest)
    other = await waiting(room, 4, slots=2)
    guest.tokens, guest.slots = 4, 2
    room.look_again()
    await other


async def test_a_share_may_grow_until_it_is_let_in():
    room, guest = Room(SLOTS, 10), Guest(1)
    first, second = await room.take(Guest(5)), await room.take(Guest(5))
    taking = asyncio.create_task(room.take(guest))
    await asyncio.sleep(0)
    guest.tokens = 8
    room.give_back(first)
    assert not guest.inside
    room.give_back(second)
    assert guest.inside
    await taking


async def test_one_that_is_cut_while_it_waits_lets_the_next_in():
    room = Room(SLOTS, 10)
    first = await room.take(Guest(6))
    cut, next_one = await waiting(room, 8), await waiting(room, 4)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    await next_one
    room.give_back(first)


async def test_one_that_is_cut_in_the_tick_it_is_let_in_gives_the_room_back():
    room = Room(SLOTS, 10)
    first = await room.take(Guest(10))
    cut = await waiting(room, 10)
    room.give_back(first)
    cut.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cut
    await room.take(Guest(10))


async def test_giving_back_twice_counts_once():
    room = Room(SLOTS, 10)
    first, second = await room.take(Guest(5)), await room.take(Guest(5))
    room.give_back(first)
    room.give_back(first)
    await room.take(Guest(5))
    assert not (await waiting(room, 1)).done()
    room.give_back(second)


async def test_loops_in_other_threads_share_it():
    room = Room(SLOTS, 10)
    share = await room.take(Guest(10))
    thread = threading.Thread(target=lambda: asyncio.run(room.take(Guest(10))))
    thread.start()
    room.give_back(share)
    await asyncio.to_thread(thread.join)


async def test_what_a_dead_loop_held_is_free():
    room = Room(SLOTS, 10)
    await asyncio.to_thread(lambda: asyncio.run(room.take(Guest(10))))
    await room.take(Guest(10))
