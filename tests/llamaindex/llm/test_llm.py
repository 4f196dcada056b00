"""ScaffoldingLLM: the eight calls, what they tell, and what they refuse."""

import asyncio
import json

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock, ThinkingBlock
from llama_index.core.llms.mock import MockLLM

from llamaindex_scaffolding import ScaffoldingLLM, with_majority_vote
from scaffolding_core import (
    AssistantMessage,
    Budget,
    Delta,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeGenerationController,
    UnknownMethodError,
    UnsupportedParameterError,
    Usage,
    WorkerError,
)
from tests.eventually import until
from tests.llamaindex.doubles import ScriptedLLM, in_turn, voted
from tests.servers.scripted import Paced, Reply, scripted_server

QUESTION = [ChatMessage(role="user", content="What is 6 times 7?")]


async def every_way(llm):
    """The answer by each of the eight methods, streams read to their end."""
    chat = [ChatMessage("q")]
    yield "chat", llm.chat(chat).message.content, llm.chat(chat)
    yield "achat", (await llm.achat(chat)).message.content, await llm.achat(chat)
    last = [*llm.stream_chat(chat)][-1]
    yield "stream_chat", last.message.content, last
    last = [r async for r in await llm.astream_chat(chat)][-1]
    yield "astream_chat", last.message.content, last
    yield "complete", llm.complete("q").text, llm.complete("q")
    yield "acomplete", (await llm.acomplete("q")).text, await llm.acomplete("q")
    last = [*llm.stream_complete("q")][-1]
    yield "stream_complete", last.text, last
    last = [r async for r in await llm.astream_complete("q")][-1]
    yield "astream_complete", last.text, last


class TestTheEightCalls:
    async def test_each_votes_and_tells_how(self):
        answers = ["it is 7", "8", "so 7"]

        async def answer(task):
            siblings = [other for other in asked if other.group is task.group]
            asked.append(task)
            task.usage = Usage(2, 1, calls=1)
            return answers[len(siblings)]

        asked = []
        llm = ScaffoldingLLM(worker=FunctionWorker(answer), sample_num=3, method_options={"stop_rule": "full"})
        async for name, text, response in every_way(llm):
            told = response.raw
            assert text == "it is 7", name
            assert (told["votes"], told["samples"], told["stopped"]) == ({"7": 2, "8": 1}, 3, "complete"), name
            assert told["usage"]["total_tokens"] == 9, name
            json.dumps(told)

    async def test_each_samples_an_llm_of_llamaindexs_own(self):
        async for name, text, response in every_way(with_majority_vote(MockLLM(max_tokens=2), n=3)):
            assert text.endswith("text"), name
            assert response.raw["samples"] == 3, name

    async def test_text_of_a_server_is_shown_while_it_comes(self):
        paced = Paced("a", "b", "c")
        with scripted_server(paced) as server:
            llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
            responses = [(paced.take(r.delta), r.message.content) for r in llm.stream_chat([ChatMessage("q")])]
            assert [delta for delta, _ in responses if delta] == ["a", "b", "c"]
            assert [content for _, content in responses][:3] == ["a", "ab", "abc"]
            assert "".join([paced.take(r.delta) async for r in await llm.astream_complete("q")]) == "abc"

    def test_chat_gives_the_answer_of_most_samples(self):
        response = voted("It is 41", "It is 42", "It is 42", method_options={"stop_rule": "full"}).chat(QUESTION)

        assert response.message.content == "It is 42"
        assert response.message.role == "assistant"

    async def test_achat_gives_the_answer_of_most_samples(self):
        response = await voted("It is 41", "It is 42", "It is 42").achat(QUESTION)

        assert response.message.content == "It is 42"

    def test_complete_completes_with_the_wrapped_llm(self):
        llm = voted("42", "42", "41")

        assert llm.complete("6 times 7 is").text == "42"
        assert set(llm.llm.record.calls) == {"complete"}

    async def test_acomplete_completes_with_the_wrapped_llm(self):
        llm = voted("42", "42", "41")

        assert (await llm.acomplete("6 times 7 is")).text == "42"
        assert set(llm.llm.record.calls) == {"acomplete"}

    def test_a_prompt_that_is_formatted_already_is_told_so_to_the_wrapped_llm(self):
        llm = voted("42", "42", "41")
        llm.complete("<user>6 times 7<assistant>", formatted=True)

        assert all(kwargs["formatted"] for kwargs in llm.llm.record.kwargs)

    @pytest.mark.parametrize("method", ["direct", "chain_of_thought"])
    def test_stream_chat_shows_one_branch_as_it_comes(self, method):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["It is really 42"]), method)
        responses = list(llm.stream_chat(QUESTION))

        assert "".join(r.delta for r in responses) == "It is really 42"
        assert responses[-1].message.content == "It is really 42"
        assert responses[-1].raw["usage"]["completion_tokens"] == 2

    @pytest.mark.looptime
    async def test_astream_chat_shows_text_while_it_is_written(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["one two three four"], delay=0.01), "direct")
        stream = await llm.astream_chat(QUESTION)
        seen = [(response.message.content, llm.llm.record.pieces) async for response in stream]

        text, written = seen[0]
        assert text == "one"
        assert written < 4
        assert seen[-1][0] == "one two three four"

    def test_each_streamed_message_is_cumulative_and_its_deltas_add_up(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["one two three"]), "direct")
        text = ""
        for response in llm.stream_chat(QUESTION):
            text += response.delta
            assert response.message.content == text

        assert text == "one two three"

    def test_a_vote_streams_the_chosen_answer_once(self):
        responses = list(voted("It is 41", "It is 42", "It is 42").stream_chat(QUESTION))

        assert "".join(r.delta for r in responses) == "It is 42"
        assert responses[-1].message.content == "It is 42"

    async def test_a_vote_streams_the_chosen_answer_once_async(self):
        responses = [r async for r in await voted("It is 41", "It is 42", "It is 42").astream_chat(QUESTION)]

        assert "".join(r.delta for r in responses) == "It is 42"

    def test_stream_complete(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["one two three"]), "direct")
        responses = list(llm.stream_complete("Count"))

        assert "".join(r.delta for r in responses) == "one two three"
        assert [r.text for r in responses][-1] == "one two three"
        assert llm.llm.record.calls == ["stream_complete"]

    async def test_astream_complete(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["one two three"]), "direct")
        responses = [r async for r in await llm.astream_complete("Count")]

        assert "".join(r.delta for r in responses) == "one two three"
        assert llm.llm.record.calls == ["astream_complete"]


class TestWhatAResponseTells:
    async def test_raw_and_additional_kwargs_tell_how_the_answer_was_chosen(self):
        response = await voted("41", "42", "42", method_options={"stop_rule": "full"}).achat(QUESTION)

        assert response.raw["method"] == "MajorityVoteController"
        assert response.raw["answer"] == "42"
        assert response.raw["agreement"] == pytest.approx(2 / 3)
        assert response.raw["samples"] == 3
        assert [c["answer"] for c in response.raw["candidates"]] == ["41", "42", "42"]
        assert response.raw["votes"] == {"42": 2, "41": 1}
        assert response.raw["trace_id"] > 0
        assert response.additional_kwargs["scaffolding"] == response.raw

    def test_usage_counts_every_sample(self):
        response = voted("41", "42", "42", method_options={"stop_rule": "full"}).chat(QUESTION)

        assert response.raw["usage"]["prompt_tokens"] == 9
        assert response.raw["usage"]["completion_tokens"] == 6
        assert response.additional_kwargs["total_tokens"] == 15

    def test_raw_is_plain_data_whatever_the_answer_is(self):
        class Odd:
            pass

        controller = MajorityVoteController(NativeGenerationController(), 2, extractor=_Constant(frozenset({Odd})))
        response = ScaffoldingLLM.wrap(ScriptedLLM(answers=["x"]), controller).chat(QUESTION)

        json.dumps(response.raw)

    def test_thoughts_of_a_worker_come_in_a_block_of_their_own(self):
        llm = ScaffoldingLLM("direct", worker=in_turn(AssistantMessage("42", reasoning="six sevens")))
        message = llm.chat(QUESTION).message

        assert [type(block) for block in message.blocks] == [ThinkingBlock, TextBlock]
        assert message.blocks[0].content == "six sevens"
        assert message.content == "42"

    def test_thoughts_stream_as_agents_expect_them(self):
        async def think(task):
            task.scope.emit(Delta(reasoning="six "))
            task.scope.emit(Delta(reasoning="sevens"))
            task.scope.emit(Delta("42"))
            return AssistantMessage("42", reasoning="six sevens")

        llm = ScaffoldingLLM("direct", worker=FunctionWorker(think))
        responses = list(llm.stream_chat(QUESTION))

        assert "".join(r.additional_kwargs.get("thinking_delta", "") for r in responses) == "six sevens"
        assert "".join(r.delta for r in responses) == "42"

    def test_the_chosen_message_of_a_wrapped_llm_comes_back_whole(self):
        original = ChatMessage(
            role="assistant",
            blocks=[
                ThinkingBlock(content="hm", additional_information={"signature": "abc"}),
                TextBlock(text="42"),
            ],
            additional_kwargs={"vendor": {"x": 1}},
        )
        message = voted(original).chat(QUESTION).message

        assert message == original

    def test_changing_the_answer_leaves_the_samples_alone(self):
        original = ChatMessage(role="assistant", content="42")
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=[original]), "direct")
        llm.chat(QUESTION).message.blocks.append(TextBlock(text="changed"))

        assert llm.chat(QUESTION).message.content == "42"


class TestParameters:
    def test_fields_and_keywords_reach_the_wrapped_llm(self):
        llm = ScaffoldingLLM.wrap(
            ScriptedLLM(answers=["42"]), "direct", temperature=0.5, additional_kwargs={"top_p": 0.9}
        )
        llm.chat(QUESTION, max_tokens=7, vendor_option="x")

        assert llm.llm.record.kwargs == [{"temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "vendor_option": "x"}]

    def test_a_keyword_of_a_call_overrides_the_field(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["42"]), "direct", temperature=0.5)
        llm.chat(QUESTION, temperature=1.0)

        assert llm.llm.record.kwargs == [{"temperature": 1.0}]

    def test_options_of_the_method_can_be_given_for_one_call(self):
        llm = voted("1", "2", "3")

        assert llm.chat(QUESTION, sample_num=5).raw["samples"] == 5
        assert llm.chat(QUESTION).raw["samples"] == 3

    def test_the_method_can_be_given_for_one_call(self):
        response = voted("1", "2", "3").chat(QUESTION, method="direct")

        assert response.raw["method"] == "NativeGenerationController"

    def test_a_budget_ends_the_vote_with_the_best_answer_so_far(self):
        response = voted("1", "2", "3").chat(QUESTION, budget=Budget(samples=1))

        assert response.raw["stopped"] == "budget"
        assert response.message.content == "1"

    def test_each_sample_gets_a_seed_of_its_own(self):
        llm = voted("1", "2", "3", seed=7)
        llm.chat(QUESTION)

        assert len({kwargs["seed"] for kwargs in llm.llm.record.kwargs}) == 3

    def test_options_of_one_method_are_not_taken_for_those_of_another(self):
        llm = voted("1", "2", "3", method_options={"stop_rule": "full"})

        assert llm.chat(QUESTION, method="direct").message.content == "1"

    def test_a_misspelt_field_is_refused(self):
        with pytest.raises(InvalidRequestError, match="no field 'temprature'"):
            ScaffoldingLLM("direct", temprature=0.5)

    @pytest.mark.parametrize(
        ("fields", "match"),
        [
            ({"llm": MockLLM(), "api_base": "http://127.0.0.1:9/v1"}, "llm and api_base name two backends"),
            ({"llm": MockLLM(), "timeout": 3}, "timeout is for a server"),
            ({"api_key": "k"}, "api_key is for a server"),
            ({"siblings": 1}, "siblings is for a server"),
        ],
    )
    def test_fields_that_would_be_without_effect_are_refused(self, fields, match):
        with pytest.raises(InvalidRequestError, match=match):
            ScaffoldingLLM("direct", **fields)

    def test_an_unknown_keyword_is_refused_where_no_llm_could_take_it(self):
        llm = ScaffoldingLLM("direct", worker=in_turn("42"))

        with pytest.raises(InvalidRequestError, match="bogus"):
            llm.chat(QUESTION, bogus=1)

    def test_several_answers_in_one_call_are_refused_since_all_but_one_would_be_lost(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["42"]), "direct")

        with pytest.raises(UnsupportedParameterError, match="sample_num"):
            llm.chat(QUESTION, n=4)

    def test_a_changed_field_counts_from_the_next_call_on(self):
        llm = voted("1", "2", "3")
        llm.sample_num = 2
        assert llm.chat(QUESTION).raw["samples"] == 2

        llm.llm = ScriptedLLM(answers=["other"])
        assert llm.chat(QUESTION).message.content == "other"

    def test_unknown_methods_are_refused_when_it_is_made(self):
        with pytest.raises(UnknownMethodError, match="bogus"):
            ScaffoldingLLM("bogus", worker=in_turn())

    def test_options_that_the_method_does_not_have_are_refused_when_it_is_made(self):
        with pytest.raises(InvalidRequestError, match="bogus"):
            ScaffoldingLLM("majority_vote", worker=in_turn(), method_options={"bogus": 1})

    @pytest.mark.parametrize("wrap", [False, True])
    def test_options_beside_a_controller_are_refused_when_it_is_made(self, wrap):
        method = MajorityVoteController(NativeGenerationController(), 2)
        with pytest.raises(InvalidRequestError, match="give 'stop_rule' to the controller"):
            if wrap:
                ScaffoldingLLM.wrap(MockLLM(), method, method_options={"stop_rule": "full"})
            else:
                ScaffoldingLLM(method, worker=in_turn(), method_options={"stop_rule": "full"})

    @pytest.mark.parametrize("method", ["direct", NativeGenerationController()])
    def test_samples_for_a_method_that_takes_one_are_refused_when_it_is_made(self, method):
        with pytest.raises(InvalidRequestError, match="takes one sample: leave sample_num out"):
            ScaffoldingLLM(method, worker=in_turn(), sample_num=3)

    def test_best_of_n_without_a_reward_is_refused_when_it_is_made(self):
        with pytest.raises(InvalidRequestError, match="reward"):
            ScaffoldingLLM("best_of_n", worker=in_turn())

    def test_an_empty_prompt_is_refused(self):
        with pytest.raises(InvalidRequestError, match="empty"):
            ScaffoldingLLM("direct", worker=in_turn()).complete(" ")

    def test_images_reach_a_worker_as_openai_parts(self):
        seen = []
        llm = ScaffoldingLLM("direct", worker=FunctionWorker(lambda task: seen.append(task.messages) or "a cat"))
        blocks = [TextBlock(text="What is this?"), ImageBlock(url="https://example.com/cat.png")]
        llm.chat([ChatMessage(role="user", blocks=blocks)])

        assert seen[0][0].content == [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        ]

    def test_a_model_that_is_no_chat_model_completes_raw_prompts(self):
        seen = []
        worker = FunctionWorker(lambda task: seen.append((type(task).__name__, task.input_str)) or "42")
        llm = ScaffoldingLLM("direct", worker=worker, is_chat_model=False)
        llm.complete("6 times 7 is")
        llm.chat(QUESTION)

        assert seen[0] == ("GenerationTask", "6 times 7 is")
        assert seen[1][0] == "GenerationTask"
        assert "6 times 7" in seen[1][1]


class TestCancelling:
    async def test_leaving_a_stream_cancels_its_request_at_the_server(self):
        with scripted_server(Reply(pieces=("x",) * 2000, between=0.02)) as server:
            llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
            stream = await llm.astream_chat(QUESTION)
            await anext(stream)
            await stream.aclose()
            await until(lambda: server.cut == 1)

    async def test_leaving_a_stream_stops_the_llm(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["word " * 1000], delay=0.001), "direct")
        stream = await llm.astream_chat(QUESTION)
        await anext(stream)
        await stream.aclose()
        await until(lambda: llm.llm.record.closed)

        assert llm.llm.record.pieces < 1000

    def test_a_stream_that_is_dropped_before_it_is_read_cancels_its_request(self):
        with scripted_server(Reply(pieces=("x",) * 2000, between=0.02)) as server:
            llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
            for begin in (lambda: llm.stream_chat(QUESTION), lambda: llm.stream_complete("q")):
                stream = begin()
                asyncio.run(until(lambda: server.open == 1))
                stream.close()
                del stream
                asyncio.run(until(lambda: server.open == 0))
            llm.close()

        assert server.cut == 2

    async def test_a_stream_that_is_dropped_before_it_is_read_cancels_its_request_async(self):
        with scripted_server(Reply(pieces=("x",) * 2000, between=0.02)) as server:
            llm = ScaffoldingLLM("direct", api_base=server.url, model="m")
            for begin in (lambda: llm.astream_chat(QUESTION), lambda: llm.astream_complete("q")):
                stream = await begin()
                await until(lambda: server.open == 1)
                await stream.aclose()
                del stream
                await until(lambda: server.open == 0)
            await llm.aclose()

        assert server.cut == 2

    async def test_cancelling_a_call_stops_its_samples(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["42"], delay=60), sample_num=3)
        call = asyncio.create_task(llm.achat(QUESTION))
        await until(lambda: len(llm.llm.record.calls) == 3)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until(lambda: len(asyncio.all_tasks()) == 1)

    async def test_a_failing_sample_costs_that_sample_alone(self):
        response = await voted("42", ValueError("busy"), "42", method_options={"stop_rule": "full"}).achat(
            QUESTION
        )

        assert response.message.content == "42"
        assert ["busy" in (c["error"] or "") for c in response.raw["candidates"]] == [False, True, False]

    async def test_the_error_of_the_llm_reaches_the_caller(self):
        with pytest.raises(WorkerError, match="broken") as raised:
            await ScaffoldingLLM.wrap(ScriptedLLM(answers=[ValueError("broken")]), "direct").achat(QUESTION)

        assert isinstance(raised.value.__cause__, ValueError)


class TestLoops:
    async def test_a_blocking_call_works_inside_a_running_loop(self):
        assert voted("42", "42", "41").chat(QUESTION).message.content == "42"

    async def test_a_blocking_stream_works_inside_a_running_loop(self):
        llm = ScaffoldingLLM.wrap(ScriptedLLM(answers=["one two"]), "direct")

        assert "".join(r.delta for r in llm.stream_chat(QUESTION)) == "one two"

    def test_blocking_calls_use_the_blocking_methods_and_async_calls_the_async_ones(self):
        llm = voted("42", "42", "42")
        llm.chat(QUESTION)
        asyncio.run(llm.achat(QUESTION))
        asyncio.run(llm.achat(QUESTION))  # a second loop

        assert set(llm.llm.record.calls) == {"chat", "achat"}

    async def test_async_samples_run_on_the_callers_loop(self):
        import threading

        llm = voted("42", "42", "42")
        await llm.achat(QUESTION)

        assert set(llm.llm.record.threads) == {threading.get_ident()}


class _Constant:
    costly = False

    def __init__(self, answer):
        self.answer = answer

    def extract(self, message):
        return self.answer
