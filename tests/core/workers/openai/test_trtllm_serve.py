"""trtllm-serve by its own rules, on a double that has them: what is sent to it, and what it tells."""

import pytest

from scaffolding_core import (
    BadRequestError,
    ChatTask,
    GenerationTask,
    OpenAIWorker,
    SystemMessage,
    UserMessage,
    WorkerError,
)
from tests.servers.scripted import Reply, scripted_server, serve
from tests.servers.trtllm_serve import TrtllmServe

CHAT = [SystemMessage("You mend clocks. " * 16), UserMessage("Why did it stop at noon? " * 16)]
"""Whose system message fills two blocks of the cache, and the rest three."""


async def cached_of(worker, messages):
    """Tokens of a chat's prompt that the server has in its cache; whoever asks leaves them there."""
    task = ChatTask.create_from_messages(messages)
    await worker.run_task(task)
    return task.usage.cached_tokens


class TestTruncation:
    @pytest.mark.parametrize(
        "address", ["/_control/kv_cache/truncate", "/_resource_governor/truncate", "/v1/kv_cache_hints"]
    )
    async def test_a_chat_leaves_only_its_system_messages_in_the_cache_wherever_the_server_truncates(
        self, address
    ):
        with serve(TrtllmServe(truncates_at=address)) as server:
            async with OpenAIWorker(server.url, "m") as worker:
                assert [await cached_of(worker, CHAT) for _ in range(2)] == [0, 160]
                assert await worker.truncate_kv_cache(CHAT)
                assert await cached_of(worker, CHAT) == 64

    async def test_what_is_kept_may_be_said_and_what_else_the_template_was_given(self):
        parameters = {"chat_template_kwargs": {"thinking": False}}
        with serve(TrtllmServe()) as server:
            async with OpenAIWorker(server.url) as worker:
                await worker.truncate_kv_cache(CHAT, CHAT[:0], parameters=parameters)
        (body,) = server.truncated
        assert body == {
            "model": "scripted-model",
            "messages": [message.to_dict() for message in CHAT],
            "messages_to_retain": [],
            **parameters,
        }

    async def test_a_server_that_truncates_nowhere_is_asked_once(self):
        with scripted_server(Reply()) as server:
            worker = OpenAIWorker(server.url, "m")
            assert not await worker.truncate_kv_cache(CHAT)
        async with worker:  # which finds nobody there any more
            assert not await worker.truncate_kv_cache(CHAT)

    async def test_a_refusal_is_a_typed_error(self):
        with serve(TrtllmServe()) as server:
            async with OpenAIWorker(server.url, "m") as worker:
                with pytest.raises(BadRequestError, match="'no_such'"):
                    await worker.truncate_kv_cache(CHAT, parameters={"no_such": 1})


class TestPerfMetrics:
    async def test_what_was_measured_is_told_once(self):
        prompt = "tick " * 64
        with serve(TrtllmServe()) as server:
            async with OpenAIWorker(server.url, "m") as worker:
                for _ in range(2):
                    await worker.run_task(GenerationTask(input_str=prompt))
                first, second = await worker.perf_metrics()
                assert await worker.perf_metrics() == []
        assert (first.num_reused_blocks, second.num_reused_blocks) == (0, 2)
        assert (first.arrival_time, first.first_token_time, first.server_arrival_time) == (1.0, 2.0, None)
        assert first.original["perf_metrics"]["last_iter"] == 9

    async def test_a_server_that_measures_nothing_of_the_kind_says_so(self):
        with scripted_server(Reply()) as server:
            async with OpenAIWorker(server.url, "m") as worker:
                with pytest.raises(WorkerError, match="only trtllm-serve does"):
                    await worker.perf_metrics()
