"""LlamaIndexWorker under the core's own methods, and what it reads of an LLM's responses."""

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from llamaindex_scaffolding import LlamaIndexWorker, ScaffoldingLLM
from llamaindex_scaffolding.workers.worker import LLAMAINDEX_KWARGS
from scaffolding_core import (
    ChatTask,
    GenerationTask,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    NativeGenerationController,
    ScaffoldingLlm,
    ToolDescription,
    ToolMessage,
    UserMessage,
    WorkerError,
)
from tests.llamaindex.doubles import ScriptedLLM, tool_call
from tests.proving import calls_tools, streams
from tests.servers.scripted import Reply, scripted_server

CHAT = [ChatMessage("q")]


class Answering(ScriptedLLM):
    """Gives one response, as a provider's integration would."""

    response: object

    @llm_chat_callback()
    async def achat(self, messages, **kwargs):
        return self.response

    @llm_completion_callback()
    async def acomplete(self, prompt, formatted=False, **kwargs):
        return self.response


async def ran(response):
    """A task after the response came in."""
    kind = GenerationTask if isinstance(response, CompletionResponse) else ChatTask
    task = kind(input_str="q") if kind is GenerationTask else kind(messages=[UserMessage("q")])
    await LlamaIndexWorker(Answering(response=response)).run_task(task)
    return task


def said(raw=None, **additional):
    message = ChatMessage("7", role="assistant")
    return ChatResponse(message=message, raw=raw, additional_kwargs=additional)


async def test_a_core_method_runs_on_an_llm_in_both_ways():
    worker = LlamaIndexWorker(ScriptedLLM(answers=["it is 7", "8", "so 7"]))
    with ScaffoldingLlm(MajorityVoteController(NativeChatController(), 3, stop_rule="full"), worker) as llm:
        assert llm.generate("q").output.votes == {"7": 2, "8": 1}
        assert (await llm.generate_async("q")).output.votes == {"7": 2, "8": 1}


async def test_tools_and_tool_calls_go_through():
    inner = ScriptedLLM(answers=[tool_call("add", a=1)])
    task = ChatTask(
        messages=[UserMessage("q")], tools=[ToolDescription("add", "adds", {"a": {"type": "integer"}})]
    )
    await LlamaIndexWorker(inner).run_task(task)
    assert inner.record.kwargs[0]["tools"][0]["function"]["name"] == "add"
    assert (task.finish_reason, task.tool_calls[0].name, task.tool_calls[0].arguments) == (
        "tool_calls",
        "add",
        '{"a": 1}',
    )


@pytest.mark.parametrize(
    ("response", "tokens"),
    [
        (said({"usage": {"prompt_tokens": 3, "completion_tokens": 2}}), (3, 2, 0, 0)),
        (said({"usage": {"input_tokens": 3, "output_tokens": 2}}), (3, 2, 0, 0)),
        (said(prompt_tokens=3, completion_tokens=2), (3, 2, 0, 0)),
        (
            said(
                {
                    "usage": {
                        "prompt_tokens": 3,
                        "completion_tokens": 2,
                        "prompt_tokens_details": {"cached_tokens": 1},
                        "completion_tokens_details": {"reasoning_tokens": 1},
                    }
                }
            ),
            (3, 2, 1, 1),
        ),
        (said(), (0, 0, 0, 0)),
        (CompletionResponse(text="7", raw={"usage": {"prompt_tokens": 3, "completion_tokens": 2}}), (3, 2, 0, 0)),
    ],
)
async def test_usage_is_read_where_providers_put_it(response, tokens):
    usage = (await ran(response)).usage
    read = (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.reasoning_tokens)
    assert (read, usage.calls) == (tokens, 1)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"choices": [{"finish_reason": "length"}]}, "length"),
        ({"stop_reason": "max_tokens"}, "max_tokens"),
        (None, "stop"),
    ],
)
async def test_the_finish_reason_is_read_where_providers_put_it(raw, reason):
    assert (await ran(said(raw))).finish_reason == reason


async def test_an_answer_cut_by_its_length_is_told_in_raw():
    llm = ScaffoldingLLM.wrap(Answering(response=said({"choices": [{"finish_reason": "length"}]})), sample_num=2)
    response = await llm.achat(CHAT)
    assert response.raw["finish_reason"] == "length"
    assert response.raw["candidates"][0]["finish_reason"] == "length"


class Word(BaseModel):
    """A word."""

    word: str


YES, NO = tool_call("Word", word="yes"), ChatMessage("no", role="assistant")


@pytest.mark.parametrize("answers", [[YES], [YES, NO]], ids=["all", "one refused"])
async def test_an_llm_over_another_one_costs_what_that_one_tells(answers):
    over = StructuredLLM(llm=ScriptedLLM(answers=answers), output_cls=Word)
    llm = ScaffoldingLLM.wrap(over, sample_num=2, method_options={"stop_rule": "full"})
    usage = (await llm.achat(CHAT)).raw["usage"]  # of a sample that its class refused, too
    assert (usage["total_tokens"], usage["calls"]) == (10, 2)


async def test_token_ids_are_refused():
    with pytest.raises(InvalidRequestError, match="not token ids"):
        await LlamaIndexWorker(ScriptedLLM(answers=["7"])).run_task(GenerationTask(input_tokens=[1, 2]))


def test_something_else_than_an_llm_is_refused():
    with pytest.raises(InvalidRequestError, match="needs a LlamaIndex LLM"):
        LlamaIndexWorker("gpt")


class Silent(ScriptedLLM):
    """Its streams end before they say anything."""

    def _pieces(self, message):
        yield from ()


async def test_a_stream_that_ends_without_an_answer_is_an_error():
    llm = ScaffoldingLLM.wrap(Silent(answers=["7"]), "direct")
    with pytest.raises(WorkerError, match="ended without an answer"):
        [response async for response in await llm.astream_chat(CHAT)]
    with pytest.raises(WorkerError, match="ended without an answer"):
        list(llm.stream_chat(CHAT))


def test_leaving_a_blocking_stream_stops_the_llm_at_its_next_word():
    inner = ScriptedLLM(answers=["word " * 100_000])
    with ScaffoldingLlm(NativeGenerationController(), LlamaIndexWorker(inner)) as llm:
        events = iter(llm.stream([UserMessage("q")]))
        next(events)
        events.close()
    assert inner.record.pieces < 100_000


async def test_log_probabilities_of_a_server_come_as_llamaindexs():
    likely = {"token": "8", "logprob": -2.0}
    content = [{"token": "7", "logprob": -0.1, "top_logprobs": [{"token": "7", "logprob": -0.1}, likely]}]
    with scripted_server(Reply(logprobs={"content": content})) as server:
        llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
        response = await llm.achat(CHAT, num_logprobs=2)
        await llm.aclose()
    assert [(choice.token, choice.logprob) for choice in response.logprobs[0]] == [("7", -0.1), ("8", -2.0)]
    assert response.logprobs[0][0].bytes == list(b"7")


async def test_what_it_says_it_can_do_is_so():
    def script(body):
        return Reply(tool_calls=(("clock", "{}"),), finish="tool_calls") if "tools" in body else Reply()

    with scripted_server(script) as server:
        inner = OpenAILike(
            model="m", api_base=server.url, api_key="none", is_chat_model=True, is_function_calling_model=True
        )
        worker = LlamaIndexWorker(inner)
        assert worker.capabilities.tools == await calls_tools(worker)
        assert worker.capabilities.streaming == await streams(worker)


@pytest.mark.parametrize("called", [False, True])
async def test_what_is_asked_beside_the_answer_gets_no_form_that_is_for_the_answer(called):
    llm = ScriptedLLM(answers=["7"])
    chat = [UserMessage("q"), *([ToolMessage("text", tool_call_id="1")] if called else [])]
    given = {"tools": [{}], "tool_choice": "auto", "response_format": {}, "own": 1}
    for aside in (False, True):
        task = ChatTask(messages=chat, custom_input_params={LLAMAINDEX_KWARGS: given})
        if aside:
            task.set_aside()
        await LlamaIndexWorker(llm).run_task(task)
    whole, beside = llm.record.kwargs
    assert whole == given
    assert beside == {"own": 1, **({"tools": [{}]} if called else {})}
