"""The connections under OpenAIWorker: opened, kept, lost, and closed."""

import asyncio
import gc
import random
import socket

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
from tests.servers.raw import answer, raw_server
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("short_waits")


def dropping(*drop):
    """A server that drops the requests of these numbers after reading them."""

    async def reply(number, writer):
        if number in drop:
            writer.transport.abort()
        else:
            writer.write(answer("7"))

    return raw_server(reply)


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
    assert (task.usage.calls, task.usage.lost_calls) == (0, 0)


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


async def test_an_idle_connection_that_the_server_closes_costs_no_attempt_and_what_was_sent_is_counted():
    async with dropping(2) as server, OpenAIWorker(server.url, "m", max_attempts=1) as worker:
        usages = []
        for _ in range(3):
            task = GenerationTask(input_str="q")
            await worker.run_task(task)
            assert task.output_str == "7"
            usages.append((task.usage.calls, task.usage.lost_calls))
    assert usages == [(1, 0), (2, 1), (1, 0)]
    assert len(server.seen) == 4


async def test_a_new_connection_that_is_lost_was_an_attempt_that_may_have_been_paid():
    async with dropping(1) as server, OpenAIWorker(server.url, "m") as worker:
        task = GenerationTask(input_str="q")
        await worker.run_task(task)
    assert (task.usage.calls, task.usage.lost_calls, len(server.seen)) == (2, 1, 2)
    async with dropping(1) as server, OpenAIWorker(server.url, "m", max_attempts=1) as worker:
        with pytest.raises(BackendUnavailableError, match="lost"):
            await worker.run_task(GenerationTask(input_str="q"))
    assert len(server.seen) == 1


async def test_a_request_that_found_no_connection_is_not_counted():
    task = GenerationTask(input_str="q")
    async with OpenAIWorker("http://127.0.0.1:9/v1", "m") as worker:
        with pytest.raises(BackendUnavailableError):
            await worker.run_task(task)
    assert (task.usage.calls, task.usage.lost_calls) == (0, 0)


STRAY = answer("a stranger's answer")


@pytest.mark.parametrize("stray", [STRAY, STRAY[:30], b"HTTP/1.1 500 Oops\r\n\r\n", None])
@pytest.mark.parametrize("when", ["with the answer", "while idle", "while the loop is busy"])
async def test_what_comes_on_an_idle_connection_is_nobodys_answer(stray, when):
    async def reply(number, writer):
        writer.write(answer(str(number)) + (stray if number == 1 and when == "with the answer" and stray else b""))

    async with raw_server(reply) as server, OpenAIWorker(server.url, "m") as worker:
        first, second = GenerationTask(input_str="q"), GenerationTask(input_str="q")
        await worker.run_task(first)
        if stray is None:
            server.writers[0].get_extra_info("socket").shutdown(socket.SHUT_WR)
        elif when != "with the answer":
            server.writers[0].write(stray)
        if when == "while idle":
            await asyncio.sleep(0.02)  # the loop reads it
        await worker.run_task(second)
    assert (first.output_str, second.output_str) == ("1", "2")
    assert (second.usage.calls, second.usage.lost_calls, len(server.seen)) == (1, 0, 2)


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
