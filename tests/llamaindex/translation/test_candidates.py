"""Samples shown while a method runs: as thoughts of a stream, or as events of instrumentation."""

import itertools
import json

import pytest
from llama_index.core.agent import AgentStream, FunctionAgent
from llama_index.core.llms import ChatMessage
from pydantic import BaseModel

from llamaindex_scaffolding import SampleEndEvent, SampleInProgressEvent, ScaffoldingLLM
from scaffolding_core import FunctionWorker, MajorityVoteController, NativeChatController
from tests.llamaindex.doubles import ScriptedLLM, voted
from tests.llamaindex.servers import FULL, openai_like, own
from tests.servers.scripted import Reply, scripted_server

CHAT = [ChatMessage("q")]
SAMPLES = ["it is 7", "8", "so 7"]


def showing(how, *samples, **fields):
    return voted(*(samples or SAMPLES), method_options=FULL, stream_candidates=how, **fields)


async def streams(llm):
    """The responses of each of the four ways to stream."""
    yield list(llm.stream_chat(CHAT))
    yield [response async for response in await llm.astream_chat(CHAT)]
    yield list(llm.stream_complete("q"))
    yield [response async for response in await llm.astream_complete("q")]


def candidates(responses):
    return [
        r.additional_kwargs["scaffolding_candidate"]
        for r in responses
        if "scaffolding_candidate" in r.additional_kwargs
    ]


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


class TestAsThoughts:
    async def test_each_sample_comes_with_its_branch_before_the_answer(self):
        async for responses in streams(showing("reasoning")):
            told = candidates(responses)
            assert sorted(one["text"] for one in told) == sorted(SAMPLES)
            assert {(*one["branch"], one["index"]) for one in told} == {(0,), (1,), (2,)}
            assert sorted(one["answer"] for one in told) == ["7", "7", "8"]
            json.dumps(told)

    async def test_the_deltas_are_still_the_answers_text_and_no_more(self):
        async for responses in streams(showing("reasoning")):
            assert "".join(response.delta for response in responses) in SAMPLES

    async def test_the_thoughts_are_where_llamaindex_looks_for_them(self):
        responses = [response async for response in await showing("reasoning").astream_chat(CHAT)]
        thoughts = "".join(r.additional_kwargs.get("thinking_delta", "") for r in responses)
        assert sorted(thoughts.split("\n\n")) == ["", *sorted(SAMPLES)]
        assert responses[-2].message.blocks[0].content == thoughts  # cumulative, as all of a stream is

    async def test_the_last_message_is_the_chosen_samples_own(self):
        responses = [response async for response in await showing("reasoning").astream_chat(CHAT)]
        assert responses[-1].message == (await voted(*SAMPLES, method_options=FULL).achat(CHAT)).message

    async def test_a_sample_that_fails_shows_its_error(self):
        told = candidates(list(showing("reasoning", "7", ValueError("down"), "7").stream_chat(CHAT)))
        assert sorted("down" in (one["error"] or "") for one in told) == [False, False, True]

    @pytest.mark.parametrize("way", [own, openai_like])
    async def test_on_a_server(self, way):
        said = itertools.cycle([("it is ", "7"), ("8",), ("so ", "7")])
        with scripted_server(lambda body: Reply(pieces=next(said))) as server:
            fields = {"sample_num": 3, "method_options": FULL, "stream_candidates": "reasoning"}
            async with way(server.url, **fields) as llm:
                responses = [response async for response in await llm.astream_chat(CHAT)]
        assert sorted(one["text"] for one in candidates(responses)) == sorted(SAMPLES)
        assert "".join(response.delta for response in responses) == responses[-1].message.content

    async def test_an_agent_streams_them(self):
        agent = FunctionAgent(llm=showing("reasoning"), tools=[])
        run = agent.run("q")
        streamed = [event async for event in run.stream_events() if isinstance(event, AgentStream)]
        assert "".join(event.delta for event in streamed) == "it is 7"
        thoughts = "".join(event.thinking_delta or "" for event in streamed)
        assert sorted(thoughts.split("\n\n")) == ["", *sorted(SAMPLES)]
        assert (await run).response.content == "it is 7"

    async def test_a_structure_streams_without_them(self):
        class Number(BaseModel):
            """A number."""

            value: int

        llm = showing("reasoning", *['{"value": 7}'] * 3).as_structured_llm(Number)
        assert [response.raw for response in llm.stream_chat(CHAT)] == [Number(value=7)]


class TestAsEvents:
    @pytest.mark.parametrize("stream", [False, True])
    async def test_each_call_tells_what_each_sample_writes_and_of_its_end(self, events, stream):
        llm = showing("events")
        calls = ["stream_chat", "stream_complete"] if stream else ["chat", "complete"]
        for call, given in zip(calls, (CHAT, "q"), strict=True):
            events.clear()
            given_back = getattr(llm, call)(given)
            if stream:
                assert "".join(response.delta for response in given_back) in SAMPLES
            self.check(events)
            events.clear()
            given_back = await getattr(llm, f"a{call}")(given)
            if stream:
                assert "".join([response.delta async for response in given_back]) in SAMPLES
            self.check(events)

    def check(self, events):
        ends, pieces = of(SampleEndEvent, events), of(SampleInProgressEvent, events)
        assert {(*end.branch, end.index): end.candidate["text"] for end in ends} == dict(
            zip([(0,), (1,), (2,)], self.written(pieces), strict=True)
        )
        assert sorted(self.written(pieces)) == sorted(SAMPLES)
        assert {event.span_id for event in (*ends, *pieces)} == {events[0].span_id}

    def written(self, pieces):
        texts = {}
        for piece in pieces:
            texts[tuple(piece.branch)] = texts.get(tuple(piece.branch), "") + piece.delta
        return [texts[branch] for branch in sorted(texts)]

    async def test_a_nested_methods_samples_have_its_branch(self, events):
        inner = MajorityVoteController(NativeChatController(), 2, stop_rule="full")
        method = MajorityVoteController(inner, 2, stop_rule="full")
        await ScaffoldingLLM(method, worker=FunctionWorker(lambda task: "7"), stream_candidates="events").achat(
            CHAT
        )
        places = sorted((*end.branch, end.index) for end in of(SampleEndEvent, events))
        assert places == [(0,), (0, 0), (0, 1), (1,), (1, 0), (1, 1)]

    async def test_the_answer_and_what_it_tells_stay_as_they_are(self):
        told, plain = await showing("events").achat(CHAT), await showing(None).achat(CHAT)
        assert told.message == plain.message
        assert told.raw["votes"] == plain.raw["votes"]

    async def test_they_are_plain_data(self, events):
        await showing("events").achat(CHAT)
        assert {event.model_dump()["class_name"] for event in of(SampleEndEvent, events)} == {"SampleEndEvent"}
        json.dumps([event.model_dump() for event in of(SampleEndEvent, events)], default=str)


async def test_the_stream_shows_the_answer_alone_unless_asked(events):
    async for responses in streams(showing(None)):
        assert not candidates(responses)
        assert all("thinking_delta" not in response.additional_kwargs for response in responses)
    assert not of(SampleEndEvent, events)


def test_another_way_is_refused():
    with pytest.raises(ValueError, match="stream_candidates"):
        ScaffoldingLLM.wrap(ScriptedLLM(answers=["7"]), stream_candidates="loudly")
