"""Counting the LLM calls of other code; scripted LLMs tell how many tokens they took."""

import asyncio
import threading
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage, CompletionResponse, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index_instrumentation import get_dispatcher
from pydantic import BaseModel

from llamaindex_scaffolding import LlamaIndexWorker, with_majority_vote
from llamaindex_scaffolding.instrumentation.llm_usage import counted_llm_calls
from llamaindex_scaffolding.query_engine import ScaffoldingQueryEngine
from scaffolding_core import NativeChatController, ScaffoldingLlm
from tests.llamaindex.doubles import USAGE, ScriptedLLM, tool_call
from tests.llamaindex.engines import KnownEngine, summary_index

CHAT = [ChatMessage("q")]


class OneInAnother(CustomLLM):
    """Its chat calls its own completion, as every CustomLLM does."""

    @property
    def metadata(self):
        return LLMMetadata()

    raw: Any = {"usage": USAGE}

    @llm_completion_callback()
    def complete(self, prompt, formatted=False, **kwargs):
        return CompletionResponse(text="7", raw=self.raw)

    @llm_completion_callback()
    def stream_complete(self, prompt, formatted=False, **kwargs):
        yield self.complete(prompt)


async def test_every_way_to_call_is_counted():
    llm = ScriptedLLM(answers=["7"])
    with counted_llm_calls() as calls:
        llm.chat(CHAT)
        await llm.acomplete("q")
        list(llm.stream_chat(CHAT))
        [piece async for piece in await llm.astream_complete("q")]
    assert (calls.usage.calls, calls.usage.prompt_tokens, calls.usage.completion_tokens) == (4, 12, 8)


def test_a_call_inside_another_llms_call_is_part_of_that_one():
    with counted_llm_calls() as calls:
        OneInAnother().chat(CHAT)
        OneInAnother().chat(CHAT)
    assert (calls.usage.calls, calls.usage.total_tokens) == (2, 10)


def test_negative_counts_are_none():
    with counted_llm_calls() as calls:
        OneInAnother(raw={"usage": {"prompt_tokens": -3, "completion_tokens": 2}}).chat(CHAT)
    assert (calls.usage.prompt_tokens, calls.usage.completion_tokens) == (0, 2)


class P(BaseModel):
    """What is asked for."""

    a: int


STRUCTURED = StructuredLLM(llm=ScriptedLLM(answers=[tool_call("P", a=7)]), output_cls=P)


async def test_a_call_that_tells_no_tokens_has_the_cost_of_those_inside():
    with counted_llm_calls() as calls:
        STRUCTURED.chat(CHAT)
        await STRUCTURED.achat(CHAT)
        STRUCTURED.complete("q")
    assert (calls.usage.calls, calls.usage.total_tokens) == (3, 15)


async def test_what_a_call_that_failed_paid_inside_is_counted():
    refused = StructuredLLM(llm=ScriptedLLM(answers=[tool_call("P", a="seven")]), output_cls=P)
    with counted_llm_calls() as calls:
        for _ in range(2):
            with pytest.raises(ValueError, match="valid integer"):
                refused.chat(CHAT)
    assert (calls.usage.calls, calls.usage.lost_calls, calls.usage.total_tokens) == (2, 0, 10)


@pytest.mark.parametrize("of", ["ours", "llamaindex"])
def test_an_engine_over_a_structured_llm_tells_what_it_paid(of):
    inner = ScriptedLLM(answers=[tool_call("P", a=7)])
    llm = STRUCTURED if of == "llamaindex" else with_majority_vote(inner, n=1).as_structured_llm(P)
    engine = summary_index("a is 7").as_query_engine(llm=llm)
    sampled = ScaffoldingQueryEngine(engine, sample_num=3, stop_rule="full")
    usage = sampled.query("a?").metadata["scaffolding"]["usage"]
    assert (usage["calls"], usage["total_tokens"]) == (3, 15)


async def test_a_failed_call_is_lost_and_the_next_one_counts():
    llm = ScriptedLLM(reply=lambda asked, index: "7" if index else ValueError("down"))
    with counted_llm_calls() as calls:
        with pytest.raises(ValueError, match="down"):
            await llm.achat(CHAT)
        await llm.achat(CHAT)
    assert (calls.usage.calls, calls.usage.lost_calls, calls.usage.total_tokens) == (2, 1, 5)


async def test_tasks_are_counted_and_other_contexts_are_not():
    llm = ScriptedLLM(answers=["7"])
    with counted_llm_calls() as calls:
        await asyncio.gather(llm.achat(CHAT), llm.achat(CHAT))
        other = threading.Thread(target=llm.chat, args=(CHAT,))
        other.start()
        other.join()
    llm.chat(CHAT)
    assert calls.usage.calls == 2


def test_a_raw_answer_that_tells_no_tokens_is_one_call():
    with counted_llm_calls() as calls:
        OneInAnother(raw=7).complete("q")
    assert (calls.usage.calls, calls.usage.total_tokens) == (1, 0)


async def test_what_a_request_inside_spends_is_charged_once():
    llm = ScaffoldingLlm(NativeChatController(), LlamaIndexWorker(ScriptedLLM(answers=["7"])))
    engine = ScaffoldingQueryEngine(KnownEngine(lambda bundle: llm.generate("q").text), "direct")
    with llm:
        usage = engine.query("q").metadata["scaffolding"]["usage"]
    assert (usage["calls"], usage["total_tokens"]) == (1, 5)


def test_one_handler_serves_all():
    for _ in range(3):
        with counted_llm_calls():
            pass
    names = [handler.class_name() for handler in get_dispatcher().event_handlers]
    assert names.count("ScaffoldingUsage") == 1
