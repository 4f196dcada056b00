"""The connections under OpenAIWorker: opened, kept, lost, and closed."""

import asyncio
import gc
import json
import random
import socket
from contextlib import asynccontextmanager

import pytest

from scaffolding_core import (
    BackendUnavailableError,
    ClosedError,
    GenerationTask,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
)
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")

ANSWER = json.dumps({"choices": [{"index": 0, "text": "7", "finish_reason": "stop"}]}).encode()


@asynccontextmanager
async def dropping(*drop):
    """A bare server that drops its n-th request after reading it, and counts them.

    Bare, since no HTTP server closes a connection that it has just called alive.
    """
    seen = []

    async def serve(reader, writer):
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if b"ength" in line))
            await reader.readexactly(length)
            seen.append(head)
            if len(seen) - 1 in drop:
                break
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n")
            writer.write(b"content-length: %d\r\n\r\n" % len(ANSWER) + ANSWER)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", seen
    server.close()


async def test_nobody_there():
    with pytest.raises(BackendUnavailableError, match="no server answers at http://127.0.0.1:9"):
        async with OpenAIWorker("http://127.0.0.1:9/v1", "m", max_attempts=1) as worker:
            await worker.run_task(GenerationTask(input_str="q"))
    with pytest.raises(BackendUnavailableError):
        async with OpenAIWorker("http://127.0.0.1:9/v1") as worker:
            await worker.run_task(GenerationTask(input_str="q"))


async def test_a_server_that_takes_no_connection_is_left_after_the_time_for_one():
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        url = f"http://127.0.0.1:{full.getsockname()[1]}/v1"
        async with OpenAIWorker(url, "m", max_attempts=1, connect_timeout=0.3) as worker:
            task = GenerationTask(input_str="q")
            with pytest.raises(BackendUnavailableError, match=r"within 0\.3 s"):
                await worker.run_task(task)
    assert (task.usage.calls, task.usage.lost_calls) == (1, 0)


def test_a_worker_serves_loops_one_after_another_and_leaves_no_connection_behind():
    with scripted_server(Reply()) as server:
        worker = OpenAIWorker(server.url, "m")
        for _ in range(3):
            asyncio.run(worker.run_task(GenerationTask(input_str="q")))
        worker.shutdown()
    gc.collect()  # an unclosed session would warn here, and warnings are errors


@pytest.mark.parametrize("closed", ["before its first piece", "while it is read"])
@pytest.mark.parametrize("how", ["async", "blocking"])
async def test_closing_a_worker_ends_what_it_runs_at_once(how, closed):
    reply = Reply(wait=60) if closed == "before its first piece" else Reply(("7", "8"), between=60)
    with scripted_server(reply) as server:
        worker = OpenAIWorker(server.url, "m")
        async with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
            events = aiter(llm.stream("q"))
            awaited = asyncio.ensure_future(anext(events))
            await until(lambda: server.open)
            if closed == "while it is read":
                assert (await awaited).text == "7"
                awaited = asyncio.ensure_future(anext(events))
            await (worker.async_shutdown() if how == "async" else asyncio.to_thread(worker.shutdown))
            with pytest.raises(ClosedError, match="closed while the task ran"):
                await asyncio.wait_for(awaited, 60)
        await until(lambda: not server.open)


async def test_an_idle_connection_that_the_server_closed_costs_no_attempt():
    async with dropping(1) as (url, seen), OpenAIWorker(url, "m", max_attempts=1) as worker:
        for _ in range(3):
            task = GenerationTask(input_str="q")
            await worker.run_task(task)
            assert (task.output_str, task.usage.calls, task.usage.lost_calls) == ("7", 1, 0)
    assert len(seen) == 4


async def test_a_new_connection_that_is_lost_was_an_attempt_that_may_have_been_paid():
    async with dropping(0) as (url, seen), OpenAIWorker(url, "m") as worker:
        task = GenerationTask(input_str="q")
        await worker.run_task(task)
    assert (task.usage.calls, task.usage.lost_calls, len(seen)) == (2, 1, 2)
    async with dropping(0) as (url, seen), OpenAIWorker(url, "m", max_attempts=1) as worker:
        with pytest.raises(BackendUnavailableError, match="lost"):
            await worker.run_task(GenerationTask(input_str="q"))
    assert len(seen) == 1


async def test_after_many_random_cuts_every_request_is_served_and_no_connection_is_left():
    rng = random.Random(1)
    with scripted_server(Reply(("7",) * 3, between=0.002)) as server:
        async with (
            OpenAIWorker(server.url, "m", max_concurrency=10) as worker,
            ScaffoldingLlm(NativeGenerationController(), worker, max_parallel_requests=100) as llm,
        ):
            while server.cut <= 50:
                results = [llm.generate_async("q") for _ in range(50)]
                for result in results:
                    await asyncio.sleep(rng.random() * 0.004)
                    result.cancel()
                await asyncio.gather(*(result.ended() for result in results))
            served = await asyncio.gather(*(llm.generate_async("q") for _ in range(30)))
            assert [result.text for result in served] == ["777"] * 30
        await until(lambda: not server.open)
