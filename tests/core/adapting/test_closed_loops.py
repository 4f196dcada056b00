"""What event loops leave behind when they are closed."""

import asyncio
import socket

from scaffolding_core.adapting import run_either


def test_a_call_on_a_new_loop_hangs_up_what_closed_loops_left_open():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        left = asyncio.run(connection_to(listening))
        peer, _ = listening.accept()
        with peer:
            assert not left.is_closing()
            asyncio.run(run_either(None, asyncio.sleep, 0))
            assert left.is_closing()
            peer.settimeout(60)
            assert peer.recv(1) == b""


def test_a_call_leaves_alone_what_loops_that_run_have_open():
    async def call_elsewhere():
        open_here = await connection_to(listening)
        await asyncio.to_thread(lambda: asyncio.run(run_either(None, asyncio.sleep, 0)))
        assert not open_here.is_closing()
        open_here.close()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        asyncio.run(call_elsewhere())


def test_a_call_hangs_up_what_a_loop_left_that_began_and_was_closed_meanwhile():
    async def call_elsewhere():
        transport = await connection_to(listening)
        await run_either(None, asyncio.sleep, 0)
        return transport

    async def call_around():
        await run_either(None, asyncio.sleep, 0)
        left = await asyncio.to_thread(lambda: asyncio.run(call_elsewhere()))
        await run_either(None, asyncio.sleep, 0)
        return left.is_closing()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        assert asyncio.run(call_around())


async def connection_to(listening):
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, *listening.getsockname())
    return transport
