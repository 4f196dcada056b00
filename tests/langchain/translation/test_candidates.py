"""Finished samples shown while the method runs: as reasoning blocks, and as custom events.

On a scripted model, where it is known which sample says what.
"""

import itertools

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableLambda

from langchain_scaffolding import ChatScaffolding
from scaffolding_core import MajorityVoteController, NativeChatController
from tests.langchain.doubles import FULL, voted

SAMPLES = ["it is 7", "8", "it is 7"]


def whole(chunks):
    first, *rest = chunks
    return sum(rest, first)


def reasoning(message):
    return [block for block in message.content_blocks if block["type"] == "reasoning"]


async def test_each_sample_is_a_reasoning_block_with_its_branch_before_the_answer():
    model, _ = voted(SAMPLES, stream_candidates="reasoning")
    for chunks in (list(model.stream("q")), [chunk async for chunk in model.astream("q")]):
        message = whole(chunks)
        blocks = reasoning(message)
        assert sorted(block["reasoning"] for block in blocks) == sorted(SAMPLES)
        assert {(*block["extras"]["branch"], block["extras"]["index"]) for block in blocks} == {(0,), (1,), (2,)}
        assert sorted(block["extras"]["answer"] for block in blocks) == ["7", "7", "8"]
        assert message.text == "it is 7"
        assert message.content_blocks[-1]["type"] == "text"
        assert message.usage_metadata["total_tokens"] == 9
        assert len({chunk.id for chunk in chunks}) == 1


async def test_blocks_stay_apart_in_the_v1_format_too():
    model, _ = voted(SAMPLES, stream_candidates="reasoning", output_version="v1")
    message = whole(list(model.stream("q")))
    assert [block["type"] for block in message.content] == ["reasoning"] * 3 + ["text"]


async def test_the_stream_shows_only_the_answer_unless_asked():
    model, _ = voted(SAMPLES)
    message = whole(list(model.stream("q")))
    assert message.content == "it is 7"


def test_a_sample_that_fails_is_shown_with_its_error():
    counter = itertools.count()

    def answer(messages):
        if next(counter) == 0:
            raise ConnectionError("down")
        return "7"

    method = {"sample_num": 3, "method_options": FULL}
    model = ChatScaffolding.wrap(RunnableLambda(answer), stream_candidates="reasoning", **method)
    blocks = reasoning(whole(list(model.stream("q"))))
    (failed,) = [block for block in blocks if block["extras"]["error"]]
    assert "down" in failed["reasoning"]
    assert sorted(block["reasoning"] for block in blocks if block is not failed) == ["7", "7"]


async def test_astream_events_tells_each_sample_under_the_models_run():
    model, _ = voted(SAMPLES, stream_candidates="events")
    chain = RunnableLambda(str) | model
    told = [event async for event in chain.astream_events("q", version="v2")]
    samples = [event for event in told if event["event"] == "on_custom_event"]
    (run_id,) = {event["run_id"] for event in told if event["event"] == "on_chat_model_start"}
    assert {event["name"] for event in samples} == {"scaffolding_candidate"}
    assert {event["run_id"] for event in samples} == {run_id}
    assert sorted(event["data"]["text"] for event in samples) == sorted(SAMPLES)
    for event in samples:
        assert event["data"]["branch"] == []
        assert event["data"]["answer"] in ("7", "8")


async def test_a_nested_methods_samples_have_its_branch():
    nested = MajorityVoteController(
        MajorityVoteController(NativeChatController(), 2, stop_rule="full"), 2, stop_rule="full"
    )
    _, inner = voted(["7"])
    model = ChatScaffolding.wrap(inner, nested, stream_candidates="events")
    events = [event async for event in model.astream_events("q", version="v2")]
    places = sorted(
        (*event["data"]["branch"], event["data"]["index"])
        for event in events
        if event["event"] == "on_custom_event"
    )
    assert places == [(0,), (0, 0), (0, 1), (1,), (1, 0), (1, 1)]


async def test_handlers_are_told_under_each_way_of_calling():
    class Sync(BaseCallbackHandler):
        def __init__(self):
            self.texts = []

        def on_custom_event(self, name, data, **kwargs):
            self.texts.append(data["text"])

    class Async(AsyncCallbackHandler):
        def __init__(self):
            self.texts = []

        async def on_custom_event(self, name, data, **kwargs):
            self.texts.append(data["text"])

    model, _ = voted(SAMPLES, stream_candidates="events")
    for kind in (Sync, Async):
        handler = kind()
        await model.ainvoke("q", {"callbacks": [handler]})
        [chunk async for chunk in model.astream("q", {"callbacks": [handler]})]
        assert sorted(handler.texts) == sorted(SAMPLES * 2)
    handler = Sync()
    model.invoke("q", {"callbacks": [handler]})
    list(model.stream("q", {"callbacks": [handler]}))
    assert sorted(handler.texts) == sorted(SAMPLES * 2)
    assert model.invoke("q").content  # and with nobody to tell
