"""What LlamaIndex's callbacks and instrumentation see of a call and its samples."""

import itertools
import json
from collections import Counter

import pytest
from llama_index.core import Settings
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler, TokenCountingHandler
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionStartEvent,
)
from llama_index.core.llms import ChatMessage
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.span_handlers import SimpleSpanHandler

from llamaindex_scaffolding import LlamaIndexWorker, ScaffoldingLLM
from llamaindex_scaffolding.instrumentation.unheard import unheard
from scaffolding_core import FunctionWorker, NativeChatController, ScaffoldingLlm, Usage
from tests.llamaindex.doubles import ScriptedLLM

CHAT = [ChatMessage("q")]
FULL = {"stop_rule": "full"}


def wrapping(callbacks=None, **fields):
    inner = ScriptedLLM(answers=["7"], **({"callback_manager": callbacks} if callbacks else {}))
    return ScaffoldingLLM.wrap(inner, **{"sample_num": 3, "method_options": FULL, **fields})


def standing_alone(callbacks=None, **fields):
    worker = FunctionWorker(lambda task: setattr(task, "usage", Usage(3, 2, calls=1)) or "7")
    given = {"callback_manager": callbacks} if callbacks else {}
    return ScaffoldingLLM(**{"worker": worker, "sample_num": 3, "method_options": FULL, **given, **fields})


async def chat(llm):
    llm.chat(CHAT)


async def achat(llm):
    await llm.achat(CHAT)


async def stream_chat(llm):
    list(llm.stream_chat(CHAT))


async def astream_chat(llm):
    [response async for response in await llm.astream_chat(CHAT)]


async def complete(llm):
    llm.complete("q")


async def acomplete(llm):
    await llm.acomplete("q")


async def stream_complete(llm):
    list(llm.stream_complete("q"))


async def astream_complete(llm):
    [response async for response in await llm.astream_complete("q")]


CHATS = [chat, achat, stream_chat, astream_chat]
CALLS = [*CHATS, complete, acomplete, stream_complete, astream_complete]
EACH_CALL = pytest.mark.parametrize("call", CALLS)


@pytest.fixture
def spans():
    """Name and parent's name of each span that ended."""
    handler = SimpleSpanHandler()
    root = get_dispatcher()
    root.add_span_handler(handler)
    yield lambda: Counter((_name(span.id_), _name(span.parent_id)) for span in handler.completed_spans)
    root.span_handlers.remove(handler)
    assert not handler.open_spans


def _name(span):
    return span and span.rsplit("-", 5)[0]


@EACH_CALL
async def test_each_sample_of_a_wrapped_llm_is_a_span_under_the_callers(spans, call):
    await call(wrapping())
    outer, inner = f"ScaffoldingLLM.{call.__name__}", f"ScriptedLLM.{call.__name__}"
    if "stream" not in inner:
        assert spans() == {(outer, None): 1, (inner, outer): 3}
    else:  # no stream's span right under a stream's: tracers take the end of one for that of both
        assert spans() == {(outer, None): 1, ("sample", outer): 3, (inner, "sample"): 3}


@EACH_CALL
async def test_each_sample_of_a_worker_is_a_span_under_the_callers(spans, call):
    await call(standing_alone())
    name = f"ScaffoldingLLM.{call.__name__}"
    assert spans() == {(name, None): 1, ("sample", name): 3}


@pytest.mark.parametrize("call", CHATS)
async def test_rewards_are_spans_too(spans, call):
    await call(standing_alone(method="best_of_n", reward=lambda prompt, answer: 1.0, method_options={}))
    name = f"ScaffoldingLLM.{call.__name__}"
    assert spans() == {(name, None): 1, ("sample", name): 3, ("reward", name): 1}  # of three equal answers


async def test_a_span_of_the_users_own_is_above_all(spans):
    dispatcher = get_dispatcher(__name__)

    @dispatcher.span
    async def mine():
        await astream_chat(wrapping())

    await mine()
    found = spans()
    (mine_span,) = [name for name, parent in found if parent is None]
    assert found["ScaffoldingLLM.astream_chat", mine_span] == 1
    assert found["sample", "ScaffoldingLLM.astream_chat"] == found["ScriptedLLM.astream_chat", "sample"] == 3


async def test_a_plain_core_method_over_an_llm_keeps_the_span_above_it(spans):
    dispatcher = get_dispatcher(__name__)

    @dispatcher.span
    def mine():
        with ScaffoldingLlm(NativeChatController(), LlamaIndexWorker(ScriptedLLM(answers=["7"]))) as llm:
            llm.generate("q")

    mine()  # in a plain thread, where LlamaIndex alone would lose the parent
    assert [parent for name, parent in spans() if name == "ScriptedLLM.chat"] != [None]


@EACH_CALL
@pytest.mark.parametrize("make", [wrapping, standing_alone])
async def test_tokens_are_counted_once_over_all_samples(make, call):
    counter = TokenCountingHandler()
    await call(make(CallbackManager([counter])))
    assert (counter.total_llm_token_count, len(counter.llm_token_counts)) == (15, 1)


@EACH_CALL
@pytest.mark.parametrize("make", [wrapping, standing_alone])
async def test_tokens_are_counted_once_by_the_programs_own_callbacks(make, call):
    counter = TokenCountingHandler()
    Settings.callback_manager = CallbackManager([counter])
    try:
        Settings.llm = make()
        await call(Settings.llm)
    finally:
        Settings.callback_manager, Settings.llm = None, None
    assert counter.total_llm_token_count == 15


async def test_an_llm_given_as_a_field_is_counted_once_too():
    counter = TokenCountingHandler()
    callbacks = CallbackManager([counter])
    inner = ScriptedLLM(answers=["7"], callback_manager=callbacks)
    await achat(ScaffoldingLLM(llm=inner, callback_manager=callbacks, sample_num=3, method_options=FULL))
    assert counter.total_llm_token_count == 15
    inner.chat(CHAT)  # by itself it is heard as before
    assert counter.total_llm_token_count == 20


@EACH_CALL
async def test_callbacks_see_one_llm_event_for_each_call(call):
    debug = LlamaDebugHandler(print_trace_on_end=False)
    await call(wrapping(CallbackManager([debug])))
    ((start, end),) = debug.get_event_pairs(CBEventType.LLM)
    assert start.payload["serialized"]["class_name"] == "ScaffoldingLLM"
    assert end.payload


async def test_events_of_a_chat_come_in_order(events):
    await achat(standing_alone())
    assert [type(event) for event in events] == [LLMChatStartEvent, LLMChatEndEvent]
    assert events[0].span_id == events[1].span_id
    assert events[1].response.raw["usage"]["total_tokens"] == 15


async def test_events_of_a_stream_come_in_order(events):
    await astream_chat(standing_alone())
    kinds = [kind for kind, _ in itertools.groupby(map(type, events))]
    assert kinds == [LLMChatStartEvent, LLMChatInProgressEvent, LLMChatEndEvent]


async def test_events_of_a_completion_come_in_order(events):
    await complete(standing_alone())
    assert [type(event) for event in events] == [LLMCompletionStartEvent, LLMCompletionEndEvent]


@EACH_CALL
async def test_no_key_is_in_an_event(events, call):
    inner = ScriptedLLM(answers=["7"], api_key="sk-secret")
    await call(ScaffoldingLLM.wrap(inner, sample_num=2))
    await call(standing_alone(worker=None, llm=ScaffoldingLLM.wrap(inner, "direct")))
    assert events
    assert "sk-secret" not in json.dumps([event.model_dump() for event in events], default=str)


async def test_a_call_that_fails_closes_its_span():
    dropped = SimpleSpanHandler()
    root = get_dispatcher()
    root.add_span_handler(dropped)
    try:
        with pytest.raises(Exception, match="down"):
            await achat(ScaffoldingLLM.wrap(ScriptedLLM(answers=[ValueError("down")]), "direct"))
    finally:
        root.span_handlers.remove(dropped)
    assert {_name(span.id_) for span in dropped.dropped_spans} == {"ScaffoldingLLM.achat", "ScriptedLLM.achat"}
    assert not dropped.open_spans


def test_a_wrapped_llm_keeps_nothing_of_the_calls_that_nobody_hears_of():
    llm = unheard(ScriptedLLM(answers=["7"]))
    with CallbackManager([]).as_trace("a query"):
        for _ in range(3):
            llm.chat(CHAT)
    assert not llm.callback_manager._trace_map
    assert llm.callback_manager.handlers == []
