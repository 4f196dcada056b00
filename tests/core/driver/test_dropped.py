"""What nobody holds any more leaves nothing behind."""

import asyncio
import gc
import threading

import pytest

from scaffolding_core import (
    FunctionWorker,
    GenerationTask,
    MajorityVoteController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
)
from tests.core.doubles import Backend
from tests.eventually import until
from tests.left import descriptors, nothing_left, own_loops, threads
from tests.servers.scripted import Reply, scripted_server

pytestmark = pytest.mark.usefixtures("no_idle_limit")


def answering(answer):
    return ScaffoldingLlm(NativeGenerationController(), FunctionWorker(answer))


async def test_a_dropped_scaffolding_llm_ends_its_loop():
    before = own_loops()
    answering(lambda task: "7").generate("q")
    await until(lambda: not own_loops() - before)


async def test_one_whose_worker_holds_it_ends_its_loop_too():
    def ask():
        holder = []
        holder.append(answering(lambda task: "7" if holder else ""))
        assert holder[0].generate("q").text == "7"
        assert own_loops() - before

    before = own_loops()
    ask()
    await until(lambda: gc.collect() >= 0 and not own_loops() - before)


async def test_one_that_is_lost_while_a_request_runs_ends_after_it():
    held, before = threading.Event(), own_loops()
    result = answering(lambda task: held.wait(60) and "7").generate_async
    blocking = asyncio.ensure_future(
        asyncio.to_thread(answering(lambda task: held.wait(60) and "7").generate, "q")
    )
    here = result("q")
    del result
    await until(lambda: own_loops() - before)
    gc.collect()
    held.set()
    assert ((await here).text, (await blocking).text) == ("7", "7")
    del blocking
    await until(lambda: not own_loops() - before)


async def test_a_stream_that_is_read_keeps_what_it_needs():
    with scripted_server(Reply(("7", "8"), between=0.01)) as server:
        events = aiter(ScaffoldingLlm(NativeGenerationController(), OpenAIWorker(server.url, "m")).stream("q"))
        texts = []
        async for event in events:
            gc.collect()
            texts.append(getattr(event, "text", ""))
    assert "".join(texts[:2]) == "78"


@pytest.mark.parametrize("samples", [1, 4])
async def test_dropped_ones_and_their_workers_close_threads_and_connections(samples):
    method = MajorityVoteController(NativeGenerationController(), samples)
    with scripted_server(Reply()) as server:
        await asked(method, OpenAIWorker(server.url, "m"))  # whatever is loaded once is
        before = threads(), descriptors()
        for _ in range(100):
            await asked(method, OpenAIWorker(server.url, "m"))
        assert threads() <= before[0] + 30
        await nothing_left(before)


async def test_dropped_ones_on_the_embedded_server_close_threads_and_connections(embedded_worker):
    method = NativeGenerationController({"max_tokens": 1})
    await asked(method, embedded_worker)
    before = threads(), descriptors()
    for _ in range(10):
        await asked(method, embedded_worker)
    await nothing_left(before)


async def asked(method, worker):
    llm = ScaffoldingLlm(method, worker)
    llm.generate("q")
    await llm.generate_async("q")


async def test_a_worker_that_is_dropped_closes_its_connections_on_the_loops_that_go_on():
    with scripted_server(Reply()) as server:
        before = threads(), descriptors()
        for _ in range(100):
            await OpenAIWorker(server.url, "m").run_task(GenerationTask(input_str="q"))
        await nothing_left(before)


@pytest.mark.parametrize("samples", [1, 8])
async def test_a_finished_request_is_freed_at_once_without_the_garbage_collector(samples):
    async with ScaffoldingLlm(MajorityVoteController(NativeGenerationController(), samples), Backend()) as llm:
        await llm.generate_async("say:7")
        gc.collect()
        gc.disable()
        try:
            assert 0 in [await garbage_of_five(llm) for _ in range(5)]  # other threads leave some, now and then
        finally:
            gc.enable()


async def garbage_of_five(llm):
    for _ in range(5):
        await llm.generate_async("say:7")
    await asyncio.sleep(0)
    return gc.collect()
