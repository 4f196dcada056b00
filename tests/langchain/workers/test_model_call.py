"""Samples that nobody watches: cheaper calls, with the same results, and nothing of them seen outside.

The models are doubles, so that what reaches them is known.
"""

import pytest
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.globals import set_debug
from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langsmith import tracing_context
from langsmith.utils import tracing_is_enabled

from langchain_scaffolding import LangChainWorker, with_majority_vote
from langchain_scaffolding.tracing.inner_runs import inside
from scaffolding_core import ChatTask, NativeChatController, ScaffoldingLlm, UserMessage
from tests.langchain.doubles import FULL, KnownChat


class Starts(BaseCallbackHandler):
    """Counts the model calls that it is told of."""

    def __init__(self):
        self.count = 0

    def on_chat_model_start(self, *args, **kwargs):
        self.count += 1


async def both(model, prompt="q"):
    return model.invoke(prompt), await model.ainvoke(prompt)


@pytest.fixture
def expensive_way(monkeypatch):
    """How often LangChain's whole way of calling a model was taken."""
    taken = []
    for name in ("generate", "agenerate"):
        original = getattr(BaseChatModel, name)

        def spy(self, *args, original=original, **kwargs):
            if isinstance(self, KnownChat):
                taken.append(type(self))
            return original(self, *args, **kwargs)

        monkeypatch.setattr(BaseChatModel, name, spy)
    return taken


async def test_a_sample_that_nobody_watches_takes_the_short_way(expensive_way):
    for message in await both(with_majority_vote(KnownChat(answers=["7"]), n=3, **FULL)):
        assert message.text == "7"
        assert message.usage_metadata["total_tokens"] == 9
    assert expensive_way == []


async def test_the_models_own_callbacks_are_called_for_each_sample():
    starts = Starts()
    await both(with_majority_vote(KnownChat(answers=["7"], callbacks=[starts]), n=3, **FULL))
    assert starts.count == 6


async def test_debugging_shows_each_sample(expensive_way, capsys):
    set_debug(True)
    try:
        with_majority_vote(KnownChat(answers=["7"], disable_streaming=True), n=3, **FULL).invoke("q")
    finally:
        set_debug(False)
    assert len(expensive_way) == 3


async def test_a_model_that_enters_its_calls_itself_is_left_to_it():
    class Own(KnownChat):
        def invoke(self, *args, **kwargs):
            return super().invoke("own", **kwargs)

        async def ainvoke(self, *args, **kwargs):
            return await super().ainvoke("own", **kwargs)

    inner = Own(answers=["7"])
    await both(with_majority_vote(inner, n=2, **FULL))
    assert [messages[0].content for messages in inner.calls] == ["own"] * 4


async def test_content_that_is_not_text_is_brought_into_shape_as_ever():
    inner = KnownChat(answers=["7"])
    audio = {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}}
    async with ScaffoldingLlm(NativeChatController(), LangChainWorker(inner)) as llm:
        await llm.generate_async([{"role": "user", "content": [audio]}])
    (shaped,) = inner.calls[0][0].content
    assert (shaped["type"], shaped["mime_type"]) == ("audio", "audio/wav")


async def test_rate_limits_hold_for_each_sample():
    class Counting(InMemoryRateLimiter):
        taken: int = 0

        def acquire(self, *, blocking=True):
            type(self).taken += 1
            return True

        async def aacquire(self, *, blocking=True):
            return self.acquire()

    await both(with_majority_vote(KnownChat(answers=["7"], rate_limiter=Counting()), n=3, **FULL))
    assert Counting.taken == 6


async def test_a_usage_callback_around_the_call_counts_each_sample_once():
    for streams in (True, False):
        inner = KnownChat(answers=["7"], disable_streaming=not streams)
        with get_usage_metadata_callback() as usage:
            await both(with_majority_vote(inner, n=3, **FULL))
            await both(with_majority_vote(inner | StrOutputParser(), n=3, **FULL))
        assert sum(counted["total_tokens"] for counted in usage.usage_metadata.values()) == 36


async def test_no_sample_is_traced_as_a_run_of_its_own_whatever_the_environment_says():
    with tracing_context(enabled=True):
        assert tracing_is_enabled()
        with inside(ChatTask()):
            assert not tracing_is_enabled()
        assert tracing_is_enabled()


async def test_the_core_drives_a_langchain_model_without_the_adapter_around_it():
    async with ScaffoldingLlm(NativeChatController(), LangChainWorker(KnownChat(answers=["7"]))) as llm:
        result = await llm.generate_async(ChatTask(messages=[UserMessage("q")]))
    assert (result.text, result.usage.total_tokens) == ("7", 3)


async def test_what_is_configured_around_reaches_the_model_inside():
    inner = KnownChat(answers=["7"]).configurable_fields(answers=ConfigurableField("said"))
    whole = RunnableLambda(lambda q: q) | with_majority_vote(inner, n=2, **FULL)
    config = {"configurable": {"said": ["8"]}}
    assert whole.invoke("q", config).text == (await whole.ainvoke("q", config)).text == "8"
