"""OpenaiWorker and TRTOpenaiWorker, through real OpenAI clients, against a scripted server."""

import json
from contextlib import asynccontextmanager
from types import SimpleNamespace
from unittest.mock import AsyncMock, MagicMock

import httpx
import openai
import pytest

from scaffolding_core import InvalidRequestError, RateLimitError
from scaffolding_core.tensorrt_llm import (
    ChatTask,
    DropKVCacheTask,
    GenerationTask,
    NativeGenerationController,
    OpenaiWorker,
    ScaffoldingLlm,
    SystemMessage,
    TaskStatus,
    TRTOpenaiWorker,
    UserMessage,
)
from tests.servers.scripted import Reply, scripted_server


@asynccontextmanager
async def served(reply, **settings):
    """A server that answers so, and a client for it."""
    with scripted_server(reply) as server:
        async with openai.AsyncOpenAI(base_url=server.url, api_key="k", max_retries=0, **settings) as client:
            yield server, client


async def test_a_task_is_run_with_all_that_the_client_has_been_given():
    asked = []

    async def note(request):
        asked.append(request.url)

    http = httpx.AsyncClient(event_hooks={"request": [note]})
    settings = {"default_headers": {"X-Team": "t"}, "default_query": {"v": "1"}, "http_client": http}
    async with served(Reply(("h", "i")), **settings) as (server, client):
        task = GenerationTask.create_from_prompt("q")
        task.max_tokens = 8
        assert await OpenaiWorker(client, "m").run_task(task) is TaskStatus.SUCCESS
    body, headers = server.requests[0], server.headers[0]
    assert (body["model"], body["prompt"], body["max_tokens"], body["stream"]) == ("m", "q", 8, True)
    assert (headers["Authorization"], headers["X-Team"], asked[0].params["v"]) == ("Bearer k", "t", "1")
    assert (task.output_str, task.finish_reason) == ("hi", "stop")
    assert (task.usage.prompt_tokens, task.usage_completion_tokens) == (5, 2)
    assert 0 < task.ttft_s <= task.latency_s


async def test_a_chat_is_answered_and_its_tokens_are_counted():
    chat = ChatTask.create_from_messages([UserMessage("q")])
    chat.enable_token_counting = True
    chat.sub_request_markers = [("inner", 2), ("agent", 1)]
    async with served(Reply(("hi",), tool_calls=(("f", "{}"),), reasoning="hm", finish="tool_calls")) as (
        server,
        client,
    ):
        await OpenaiWorker(client, "m").run_task(chat)
    assert server.requests[0]["agent_hierarchy"] == [["agent", 1]]
    said = chat.messages[-1]
    assert (said.content, said.reasoning, said.tool_calls[0].function.name) == ("hi", "hm", "f")
    assert (chat.prompt_tokens_num, chat.completion_tokens_num) == (5, 2)


async def test_a_subclass_decides_what_is_asked():
    class Longer(OpenaiWorker):
        def convert_task_params(self, task):
            return {**super().convert_task_params(task), "max_tokens": 99}

    async with served(Reply()) as (server, client):
        await Longer(client, "m", extra_body={"k": 1}).run_task(GenerationTask.create_from_prompt("q"))
    assert (server.requests[0]["max_tokens"], server.requests[0]["k"]) == (99, 1)


async def test_parameters_of_trtllm_serve_are_sent_to_it_alone():
    method = NativeGenerationController({"top_k": 3, "min_tokens": 2, "stop": ["."]})
    async with served(Reply("hi")) as (server, client):
        worker = TRTOpenaiWorker(client, "m", extra_body={"priority": 0.7})
        async with ScaffoldingLlm(method, {NativeGenerationController.WorkerTag.GENERATION: worker}) as llm:
            assert (await llm.generate_async("q")).outputs[0].text == "hi"
        plain = OpenaiWorker(client, "m")
        async with ScaffoldingLlm(method, {NativeGenerationController.WorkerTag.GENERATION: plain}) as llm:
            with pytest.raises(InvalidRequestError, match="'top_k'"):
                await llm.generate_async("q")
    (body,) = server.requests
    assert (body["top_k"], body["min_tokens"], body["stop"], body["priority"]) == (3, 2, ["."], 0.7)


@pytest.mark.parametrize("streaming", [True, False])
async def test_a_chat_is_shown_as_it_is_written_where_that_is_wanted(streaming):
    class Chats(NativeGenerationController):
        def process(self, tasks, **kwargs):
            chat = ChatTask.create_from_prompt(tasks[0].input_str)
            yield from super().process([chat])
            tasks[0].take_results(chat)

    async with served(Reply(("a", "b"), stream=streaming)) as (_server, client):
        worker = OpenaiWorker(client, "m")
        async with ScaffoldingLlm(Chats(streaming=streaming), {Chats.WorkerTag.GENERATION: worker}) as llm:
            seen = [result.outputs[0].text async for result in llm.generate_async("q")]
    assert seen == (["a", "ab", "ab"] if streaming else ["ab"])


async def test_a_client_may_be_a_stand_in():
    said = MagicMock(content=None, reasoning=None, reasoning_content="hm", tool_calls=None)
    called = MagicMock(id="1", type="function", index=None, function=SimpleNamespace(name="f", arguments="{}"))
    usage = MagicMock(prompt_tokens=5, completion_tokens=2)
    client = MagicMock(base_url="http://127.0.0.1:9/v1", api_key="k")
    for tool_calls, content in ((None, "hi"), ([called], None)):
        said.content, said.tool_calls = content, tool_calls
        answer = MagicMock(choices=[MagicMock(message=said, finish_reason="stop")], usage=usage)
        client.chat.completions.create = AsyncMock(return_value=answer)
        chat = ChatTask.create_from_messages([UserMessage("q")])
        assert await OpenaiWorker(client, "m").run_task(chat) is TaskStatus.SUCCESS
        last = chat.messages[-1]
        assert (last.content or None, last.reasoning, chat.usage.prompt_tokens) == (content, "hm", 5)
        assert [call.function.name for call in last.tool_calls or ()] == (["f"] if tool_calls else [])

    async def chunks():
        for text, reason in (("h", None), ("i", "stop")):
            yield MagicMock(id="c", choices=[MagicMock(text=text, finish_reason=reason, index=0)], usage=None)

    client.completions.create = AsyncMock(return_value=chunks())
    task = GenerationTask.create_from_prompt("q")
    await OpenaiWorker(client, "m").run_task(task)
    assert (task.output_str, task.request_id) == ("hi", "c")


async def test_what_the_client_fails_with_is_a_typed_error():
    async with served(Reply(status=429, body={"error": {"message": "slow down"}})) as (_server, client):
        worker = OpenaiWorker(client, "m")
        task = GenerationTask.create_from_prompt("q")
        assert await worker.run_task(task) is TaskStatus.WORKER_EXECEPTION
        assert isinstance(task.error, RateLimitError)
        async with ScaffoldingLlm(NativeGenerationController(), worker) as llm:
            with pytest.raises(RateLimitError, match="slow down"):
                await llm.generate_async("q")


async def test_an_answer_that_breaks_off_is_no_answer():
    async with served(Reply(("half",), finish=None)) as (_server, client):
        task = GenerationTask.create_from_prompt("q")
        assert await OpenaiWorker(client, "m").run_task(task) is TaskStatus.WORKER_EXECEPTION
    assert (task.output_str, "without saying why" in str(task.error)) == (None, True)


async def test_several_choices_are_told_apart():
    async with served(Reply(("a", "b"))) as (_server, client):
        task = GenerationTask(input_str="q", n=2)
        await OpenaiWorker(client, "m").run_task(task)
    assert [task.output_str, *task.customized_result_fields["choices"]] == ["ab", "ab", "ab"]


async def test_a_chat_is_dropped_from_the_cache_if_hints_are_enabled(monkeypatch):
    sent = []

    async def answer(request):
        sent.append(request)
        return httpx.Response(200)

    client = SimpleNamespace(base_url="http://127.0.0.1:1/v1", api_key="k")
    real = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda: real(transport=httpx.MockTransport(answer)))
    chat = ChatTask.create_from_messages([SystemMessage("s"), UserMessage("q")])
    for enabled in (False, True):
        worker = OpenaiWorker(client, "m", kv_cache_hint_enabled=enabled)
        assert await worker.run_task(DropKVCacheTask(chat, "drop")) is TaskStatus.SUCCESS
    (request,) = sent
    assert str(request.url) == "http://127.0.0.1:1/_control/kv_cache/truncate"
    assert request.headers["Authorization"] == "Bearer k"
    assert b'"messages_to_retain":[{"role":"system","content":"s"}]' in request.content


def test_an_address_in_place_of_a_client_is_refused():
    with pytest.raises(InvalidRequestError, match=r"takes an openai\.AsyncOpenAI client"):
        OpenaiWorker("http://127.0.0.1:1/v1", "m")


async def test_a_hint_asks_of_a_chat_no_more_than_messages(monkeypatch):
    sent = []

    async def answer(request):
        sent.append(json.loads(request.content))
        return httpx.Response(200)

    client = SimpleNamespace(base_url="http://127.0.0.1:1", api_key=None)
    OpenaiWorker(client, "m", kv_cache_hint_enabled=True)
    real = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda: real(transport=httpx.MockTransport(answer)))
    chat = SimpleNamespace(messages=[SystemMessage("s")])
    task = SimpleNamespace(chat_task=chat, messages_to_retain=[])
    await client.create_kv_cache_hint(task, {"model": "m", "extra_body": {"added": 1}})
    told = {"role": "system", "content": "s"}
    assert sent == [{"action": "truncate", "messages": [told], "messages_to_retain": [], "model": "m", "added": 1}]
