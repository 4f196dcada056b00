"""OpenAIWorker against a scripted server: what no real model does on demand."""

import asyncio
import json
import math

import pytest
from aiohttp import web

from scaffolding_core import (
    AssistantMessage,
    BackendTimeoutError,
    BackendUnavailableError,
    ChatTask,
    ClosedError,
    GenerationTask,
    IncompleteResponseError,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    RateLimitError,
    ScaffoldingLlm,
    ServerError,
    StreamGenerationTask,
    ToolDescription,
    UnsupportedParameterError,
    Usage,
    UserMessage,
)
from scaffolding_core.errors import AuthenticationError
from tests.core.workers.asking import outcome
from tests.eventually import until
from tests.servers.scripted import Reply, Scripted, scripted_server, serve

pytestmark = pytest.mark.usefixtures("short_waits")

BUSY = Reply(status=429, body={}, headers={"Retry-After": "90"})


async def test_a_completion():
    task, server, error = await outcome(
        Reply(pieces=("4", "2")), GenerationTask(input_str="6*7=", max_tokens=3, seed=1)
    )
    assert error is None
    assert (task.output_str, task.finish_reason) == ("42", "stop")
    assert (task.usage.prompt_tokens, task.usage.completion_tokens, task.usage.calls) == (5, 2, 1)
    assert server.requests == [
        {
            "model": "m", "prompt": "6*7=", "max_tokens": 3, "seed": 1,
            "stream": True, "stream_options": {"include_usage": True},
        }
    ]  # fmt: skip


async def test_a_chat_with_reasoning_and_tool_calls():
    tool = ToolDescription("add", "adds", {"a": {"type": "integer"}})
    chat = ChatTask.create_from_messages([UserMessage("q")], tools=[tool])
    script = Reply(pieces=(), reasoning="hm", tool_calls=(("add", '{"a": 1}'), ("sub", "{}")), finish="tool_calls")
    task, server, _ = await outcome(script, chat)
    assert (task.reasoning, task.finish_reason) == ("hm", "tool_calls")
    assert [(c.id, c.name, c.arguments) for c in task.tool_calls] == [
        ("call-0", "add", '{"a": 1}'),
        ("call-1", "sub", "{}"),
    ]
    sent = server.requests[0]["tools"][0]["function"]
    assert sent["parameters"] == {"type": "object", "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("logprobs", "chat"),
    [
        ({"content": [{"token": "7", "logprob": -0.5, "top_logprobs": [{"token": "8", "logprob": -1.0}]}]}, True),
        ({"tokens": ["7"], "token_logprobs": [-0.5], "top_logprobs": [{"8": -1.0}]}, False),
    ],
)
async def test_log_probabilities_in_both_shapes(logprobs, chat):
    task = ChatTask(messages=[UserMessage("q")]) if chat else GenerationTask(input_str="q")
    task.num_logprobs = 1
    task, server, _ = await outcome(Reply(logprobs=logprobs), task)
    assert [(t.token, t.logprob, t.top) for t in task.logprobs] == [("7", -0.5, (("8", -1.0),))]
    asked = server.requests[0]
    assert (asked["logprobs"], asked.get("top_logprobs")) == ((True, 1) if chat else (1, None))


async def test_a_server_that_does_not_stream_is_understood():
    task, _, _ = await outcome(Reply(stream=False), ChatTask(messages=[UserMessage("q")]))
    assert task.output_str == "7"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Reply(finish=None), IncompleteResponseError),
        (Reply(finish="abort"), IncompleteResponseError),
        (Reply(finish=None, reset=True), BackendUnavailableError),
        (Reply(events=('{"choices": [{"index": 0, "text": "7"}]}', '{"choices": [')), IncompleteResponseError),
        (Reply(events=('{"choices": []}', "[DONE]")), IncompleteResponseError),
        (Reply(events=("[DONE]",)), IncompleteResponseError),
        (Reply(events=()), IncompleteResponseError),
        (Reply(events=('{"choices": [{"index": 9, "text": "7"}]}',)), IncompleteResponseError),
        (Reply(events=('"text"',)), IncompleteResponseError),
        (Reply(events=('{"error": {"message": "crashed", "code": 500}}', "[DONE]")), ServerError),
        (Reply(pieces=("a", "b"), between=30), BackendTimeoutError),
    ],
)
async def test_a_cut_answer_never_passes_for_a_whole_one_and_is_tried_again(fault, expected):
    limits = {"idle_timeout": 1} if fault.between else {}
    _, server, error = await outcome(fault, max_attempts=2, **limits)
    assert type(error) is expected
    assert error.attempts == len(server.requests) == 2
    task, _, error = await outcome([fault, Reply()], **limits)
    assert (task.output_str, error) == ("7", None)
    assert (task.usage.calls, task.usage.lost_calls) == (2, 1)


@pytest.mark.parametrize("status", [400, 401, 404, 422])
async def test_what_cannot_succeed_is_not_tried_again(status):
    _, server, error = await outcome(Reply(status=status, body={"error": {"message": "no"}}))
    assert error is not None
    assert len(server.requests) == 1


async def test_a_server_that_asks_to_wait_too_long_is_not_waited_for():
    _, server, error = await outcome(Reply(status=429, body={}, headers={"Retry-After": "121"}))
    assert isinstance(error, RateLimitError)
    assert len(server.requests) == 1
    _, server, error = await outcome([Reply(status=429, body={}, headers={"Retry-After": "0"}), Reply()])
    assert error is None
    assert len(server.requests) == 2


async def test_one_deadline_bounds_all_attempts():
    for drip in (Reply(pieces=("x",) * 100, between=0.05), Reply(wait=30)):
        task, _, error = await outcome([Reply(status=503, body={}), drip], timeout=2)
        assert isinstance(error, BackendTimeoutError)
        assert (error.attempts, task.usage.calls, task.usage.lost_calls) == (2, 2, 2)


@pytest.mark.parametrize(("reply", "attempts"), [(Reply(status=503, body={}), 3), (BUSY, 1)])
async def test_what_could_only_be_tried_again_after_the_deadline_fails_with_what_the_server_said(
    reply, attempts, monkeypatch
):
    monkeypatch.setattr(
        "scaffolding_core.workers.openai.attempts.backoff", lambda attempt, rng: 0.0 if attempt < 3 else 120.0
    )
    task, server, error = await outcome(reply, timeout=60, max_attempts=1000)
    assert isinstance(error, ServerError | RateLimitError)
    assert error.attempts == task.usage.calls == len(server.requests) == attempts


async def test_one_that_is_cut_while_it_waits_for_its_next_attempt_has_paid_for_the_last():
    task = GenerationTask(input_str="q")
    with scripted_server(Reply(status=503, body={}, headers={"Retry-After": "60"})) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            running = asyncio.create_task(worker.run_task(task))
            await until(lambda: server.requests and not server.open)
            await asyncio.sleep(0.1)  # it reads the answer
            running.cancel()
            await asyncio.wait([running])
    assert (task.finish_reason, task.usage.calls, task.usage.lost_calls) == ("cancelled", 1, 1)


async def test_a_task_that_was_cut_may_run_again():
    task = GenerationTask(input_str="q", said=AssistantMessage("ol", finish_reason="cancelled"))
    await outcome(Reply(), task)
    assert (task.output_str, task.finish_reason, task.usage.completion_tokens) == ("7", "stop", 2)


async def test_what_is_refused_before_it_is_sent_costs_nothing():
    task = GenerationTask(input_str="q", top_k=3)
    async with OpenAIWorker("http://127.0.0.1:9", "m") as worker:
        with pytest.raises(UnsupportedParameterError):
            await worker.run_task(task)
    assert task.usage == Usage()


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, object()])
async def test_what_json_cannot_hold_is_refused_before_it_is_sent(value):
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            with pytest.raises(InvalidRequestError, match="JSON"):
                await worker.run_task(GenerationTask(input_str="q", extra_body={"x": value}))
    assert server.requests == []


@pytest.mark.parametrize("usage", [[1], "many", {"prompt_tokens": "many"}, {"prompt_tokens_details": [1]}])
async def test_an_answer_is_good_though_its_usage_is_none(usage):
    event = json.dumps({"choices": [{"index": 0, "text": "7", "finish_reason": "stop"}], "usage": usage})
    task, _, _ = await outcome(Reply(events=(event,)))
    assert (task.output_str, task.usage.completion_tokens) == ("7", 1)


async def test_text_beyond_ascii_is_read_as_it_was_sent():
    choice = {"index": 0, "text": "Zürich 雪", "finish_reason": "stop"}
    task, _, _ = await outcome(Reply(events=(json.dumps({"choices": [choice]}, ensure_ascii=False),)))
    assert task.output_str == "Zürich 雪"


async def test_text_in_parts_is_read_and_anything_else_is_no_answer():
    def event(content):
        return json.dumps({"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": "stop"}]})

    parts = [{"type": "text", "text": "4"}, {"type": "image"}, {"type": "text", "text": "2"}]
    task, _, _ = await outcome(Reply(events=(event(parts),)), ChatTask(messages=[UserMessage("q")]))
    assert task.output_str == "42"
    for wrong in (7, {"text": "7"}, ["7"], [{"type": "text"}]):
        _, _, error = await outcome(Reply(events=(event(wrong),)), ChatTask(messages=[UserMessage("q")]))
        assert isinstance(error, IncompleteResponseError)


async def test_the_servers_own_count_of_tokens_holds():
    task, _, _ = await outcome(Reply(("7", "!", "?"), usage={"prompt_tokens": 5, "completion_tokens": 2}))
    assert task.usage.completion_tokens == 2


async def test_without_a_model_name_the_first_that_is_served_is_taken():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url) as worker:
            await worker.run_task(GenerationTask(input_str="q"))
            assert await worker.served_models() == ["scripted-model"]
    assert server.requests[0]["model"] == "scripted-model"


async def test_a_cut_closes_the_connection_and_is_paid_for():
    with scripted_server(Reply(pieces=("x",) * 2000, between=0.02)) as server:
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(NativeGenerationController(), worker) as llm,
        ):
            stream, read = llm.stream("q"), ""
            async for event in stream:
                read += event.text
                if len(read) > 2:
                    break
            await stream.result.ended()
            await until(lambda: server.cut)
    assert server.cut == 1
    assert stream.result.usage.lost_calls == 1
    assert stream.result.usage.completion_tokens > 2


async def test_text_that_was_shown_is_not_taken_back_by_another_attempt():
    with scripted_server(Reply(pieces=("half",), finish=None)) as server:
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(NativeGenerationController(), worker) as llm,
        ):
            texts = []
            with pytest.raises(IncompleteResponseError):
                async for event in llm.stream("q"):
                    texts.append(event.text)
    assert texts == ["half"]
    assert len(server.requests) == 1


async def test_a_stream_task_is_tried_again_until_it_is_open_and_no_more():
    half = Reply(pieces=("half",), finish=None, usage=None)
    with scripted_server([Reply(status=503, body={}), half, Reply(pieces=("whole",))]) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            task = StreamGenerationTask(input_str="q", streaming_step=9)
            with pytest.raises(IncompleteResponseError):
                await worker.run_task(task)
            assert (task.usage.calls, task.usage.lost_calls) == (2, 2)
            await worker.run_task(task)
            assert (task.output_str, task.end_flag, task.usage.calls) == ("whole", True, 1)
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("task", "name", "hint"),
    [
        (GenerationTask(input_str="q", top_k=3), "top_k", "accepts"),
        (GenerationTask(input_str="q", n=2), "n", "MajorityVoteController"),
        (GenerationTask(input_str="q", tool_choice="auto"), "tool_choice", "only with"),
        (ChatTask(messages=[UserMessage("q")], echo=True), "echo", "only with"),
    ],
)
async def test_what_would_not_be_honoured_is_refused_before_anything_is_sent(task, name, hint):
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            with pytest.raises(UnsupportedParameterError, match=f"'{name}'.*{hint}"):
                await worker.run_task(task)
    assert server.requests == []


async def test_a_server_that_refuses_unknown_fields_is_sent_none_by_default():
    """The fields that trtllm-serve and OpenAI both have; by default nothing else goes out."""
    both = {"model", "n", "stream", "stream_options", "max_tokens", "temperature", "top_p", "stop", "seed"}
    both |= {"frequency_penalty", "presence_penalty", "logit_bias", "user", "logprobs"}
    known = {
        "/completions": both | {"prompt", "echo"},
        "/chat/completions": both | {"messages", "top_logprobs", "tools", "tool_choice"},
    }
    sampling = {"max_tokens": 3, "temperature": 1.0, "top_p": 0.9, "stop": ["x"], "num_logprobs": 1, "user": "u"}
    tool = ToolDescription("add", "adds", {"a": {"type": "integer"}})
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            for generation in (NativeGenerationController(sampling), NativeChatController(sampling, tools=[tool])):
                vote = MajorityVoteController(generation, 4, stop_rule="full", run_ahead=4)
                async with ScaffoldingLlm(vote, worker) as llm:
                    await llm.generate_async("q", priority=3, metadata={"who": "me"})
                    await llm.generate_async("q", seed=1)
    sent = [(header, set(body)) for header, body in zip(server.routes, server.requests, strict=True)]
    assert {route for route, _ in sent} == set(known)
    assert [fields - known[route] for route, fields in sent if fields - known[route]] == []


async def test_further_parameters_are_sent_by_the_names_that_the_server_takes():
    task = GenerationTask(input_str="q", top_k=3, repetition_penalty=1.1, extra_body={"x": 1})
    accepts = {"top_k": "top_k", "repetition_penalty": "repeat_penalty"}
    _, server, _ = await outcome(Reply(), task, accepts=accepts, extra_body={"y": 2})
    body = server.requests[0]
    assert (body["top_k"], body["repeat_penalty"], body["x"], body["y"]) == (3, 1.1, 1, 2)


async def test_the_key_is_sent_and_never_shown():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", api_key="secret-key\n") as worker:
            await worker.run_task(GenerationTask(input_str="q"))
            assert "secret-key" not in repr(worker)
    assert server.headers[0]["Authorization"] == "Bearer secret-key"
    assert not any("conversation" in name.lower() for name in server.headers[0])


async def test_a_client_of_openais_library_is_taken_for_its_address_and_key():
    class Client:
        base_url = "http://127.0.0.1:1/v1/"
        api_key = "k"

    worker = OpenAIWorker(Client(), "m")
    assert worker.base_url == "http://127.0.0.1:1/v1"


async def test_a_closed_worker_refuses_tasks():
    worker = OpenAIWorker("http://127.0.0.1:9", "m")
    await worker.async_shutdown()
    with pytest.raises(ClosedError):
        await worker.run_task(GenerationTask(input_str="q"))


@pytest.mark.parametrize(
    "address", ["", "localhost:8000", "ftp://x", "http://", "http://x:99999", "http://x:0", None]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InvalidRequestError, match="base_url"):
        OpenAIWorker(address)


@pytest.mark.parametrize("name", ["max_attempts", "siblings", "max_concurrency"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "3", True])
def test_counts_below_one_are_refused(name, value):
    with pytest.raises(InvalidRequestError, match=f"{name} must be a whole number"):
        OpenAIWorker("http://x", **{name: value})


@pytest.mark.parametrize(
    "name", ["timeout", "connect_timeout", "headers_timeout", "first_byte_timeout", "idle_timeout"]
)
@pytest.mark.parametrize("value", [0, -1, math.nan, "3"])
def test_limits_that_are_no_time_are_refused(name, value):
    with pytest.raises(InvalidRequestError, match=f"{name} must be a number of seconds"):
        OpenAIWorker("http://x", **{name: value})


def test_a_text_is_no_list_of_parameters():
    with pytest.raises(InvalidRequestError, match=r"accepts=\['top_k'\]"):
        OpenAIWorker("http://x", accepts="top_k")


async def test_a_server_that_refuses_to_list_its_models_says_why():
    class Refusing(Scripted):
        async def models(self, request):
            return web.json_response({"error": {"message": "who are you"}}, status=401)

    with serve(Refusing(Reply())) as server:
        async with OpenAIWorker(server.url) as worker:
            with pytest.raises(AuthenticationError, match="who are you"):
                await worker.run_task(GenerationTask(input_str="q"))


async def test_finding_a_models_name_is_part_of_the_time_that_a_task_has():
    class Silent(Scripted):
        async def models(self, request):
            await asyncio.sleep(30)

    with serve(Silent(Reply())) as server:
        async with OpenAIWorker(server.url, timeout=0.2) as worker:
            with pytest.raises(BackendTimeoutError):
                await worker.run_task(GenerationTask(input_str="q"))


async def test_an_event_that_is_too_large_is_asked_for_again(monkeypatch):
    monkeypatch.setattr("scaffolding_core.workers.http.sse.LARGEST_EVENT", 1000)
    with scripted_server([Reply(pieces=("7" * 1_000_000,)), Reply()]) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            task = GenerationTask(input_str="q")
            await worker.run_task(task)
    assert (task.output_str, len(server.requests)) == ("7", 2)
