"""OpenAIWorker against a scripted server: what no real model does on demand."""

import asyncio
import gc
import json

import pytest

from scaffolding_core import (
    BackendTimeoutError,
    BackendUnavailableError,
    BadRequestError,
    ChatTask,
    ClosedError,
    ContextLengthExceededError,
    GenerationTask,
    IncompleteResponseError,
    InvalidRequestError,
    MajorityVoteController,
    ModelNotFoundError,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    RateLimitError,
    ScaffoldingLlm,
    ServerError,
    StreamGenerationTask,
    ToolDescription,
    UnsupportedParameterError,
    UserMessage,
    WorkerError,
)
from scaffolding_core.errors import AuthenticationError
from scaffolding_core.workers import openai
from tests.servers.scripted import Reply, scripted_server


@pytest.fixture(autouse=True)
def no_long_waits(monkeypatch):
    monkeypatch.setattr(openai, "backoff", lambda attempt, rng: 0.01 * attempt)


async def outcome(script, task=None, **options):
    """The task, what the server saw, and the error."""
    task = task or GenerationTask(input_str="q")
    with scripted_server(script) as server:
        async with OpenAIWorker(server.url, "m", **options) as worker:
            try:
                await worker.run_task(task)
            except WorkerError as error:
                return task, server, error
        return task, server, None


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
    ("status", "body", "expected"),
    [
        (
            400,
            {"error": {"message": "bad", "type": "BadRequestError", "param": "x", "code": 400}},
            BadRequestError,
        ),
        (
            400,
            {"object": "error", "message": "prompt length 9 should not exceed max_seq_len 8"},
            ContextLengthExceededError,
        ),
        (
            400,
            {"error": {"code": 400, "type": "exceed_context_size_error", "message": "x"}},
            ContextLengthExceededError,
        ),
        (400, {"error": "validation"}, BadRequestError),
        (400, {"message": "exceeds the maximum allowed length", "object": "error"}, ContextLengthExceededError),
        (401, {"error": {"message": "who"}}, AuthenticationError),
        (
            404,
            {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError"}},
            ModelNotFoundError,
        ),
        (429, {"error": {"message": "slow down"}}, RateLimitError),
        (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, ServerError),
        (500, "oops", ServerError),
        (200, "<html>hello</html>", WorkerError),
        (200, {"error": {"message": "late", "code": 500}}, ServerError),
    ],
)
async def test_refusals_of_each_server_are_typed(status, body, expected):
    _, _, error = await outcome(Reply(status=status, body=body))
    assert type(error) is expected
    assert "\n" not in str(error)


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
        (Reply(wait=30), BackendTimeoutError),
        (Reply(pieces=("a", "b"), between=30), BackendTimeoutError),
    ],
)
async def test_a_cut_answer_never_passes_for_a_whole_one_and_is_tried_again(fault, expected):
    limits = {"first_byte_timeout": 0.3, "idle_timeout": 0.3}
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
    _, _, error = await outcome(Reply(status=503, body={}), timeout=0.5, max_attempts=1000)
    assert isinstance(error, BackendTimeoutError)
    _, _, error = await outcome(Reply(pieces=("x",) * 100, between=0.05), timeout=0.3)
    assert isinstance(error, BackendTimeoutError)


async def test_nobody_there():
    with pytest.raises(BackendUnavailableError, match="no server answers at http://127.0.0.1:9"):
        async with OpenAIWorker("http://127.0.0.1:9/v1", "m", max_attempts=1) as worker:
            await worker.run_task(GenerationTask(input_str="q"))
    with pytest.raises(BackendUnavailableError):
        async with OpenAIWorker("http://127.0.0.1:9/v1") as worker:
            await worker.run_task(GenerationTask(input_str="q"))


async def test_without_a_model_name_the_first_that_is_served_is_taken():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url) as worker:
            await worker.run_task(GenerationTask(input_str="q"))
            assert await worker.served_models() == ["scripted-model"]
    assert server.requests[0]["model"] == "scripted-model"


async def test_a_cut_closes_the_connection_and_is_paid_for():
    with scripted_server(Reply(pieces=("x",) * 100, between=0.02)) as server:
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(NativeGenerationController(), worker) as llm,
        ):
            result = llm.generate_async("q")
            await asyncio.sleep(0.3)
            result.cancel()
            await result.ended()
            for _ in range(100):
                if server.cut:
                    break
                await asyncio.sleep(0.02)
    assert server.cut == 1
    assert result.usage.lost_calls == 1
    assert result.usage.completion_tokens > 2


async def test_siblings_that_start_together_share_one_request():
    with scripted_server(
        lambda body: Reply(pieces=("7", "!"), usage={"prompt_tokens": 9, "completion_tokens": 8})
    ) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            method = MajorityVoteController(NativeChatController(), 4, stop_rule="full", run_ahead=4)
            async with ScaffoldingLlm(method, worker) as llm:
                output = (await llm.generate_async([UserMessage("q")])).output
    assert [request.get("n") for request in server.requests] == [4]
    assert [c.text for c in output.candidates] == ["7!"] * 4
    assert (output.usage.prompt_tokens, output.usage.completion_tokens, output.usage.calls) == (9, 8, 1)


async def test_a_seed_or_other_parameters_keep_siblings_apart():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            method = MajorityVoteController(NativeGenerationController(), 3, stop_rule="full", run_ahead=3)
            async with ScaffoldingLlm(method, worker) as llm:
                await llm.generate_async("q", seed=1)
    assert len(server.requests) == 3
    assert len({request["seed"] for request in server.requests}) == 3


async def test_one_sibling_is_cut_at_once_and_the_stream_closes_with_the_last():
    with scripted_server(Reply(pieces=("x",) * 200, between=0.01)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            group = object()
            tasks = [GenerationTask(input_str="q", group=group) for _ in range(2)]
            first, second = (asyncio.create_task(worker.run_task(task)) for task in tasks)
            await asyncio.sleep(0.2)
            first.cancel()
            await asyncio.wait([first])
            assert not second.done()
            assert server.open == 1
            second.cancel()
            await asyncio.wait([second])
            for _ in range(100):
                if server.cut:
                    break
                await asyncio.sleep(0.02)
    assert [request["n"] for request in server.requests] == [2]
    assert server.cut == 1
    assert all(task.usage is not None and task.finish_reason == "cancelled" for task in tasks)


async def test_a_server_that_refuses_n_gets_each_sibling_alone_from_then_on():
    def script(body):
        if body.get("n", 1) > 1:
            return Reply(status=400, body={"error": {"message": "Field 'n': Value must be 1", "code": 400}})
        return Reply()

    with scripted_server(script) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            method = MajorityVoteController(NativeGenerationController(), 3, stop_rule="full", run_ahead=3)
            async with ScaffoldingLlm(method, worker) as llm:
                assert (await llm.generate_async("q")).text == "7"
                await llm.generate_async("q")
            assert worker.capabilities.siblings == 1
    assert [request.get("n") for request in server.requests] == [3] + [None] * 6


async def test_a_failed_request_fails_each_sibling_with_an_error_of_its_own():
    with scripted_server(Reply(status=400, body={"error": {"message": "no"}})) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            group = object()
            tasks = [GenerationTask(input_str="q", group=group) for _ in range(2)]
            errors = await asyncio.gather(*map(worker.run_task, tasks), return_exceptions=True)
    assert [type(error) for error in errors] == [BadRequestError] * 2
    assert errors[0] is not errors[1]


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


async def test_a_stream_task_goes_on_by_its_step_and_can_be_aborted():
    with scripted_server(Reply(pieces=tuple("abcdefgh"), between=0.01)) as server:
        async with OpenAIWorker(server.url, "m") as worker:
            task = StreamGenerationTask(input_str="q", streaming_step=3)
            await worker.run_task(task)
            assert len(task.output_str) >= 3
            assert not task.end_flag
            while not task.end_flag:
                await worker.run_task(task)
            assert task.output_str == "abcdefgh"
            other = StreamGenerationTask(input_str="q", streaming_step=1)
            await worker.run_task(other)
            other.cancel_flag = True
            await worker.run_task(other)
            assert (other.end_flag, other.finish_reason) == (True, "cancelled")
    assert len(server.requests) == 2


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


async def test_further_parameters_are_sent_by_the_names_that_the_server_takes():
    task = GenerationTask(input_str="q", top_k=3, repetition_penalty=1.1, extra_body={"x": 1})
    accepts = {"top_k": "top_k", "repetition_penalty": "repeat_penalty"}
    _, server, _ = await outcome(Reply(), task, accepts=accepts, extra_body={"y": 2})
    body = server.requests[0]
    assert (body["top_k"], body["repeat_penalty"], body["x"], body["y"]) == (3, 1.1, 1, 2)


async def test_the_key_is_sent_and_never_shown():
    with scripted_server(Reply()) as server:
        async with OpenAIWorker(server.url, "m", api_key="secret-key") as worker:
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


def test_a_worker_serves_loops_one_after_another_and_leaves_no_connection_behind():
    with scripted_server(Reply()) as server:
        worker = OpenAIWorker(server.url, "m")
        for _ in range(3):
            asyncio.run(worker.run_task(GenerationTask(input_str="q")))
        worker.shutdown()
    gc.collect()  # an unclosed session would warn here, and warnings are errors


async def test_a_closed_worker_refuses_tasks():
    worker = OpenAIWorker("http://127.0.0.1:9", "m")
    await worker.async_shutdown()
    with pytest.raises(ClosedError):
        await worker.run_task(GenerationTask(input_str="q"))


@pytest.mark.parametrize("wrong", [{"base_url": "localhost:8000"}, {"base_url": "http://x", "max_attempts": 0}])
def test_arguments_that_make_no_sense_are_refused(wrong):
    with pytest.raises(InvalidRequestError):
        OpenAIWorker(**wrong)


async def test_an_event_of_any_size_in_any_pieces():
    from scaffolding_core.workers.sse import EventSplitter

    events = [json.dumps({"n": "x" * size}) for size in (1, 10, 5000)]
    raw = "".join(f": comment\r\nevent: e\r\ndata: {event}\r\n\r\n" for event in events).encode()
    for step in (1, 7, 4096):
        splitter = EventSplitter()
        got = [data for at in range(0, len(raw), step) for data in splitter.feed(raw[at : at + step])]
        assert [data.decode() for data in got] == events
    assert EventSplitter().feed(b"data: a\ndata: b\n\n") == [b"a\nb"]


async def test_an_idle_connection_that_the_server_closed_costs_no_attempt():
    """A bare TCP server, since no HTTP server closes a connection that it has just called alive."""
    answered = 0

    async def serve(reader, writer):
        nonlocal answered
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if b"ength" in line))
            await reader.readexactly(length)
            if answered == 1:
                answered += 1
                break
            answered += 1
            body = json.dumps({"choices": [{"index": 0, "text": "7", "finish_reason": "stop"}]}).encode()
            writer.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                + body
            )
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with OpenAIWorker(f"http://127.0.0.1:{port}/v1", "m", max_attempts=1) as worker:
        for _ in range(3):
            task = GenerationTask(input_str="q")
            await worker.run_task(task)
            assert (task.output_str, task.usage.calls, task.usage.lost_calls) == ("7", 1, 0)
    server.close()
    assert answered == 4
