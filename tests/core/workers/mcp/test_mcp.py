"""MCPWorker: on real servers of tools, over both transports."""

import asyncio
import json
import socket
import sys

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    BackendUnavailableError,
    ClosedError,
    FunctionWorker,
    InvalidRequestError,
    MCPCallTask,
    MissingExtraError,
    ScaffoldingLlm,
)
from scaffolding_core.controller import Controller
from scaffolding_core.workers.mcp import MCPWorker
from tests.eventually import until
from tests.servers.tools import tool_server


def call(tool_name, **arguments):
    return MCPCallTask(tool_name=tool_name, args=json.dumps(arguments))


async def answer(worker, task):
    await worker.run_task(task)
    return task.result_str, task.failed


@pytest.fixture(scope="module", params=["sse", "http"])
def server(request):
    with tool_server(request.param) as server:
        yield server


@pytest.fixture(scope="module")
def any_server():
    with tool_server("http") as server:
        yield server


@pytest.fixture
async def worker(server):
    async with MCPWorker([server.url]) as worker:
        yield worker


async def test_a_tool_answers_and_one_that_fails_says_so_and_ends_nothing(worker):
    assert await answer(worker, call("add", a=1, b=2)) == ("3", False)
    text, failed = await answer(worker, call("fail"))
    assert failed
    assert "fail" in text
    text, failed = await answer(worker, call("nothing"))
    assert failed
    assert "nothing" in text
    assert await answer(worker, call("two_parts")) == ("one\ntwo", False)


@pytest.mark.parametrize("written", ["{", "[1]", "3"])
async def test_arguments_that_are_no_object_are_told_the_model(written):
    text, failed = await answer(MCPWorker(["http://nobody"]), MCPCallTask(tool_name="add", args=written))
    assert failed
    assert "arguments" in text


async def test_calls_run_at_once_and_one_that_is_cut_leaves_the_others(server, worker):
    waiting = [asyncio.create_task(worker.run_task(call("wait"))) for _ in range(2)]
    await until(lambda: server.waiting == 2)
    assert await answer(worker, call("add", a=2, b=2)) == ("4", False)
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    await worker.async_shutdown()
    with pytest.raises(ClosedError):
        await waiting[1]
    with pytest.raises(ClosedError):
        await worker.run_task(call("add", a=1, b=1))


async def test_an_address_need_not_tell_the_transport(server):
    async with MCPWorker([server.other_url]) as worker:
        assert await answer(worker, call("add", a=1, b=2)) == ("3", False)


async def test_a_call_ends_at_its_deadline_and_the_next_goes_on(server):
    async with MCPWorker([server.url]) as worker:
        await worker.connect()
        worker.timeout = 0.05
        with pytest.raises(BackendTimeoutError):
            await worker.run_task(call("wait"))
        worker.timeout = 60.0
        assert await answer(worker, call("add", a=1, b=1)) == ("2", False)


@pytest.mark.parametrize("transport", ["sse", "http"])
async def test_a_server_that_goes_away_is_told_to_each_who_waits(transport, monkeypatch):
    if transport == "http":  # where some versions of the library tell nothing
        monkeypatch.setattr("scaffolding_core.workers.mcp.connection._LOOK_SECONDS", 0.1)
    monkeypatch.setattr("scaffolding_core.workers.mcp.session._PAUSES", ())
    with tool_server(transport) as server:
        async with MCPWorker([server.url]) as worker:
            waiting = [asyncio.create_task(worker.run_task(call("wait"))) for _ in range(2)]
            await until(lambda: server.waiting == 2)
            await asyncio.to_thread(server.stop)
            for task in waiting:
                with pytest.raises(BackendUnavailableError):
                    await task
            with pytest.raises(BackendUnavailableError, match="check that it runs"):
                await worker.run_task(call("add", a=1, b=1))


async def test_of_several_servers_the_one_that_has_the_tool_is_asked(any_server, monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.mcp.session._PAUSES", ())
    with socket.create_server(("127.0.0.1", 0)) as nobody, tool_server("http", "double") as other:
        gone = f"http://127.0.0.1:{nobody.getsockname()[1]}/mcp"
        nobody.close()
        async with MCPWorker([any_server.url, other.url]) as worker:
            await worker.connect()
            assert await answer(worker, call("double", a=4)) == ("8", False)
            assert await answer(worker, call("add", a=4, b=1)) == ("5", False)
            assert await answer(worker, call("two_more")) == ("there is no tool named 'two_more'", True)
            other.offer("two_more")
            assert await answer(worker, call("two_more", a=4)) == ("6", False)
        async with MCPWorker([gone]) as worker:
            with pytest.raises(BackendUnavailableError):
                await worker.connect()
        async with MCPWorker([gone, any_server.url]) as worker:
            await worker.connect()
            assert await answer(worker, call("add", a=4, b=1)) == ("5", False)
            with pytest.raises(BackendUnavailableError):
                await worker.run_task(call("nothing"))


async def test_an_address_that_refuses_is_told_without_what_may_be_secret(any_server):
    secret = any_server.url.replace("://", "://me:secret@").replace("/mcp", "/no?key=secret")
    async with MCPWorker([secret]) as worker:
        with pytest.raises(BackendUnavailableError, match="404") as raised:
            await worker.connect()
        assert "secret" not in str(raised.value)


def test_it_works_on_any_loop_and_leaves_nothing_behind(any_server):
    class Adding(Controller):
        def process(self, tasks, **options):
            task = call("add", a=20, b=1)
            task.worker_tag = "tools"
            yield [task]
            tasks[0].output_str = task.result_str

    worker = MCPWorker([any_server.url])
    workers = {"tools": worker, "generation": FunctionWorker(lambda task: "")}

    async def both():
        async with ScaffoldingLlm(Adding(), workers) as llm:
            first = (await llm.generate_async("q")).text
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        return first, left

    with ScaffoldingLlm(Adding(), workers) as llm:
        assert llm.generate("q").text == "21"
        assert asyncio.run(both()) == ("21", [])
        worker.shutdown()
        with pytest.raises(ClosedError):
            llm.generate("q")


@pytest.mark.parametrize(
    ("urls", "options", "match"),
    [("http://here", {}, "list"), ([], {}, "at least one"), (["http://here"], {"timeout": 0}, "timeout")],
)
def test_what_makes_no_worker_is_refused(urls, options, match):
    with pytest.raises(InvalidRequestError, match=match):
        MCPWorker(urls, **options)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mcp.client.sse", None)
    with pytest.raises(MissingExtraError, match=r"scaffolding-llm\[mcp\]"):
        MCPWorker(["http://here"])
