"""trtllm-serve by its own rules, on a double that has them: what is sent to it, and what it tells."""

import asyncio
import threading

import pytest

from scaffolding_core import (
    BadRequestError,
    ChatTask,
    ContextLengthExceededError,
    GenerationTask,
    MajorityVoteController,
    ModelNotFoundError,
    NativeChatController,
    NativeGenerationController,
    OpenAIWorker,
    ScaffoldingLlm,
    StreamGenerationTask,
    SystemMessage,
    UnsupportedParameterError,
    Usage,
    UserMessage,
    WorkerError,
)
from tests.eventually import until
from tests.servers.scripted import Reply, scripted_server, serve
from tests.servers.trtllm_serve import TrtllmServe

NEVER = threading.Event()
"""Nobody ever sets it."""

CHAT = [SystemMessage("You mend clocks. " * 16), UserMessage("Why did it stop at noon? " * 16)]
"""Whose system message fills two blocks of the cache, and the rest three."""


async def cached_of(worker, messages):
    """Tokens of a chat's prompt that the server has in its cache; whoever asks leaves them there."""
    task = ChatTask.create_from_messages(messages)
    await worker.run_task(task)
    return task.usage.cached_tokens


@pytest.fixture(scope="module")
def server():
    """One that nobody scripts."""
    with serve(
        TrtllmServe(lambda body: Reply(["4", "2"], reasoning="hm" if "messages" in body else ""))
    ) as server:
        yield server


KINDS = (GenerationTask, {"input_str": "q"}), (ChatTask, {"messages": [UserMessage("q")]})
OF_BOTH = {
    "max_tokens": 8, "min_tokens": 1, "temperature": 0.5, "top_p": 0.9, "top_k": 3, "min_p": 0.1, "top_p_min": 0.1,
    "seed": 7, "best_of": 2, "use_beam_search": False, "length_penalty": 1.0, "early_stopping": True,
    "frequency_penalty": 0.1, "presence_penalty": 0.1, "repetition_penalty": 1.1, "logit_bias": {"5": 1.0},
    "stop": ["x"], "stop_token_ids": [2], "include_stop_str_in_output": True, "ignore_eos": True,
    "num_logprobs": 2,
    "skip_special_tokens": False, "spaces_between_special_tokens": False, "add_special_tokens": False,
    "truncate_prompt_tokens": 99, "prompt_ignore_length": 0, "thinking_token_budget": 9, "user": "u",
    "lora_request": {"lora_name": "a", "lora_int_id": 1}, "response_format": {"type": "regex", "regex": "4."},
}  # fmt: skip
OF_CHATS = {
    "cache_salt": "s", "chat_template_kwargs": {"x": 1}, "reasoning_effort": "low", "parallel_tool_calls": False,
    "tool_choice": "none",
}  # fmt: skip
OF_TEXTS = {"return_context_logits": False, "echo": False}


class TestParameters:
    """Whatever is sent without a word of the caller's is taken; the double answers 400 to all else."""

    @pytest.mark.parametrize("kind", [None, "trtllm-serve"])
    @pytest.mark.parametrize(("task", "prompt", "own"), [(*KINDS[0], OF_TEXTS), (*KINDS[1], OF_CHATS)])
    async def test_all_of_its_own_are_sent_and_no_other(self, server, kind, task, prompt, own):
        async with OpenAIWorker(server.url, "m", server=kind) as worker:
            for _ in range(2):  # the second time its answer has told what it is
                asked = task(**prompt, **OF_BOTH, **own)
                await worker.run_task(asked)
                assert asked.output_str == "42"

    @pytest.mark.parametrize(
        ("task", "prompt", "name", "value", "why"),
        [
            (*KINDS[0], "cache_salt", "s", "only with a chat, a ChatTask"),
            (*KINDS[0], "chat_template_kwargs", {}, "only with a chat, a ChatTask"),
            (*KINDS[1], "return_context_logits", True, "only with a text prompt, a GenerationTask"),
            (*KINDS[1], "skip_detokenizer", True, "only with a text prompt, a GenerationTask"),
            (*KINDS[0], "top_p_decay", 0.5, "trtllm-serve does not take"),
        ],
    )
    async def test_what_a_route_does_not_take_is_refused_before_it_is_sent(
        self, server, task, prompt, name, value, why
    ):
        async with OpenAIWorker(server.url, "m") as worker:
            asked = len(server.requests)
            with pytest.raises(UnsupportedParameterError, match=why):
                await worker.run_task(task(**prompt, **{name: value}))
        assert len(server.requests) == asked

    async def test_a_server_that_cannot_be_asked_what_it_takes_is_not_known_to_take_it(self):
        async with OpenAIWorker("http://127.0.0.1:9/v1", "m") as worker:
            with pytest.raises(UnsupportedParameterError, match="accepts="):
                await worker.run_task(GenerationTask(input_str="q", top_k=3))

    async def test_tokens_come_instead_of_text(self, server):
        async with OpenAIWorker(server.url, "m") as worker:
            for most in (None, 8):  # streamed, and whole
                task = GenerationTask(input_tokens=[1, 2], skip_detokenizer=True, max_tokens=most)
                await worker.run_task(task)
                assert (task.output_str, task.output_tokens) == ("", [1, 1])
                assert task.usage == Usage(calls=1, prompt_tokens=2, completion_tokens=2)

    async def test_tokens_without_text_are_read_step_by_step(self):
        with serve(TrtllmServe(Reply(["4", "2"], between=90.0))) as server:
            async with OpenAIWorker(server.url, "m", server="trtllm-serve") as worker:
                task = StreamGenerationTask(input_str="q", skip_detokenizer=True, streaming_step=1)
                await worker.run_task(task)
                assert (task.output_tokens, task.end_flag) == ([1], False)
                await task.request_handle.aclose()


class TestAnswers:
    @pytest.mark.parametrize("most", [None, 8])
    async def test_what_ended_an_answer_is_told(self, server, most):
        async with OpenAIWorker(server.url, "m", server="trtllm-serve") as worker:
            task = GenerationTask(input_str="q", stop=["x"], max_tokens=most)
            await worker.run_task(task)
        assert task.customized_result_fields == {"stop_reason": "x"}

    async def test_thoughts_stand_apart_and_what_was_cached_is_counted(self, server):
        async with OpenAIWorker(server.url, "m") as worker:
            tasks = [ChatTask.create_from_prompt("tick " * 64) for _ in range(2)]
            for task in tasks:
                await worker.run_task(task)
        assert [(task.output_str, task.reasoning) for task in tasks] == [("42", "hm")] * 2
        assert [task.usage.cached_tokens for task in tasks] == [0, 64]

    @pytest.mark.parametrize("chat", [False, True])
    async def test_siblings_share_a_request_and_its_prompt(self, server, chat):
        prompt, read = f"sibling {chat} " * 64, server.prefilled
        inner = (NativeChatController if chat else NativeGenerationController)({"temperature": 1.0})
        async with (
            OpenAIWorker(server.url, "m") as worker,
            ScaffoldingLlm(MajorityVoteController(inner, 4, stop_rule="full"), worker) as llm,
        ):
            usage = (await llm.generate_async(prompt)).usage
        assert (usage.calls, usage.completion_tokens) == (1, 12 if chat else 8)
        assert usage.prompt_tokens == server.prefilled - read

    @pytest.mark.parametrize(("kind", "refused"), [(None, 1), ("trtllm-serve", 0)])
    async def test_siblings_share_none_where_all_would_be_one_and_go_on_to_share(self, server, kind, refused):
        method = MajorityVoteController(NativeGenerationController(), 3, stop_rule="full")
        async with OpenAIWorker(server.url, "m", server=kind) as worker, ScaffoldingLlm(method, worker) as llm:
            greedy = await llm.generate_async("q", temperature=0.0)
            sampled = await llm.generate_async("q", temperature=1.0)
        assert (greedy.text, greedy.usage.calls) == ("42", refused + 3)
        assert sampled.usage.calls == 1


class TestErrors:
    @pytest.mark.parametrize(
        ("model", "asked", "kind", "says"),
        [
            ("other", {}, ModelNotFoundError, "'other'"),
            ("m", {"input_str": "tick " * 8000}, ContextLengthExceededError, "shorten"),
            ("m", {"max_tokens": 9000}, ContextLengthExceededError, "shorten"),
            ("m", {"extra_body": {"no_such": 1}}, BadRequestError, "does not take 'no_such', leave it out"),
            ("m", {"logit_bias": {"word": 1.0}}, BadRequestError, "integer token ID"),
        ],
    )
    async def test_each_refusal_has_its_class_though_all_are_400(self, server, model, asked, kind, says):
        async with OpenAIWorker(server.url, model) as worker:
            with pytest.raises(kind, match=says) as raised:
                await worker.run_task(GenerationTask(**{"input_str": "q", **asked}))
        assert type(raised.value) is kind


class TestConnections:
    async def test_one_that_the_server_has_closed_meanwhile_costs_nothing(self):
        double = TrtllmServe()
        double.keep_alive = 0.01
        with serve(double) as server:
            async with OpenAIWorker(server.url, "m") as worker:
                tasks = [GenerationTask(input_str="q") for _ in range(3)]
                for task in tasks:
                    await worker.run_task(task)
                    await until(lambda: not server.connected)
        assert [task.usage.calls for task in tasks] == [1, 1, 1]
        assert len(server.requests) == 3

    async def test_an_answer_that_breaks_off_without_a_word_is_asked_for_again(self, short_waits):
        replies = iter([Reply(["4"], finish=None, reset=True), Reply(["4", "2"])])
        with serve(TrtllmServe(lambda body: next(replies))) as server:
            async with OpenAIWorker(server.url, "m") as worker:
                task = GenerationTask(input_str="q")
                await worker.run_task(task)
        assert (task.output_str, task.usage.calls) == ("42", 2)

    @pytest.mark.parametrize("most", [None, 8])
    async def test_a_cut_leaves_nothing_running(self, most):
        with serve(TrtllmServe(Reply(held=NEVER))) as server:
            async with OpenAIWorker(server.url, "m", server="trtllm-serve") as worker:
                running = asyncio.create_task(worker.run_task(GenerationTask(input_str="q", max_tokens=most)))
                await until(lambda: server.waiting)
                running.cancel()
                await asyncio.wait([running])
                await until(lambda: not server.open)
            assert server.cut == 1


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
                missed = list(server.missed)
                assert await worker.truncate_kv_cache(CHAT)
        assert server.missed == missed

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
