"""What samples are compared by: one field, in the wrappers, and per call.

Scripted, so that what differs is known; `number` takes out what `auto` leaves whole.
"""

import copy
import json
import pickle

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.base_selector import SingleSelection
from llama_index.core.llms import ChatMessage
from llama_index.core.llms.mock import MockLLM
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context, StartEvent, StopEvent, Workflow, step
from pydantic import BaseModel

from llamaindex_scaffolding import (
    ScaffoldingLLM,
    ScaffoldingQueryEngine,
    run_method,
    with_best_of_n,
    with_chain_of_thought,
    with_majority_vote,
)
from llamaindex_scaffolding.judging.support import SourceSupport
from scaffolding_core import (
    Answers,
    Exact,
    FunctionWorker,
    InvalidRequestError,
    MajorityVoteController,
    NativeChatController,
    WholeText,
)
from tests.llamaindex.components.voting import agreements, calls, voting
from tests.llamaindex.doubles import ScriptedLLM, in_turn, tool_call
from tests.llamaindex.engines import KnownEngine

CHAT = [ChatMessage("How many?")]
SAMPLES = ["Seven of them: 7", "There may be 7 there", "8 I guess, my friend"]
FULL = {"stop_rule": "full"}
MAPPING = {"kind": "json", "ignore": ["why"]}


def wrapped(*samples, **fields):
    options = {"sample_num": len(samples), "method_options": FULL, **fields}
    return ScaffoldingLLM.wrap(ScriptedLLM(answers=list(samples)), **options)


def own(*samples, **fields):
    options = {"sample_num": len(samples), "method_options": FULL, **fields}
    return ScaffoldingLLM(worker=FunctionWorker(in_turn(*samples * 9).function, max_concurrency=1), **options)


EACH = pytest.mark.parametrize("make", [wrapped, own])


def votes(response):
    return sorted(response.raw["votes"].values(), reverse=True)


class TestAsAField:
    @EACH
    async def test_by_its_name(self, make):
        llm = make(*SAMPLES, answers="number")
        responses = [llm.chat(CHAT), await llm.achat(CHAT), llm.complete("q"), [*llm.stream_chat(CHAT)][-1]]
        for response in responses:
            assert response.raw["votes"] == {"7": 2, "8": 1}
            assert votes(response) == [2, 1]
        assert votes(make(*SAMPLES).chat(CHAT)) == [1, 1, 1]

    @EACH
    @pytest.mark.parametrize("answers", [MAPPING, Answers("json", ignore=["why"])], ids=["mapping", "object"])
    def test_with_parameters(self, make, answers):
        samples = ['{"town": "Rome", "why": 1}', '{"town": "Rome", "why": 2}', '{"town": "Bern", "why": 2}']
        assert votes(make(*samples, answers=answers).chat(CHAT)) == [2, 1]
        assert votes(make(*samples, answers="json").chat(CHAT)) == [1, 1, 1]

    @EACH
    def test_as_a_pair_of_ones_own(self, make):
        assert votes(make("A", "a", "a", answers=(WholeText(), Exact())).chat(CHAT)) == [2, 1]
        assert votes(make("The answer is Rome.", "rome", answers=(None, Exact())).chat(CHAT)) == [1, 1]
        assert votes(make("So it is Rome", "rome", "Rome", answers=(WholeText(), None)).chat(CHAT)) == [2, 1]

    @EACH
    @pytest.mark.parametrize("answers", ["auto", (None, Exact()), None], ids=["auto", "equivalence", "nothing"])
    def test_unless_told_samples_are_read_as_llamaindexs_components_read_them(self, make, answers):
        samples = ["It is good, 5 of 5. [[A]]", "So [[A]]", "[[B]] 5"]
        assert votes(make(*samples, answers=answers).chat(CHAT)) == [2, 1]

    @EACH
    def test_an_extractor_or_an_equivalence_of_ones_own_takes_the_place_of_the_kinds(self, make):
        options = {**FULL, "extractor": WholeText()}
        assert votes(make(*SAMPLES, answers="number", method_options=options).chat(CHAT)) == [1, 1, 1]
        options = {**FULL, "equivalence": Exact()}
        assert votes(make("It is 7.0", "It is 7", answers="number", method_options=options).chat(CHAT)) == [1, 1]

    def test_each_candidate_tells_how_it_was_read(self):
        response = own("The answer is 7", "\\boxed{7}", "no idea", "4.0\nIt is as good as it gets.").chat(CHAT)
        assert [candidate["read_as"] for candidate in response.raw["candidates"]] == [
            "stated",
            "boxed",
            "refusal" if response.raw["candidates"][2]["answer"] is None else "whole",
            "score line",
        ]

    def test_a_method_of_ones_own_gets_it(self):
        method = MajorityVoteController(NativeChatController(), 3, stop_rule="full")
        llm = ScaffoldingLLM(method, worker=in_turn(*SAMPLES), answers="number")
        assert votes(llm.chat(CHAT)) == [2, 1]

    @pytest.mark.parametrize(
        ("fields", "says"),
        [
            ({"answers": "numbr"}, "there are: auto, number"),
            ({"answers": {"kind": "number", "choices": ["A"]}}, "do not take this"),
            ({"answers": {"price": "number"}}, "a mapping with a 'kind'"),
            ({"answers": (WholeText(),)}, "a pair of extractor and equivalence"),
            ({"answers": (WholeText, None)}, "extractor must be an instance"),
            ({"answers": "number", "method": "direct"}, "'direct' takes no answers"),
            ({"answers": "number", "method": NativeChatController()}, "NativeChatController takes no answers"),
            ({"answers": "number", "method": "retry_with_feedback", "reward": max}, "takes no answers"),
            ({"answers": "number", "method_options": {"answers": "math"}}, "given twice"),
            ({"answers": "number", "method": "field_vote"}, "a kind for each field"),
            ({"answers": {"price": "numbr"}, "method": "field_vote"}, "no kind of answer is named 'numbr'"),
        ],
    )
    def test_what_does_not_fit_is_refused_at_once(self, fields, says):
        with pytest.raises(InvalidRequestError, match=says):
            ScaffoldingLLM(worker=in_turn("7"), **fields)


class TestPerCall:
    @EACH
    async def test_it_goes_before_the_field(self, make):
        llm = make(*SAMPLES, answers="whole")
        for response in (llm.chat(CHAT, answers="number"), await llm.achat(CHAT, answers={"kind": "number"})):
            assert votes(response) == [2, 1]
        assert votes(llm.complete("q", answers=Answers("number"))) == [2, 1]
        assert votes([*llm.stream_chat(CHAT, answers="number")][-1]) == [2, 1]
        assert votes(llm.chat(CHAT)) == [1, 1, 1]

    @EACH
    def test_so_do_an_extractor_and_an_equivalence_of_ones_own(self, make):
        llm = make(*SAMPLES, answers="number")
        assert votes(llm.chat(CHAT, extractor=WholeText())) == [1, 1, 1]
        assert votes(make("It is 7.0", "It is 7", answers="number").chat(CHAT, equivalence=Exact())) == [1, 1]

    @EACH
    def test_answers_of_a_call_go_before_an_extractor_of_the_models(self, make):
        llm = make(*SAMPLES, method_options={"extractor": WholeText(), **FULL})
        assert votes(llm.chat(CHAT)) == [1, 1, 1]
        assert votes(llm.chat(CHAT, answers="number")) == [2, 1]

    @EACH
    @pytest.mark.parametrize(
        "given",
        [{"answers": "number"}, {"extractor": WholeText()}, {"equivalence": Exact()}],
        ids=lambda g: next(iter(g)),
    )
    def test_a_method_that_compares_nothing_refuses_them(self, make, given):
        with pytest.raises(InvalidRequestError, match=f"'direct' takes no {next(iter(given))}"):
            make("7", method="direct", sample_num=None, method_options={}).chat(CHAT, **given)

    def test_they_never_reach_the_wrapped_llm(self):
        llm = wrapped(*SAMPLES)
        llm.chat(CHAT, answers="number", extractor=WholeText(), equivalence=Exact(), top_k=3)
        assert llm.llm.record.kwargs == [{"top_k": 3}] * 3

    @EACH
    def test_an_unknown_kind_is_refused(self, make):
        with pytest.raises(InvalidRequestError, match="there are: auto, number"):
            make(*SAMPLES).chat(CHAT, answers="numbr")

    def test_another_method_of_the_call_takes_the_field_where_it_can(self):
        llm = own(*SAMPLES, answers="number", reward=lambda prompt, answer: len(answer), method_options={})
        assert votes(llm.chat(CHAT, method="best_of_n")) == [2, 1]
        assert llm.chat(CHAT, method="direct", sample_num=None).message.content in SAMPLES


class TestInOneLine:
    def test_a_vote(self):
        llm = with_majority_vote(ScriptedLLM(answers=SAMPLES), n=3, answers="number", stop_rule="full")
        assert llm.chat(CHAT).raw["votes"] == {"7": 2, "8": 1}

    def test_the_best_of_several_tells_its_support(self):
        def reward(prompt, answer):
            return answer.startswith("There")

        response = with_best_of_n(ScriptedLLM(answers=SAMPLES), reward, 3, answers="number").chat(CHAT)
        assert (response.message.content, response.raw["agreement"]) == (SAMPLES[1], pytest.approx(2 / 3))
        assert with_best_of_n(ScriptedLLM(answers=SAMPLES), reward, 3).chat(CHAT).raw["agreement"] is None

    def test_thoughts_before_an_answer(self):
        llm = with_chain_of_thought(ScriptedLLM(answers=[SAMPLES[1]]), answers="number")
        assert llm.chat(CHAT).raw["answer"] == "7"


class Price(BaseModel):
    """What something costs."""

    item: str
    price: str
    why: str = ""


PRICES = [("Tea", "about 7", "a"), ("tea", "7", "b"), ("tea", "8", "c")]


def prices(make=tool_call):
    return [make("Price", item=item, price=price, why=why) for item, price, why in PRICES]


class TestStructures:
    def test_a_kind_a_field(self):
        fields = {"method": "field_vote", "answers": {"price": "number", "item": "text"}}
        llm = wrapped(*prices(), **fields)
        response = llm.as_structured_llm(Price).chat(CHAT)
        assert response.raw.price in ("7", "about 7")
        told = response.additional_kwargs["scaffolding"]["data"]["fields"]
        assert (told["item"], told["price"]) == (1.0, pytest.approx(2 / 3))

    def test_a_kind_a_field_per_call(self):
        llm = wrapped(*prices(), method="field_vote").as_structured_llm(Price)
        told = llm.chat(CHAT, answers={"price": "number"}).additional_kwargs["scaffolding"]["data"]["fields"]
        assert told["price"] == pytest.approx(2 / 3)
        with pytest.raises(InvalidRequestError, match="a kind for each field"):
            llm.chat(CHAT, answers="number")

    @pytest.mark.parametrize("answers", [{"kind": "json", "only": ["item"]}, {"kind": "json", "key": "item"}])
    def test_what_counts_of_a_whole(self, answers):
        prompt = PromptTemplate("How much?")
        for llm in (wrapped(*prices(), answers=answers), own(*prices(text), answers=answers)):
            assert llm.structured_predict(Price, prompt) is not None
            response = llm.as_structured_llm(Price).chat(CHAT)
            assert response.additional_kwargs["scaffolding"]["agreement"] == 1.0
        response = wrapped(*prices()).as_structured_llm(Price).chat(CHAT, answers=answers)
        assert response.additional_kwargs["scaffolding"]["agreement"] == 1.0

    def test_by_default_all_of_a_users_own_counts(self):
        response = wrapped(*prices()).as_structured_llm(Price).chat(CHAT)
        assert response.additional_kwargs["scaffolding"]["agreement"] == pytest.approx(1 / 3)

    def test_what_explains_is_a_field_as_any_other_where_each_is_voted_on(self):
        samples = [
            tool_call("SingleSelection", index=index, reason=why) for index, why in ((1, "a"), (2, "b"), (2, "a"))
        ]
        selection = wrapped(*samples, method="field_vote").structured_predict(
            SingleSelection, PromptTemplate("Which?")
        )
        assert selection == SingleSelection(index=2, reason="a")
        selection = wrapped(*samples).structured_predict(SingleSelection, PromptTemplate("Which?"))
        assert selection.index == 2

    def test_a_sample_that_the_class_refuses_has_no_vote_whatever_the_kind(self):
        refused = tool_call("Price", item="tea")
        llm = wrapped(refused, refused, *prices(), answers={"kind": "json", "only": ["item"]})
        response = llm.as_structured_llm(Price).chat(CHAT)
        assert sum(response.additional_kwargs["scaffolding"]["votes"].values()) == 3
        assert response.raw.item.lower() == "tea"


def text(name, **fields):
    return json.dumps(fields)


def weather(city: str) -> str:
    """The weather of a city."""
    return f"7 degrees in {city}"


async def test_agents_act_as_ever_and_answer_by_the_kind(events):
    samples = [calls(("weather", f'{{"city": "{city}"}}')) for city in ("Rome", "Bern", "Bern")]
    llm = voting(samples, SAMPLES, tools=True, sample_num=3, answers="number")
    result = await FunctionAgent(tools=[weather], llm=llm).run("How warm is it?")
    assert [call.tool_kwargs for call in result.tool_calls] == [{"city": "Bern"}]
    assert agreements(events) == [pytest.approx(2 / 3)] * 2


async def test_what_counts_of_calls_can_be_said(events):
    def find(town: str, why: str) -> str:
        """Finds a town."""
        return town

    samples = [
        calls(("find", f'{{"town": "{town}", "why": "{why}"}}'))
        for town, why in (("A", "1"), ("B", "2"), ("B", "3"))
    ]
    for answers, agreement in (("calls", 1 / 3), ({"kind": "calls", "ignore": ["why"]}, 2 / 3)):
        llm = voting(samples, "Done.", tools=True, sample_num=3, answers=answers)
        assert llm.chat_with_tools([FunctionTool.from_defaults(find)], "q").raw["agreement"] == pytest.approx(
            agreement
        )


async def test_a_step_of_a_workflow_may_say_it():
    class Ask(Workflow):
        @step
        async def answer(self, ctx: Context, ev: StartEvent) -> StopEvent:
            response = await run_method(ctx, own(*SAMPLES), "How many?", answers="number")
            return StopEvent(result=response.raw["votes"])

    assert await Ask().run() == {"7": 2, "8": 1}


class TestQueryEngines:
    @staticmethod
    def engine(*texts, **options):
        engines = [KnownEngine(text, ["only 7 of them"]) for text in texts]
        return ScaffoldingQueryEngine(engines, sample_num=len(texts), **options)

    async def test_by_its_name(self):
        engine = self.engine(*SAMPLES, answers="number", stop_rule="full")
        for response in (engine.query("q"), await engine.aquery("q")):
            assert response.metadata["scaffolding"]["votes"] == {"7": 2, "8": 1}

    async def test_support_looks_up_what_the_kind_finds(self):
        strict = SourceSupport(1.0)
        engine = self.engine(*SAMPLES, answers="number", stop_rule="full", support=strict)
        told = (await engine.aquery("q")).metadata["scaffolding"]
        assert told["votes"] == {"7": 2}
        assert "the number 8" in told["candidates"][2]["error"]
        whole = self.engine(SAMPLES[1], answers="whole", support=strict)
        with pytest.raises(Exception, match="has no support"):
            await whole.aquery("q")

    async def test_support_asks_a_method_of_ones_own_what_it_reads(self):
        method = MajorityVoteController(NativeChatController(), 1, answers="number")
        engine = ScaffoldingQueryEngine(KnownEngine(SAMPLES[1], ["only 7"]), method, support=SourceSupport(1.0))
        assert (await engine.aquery("q")).metadata["scaffolding"]["votes"] == {"7": 1}

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"answers": "numbr"}, "there are: auto, number"),
            ({"answers": "number", "method": "direct"}, "unexpected keyword argument 'answers'"),
            (
                {"answers": "number", "method": MajorityVoteController(NativeChatController())},
                "give 'answers' to the controller",
            ),
        ],
    )
    def test_what_does_not_fit_is_refused_at_once(self, given, says):
        with pytest.raises(InvalidRequestError, match=says):
            self.engine("7", **given)


PLAIN = ["number", MAPPING, Answers("json", ignore=["why"])]


class TestAsPlainData:
    @pytest.mark.parametrize("answers", PLAIN, ids=["name", "mapping", "object"])
    def test_a_kind_goes_there_and_back(self, answers):
        llm = ScaffoldingLLM.wrap(MockLLM(), sample_num=2, answers=answers)
        again = ScaffoldingLLM.from_dict(json.loads(llm.to_json()))
        assert Answers.of(again.answers) == Answers.of(answers)
        assert again.to_dict() == llm.to_dict()

    def test_so_do_kinds_of_fields(self):
        llm = ScaffoldingLLM("field_vote", answers={"price": Answers("number"), "why": {"kind": "text"}})
        again = ScaffoldingLLM.from_dict(json.loads(llm.to_json()))
        assert again.answers == {"price": {"kind": "number"}, "why": {"kind": "text"}}

    @pytest.mark.parametrize(
        "answers",
        [(WholeText(), None), Answers.pair(None, Exact()), {"price": (None, Exact())}],
        ids=["pair", "object", "field"],
    )
    def test_a_pair_of_ones_own_must_be_given_again(self, answers):
        fields = {"method": "field_vote" if isinstance(answers, dict) else "majority_vote", "answers": answers}
        data = json.loads(ScaffoldingLLM(**fields).to_json())
        with pytest.raises(InvalidRequestError, match="pass answers= to from_dict"):
            ScaffoldingLLM.from_dict(data)
        assert ScaffoldingLLM.from_dict(data, answers=answers).answers == answers

    @pytest.mark.parametrize("answers", [*PLAIN, (WholeText(), None)], ids=["name", "mapping", "object", "pair"])
    def test_pickled_and_copied(self, answers):
        llm = ScaffoldingLLM.wrap(MockLLM(), sample_num=2, answers=answers, method_options=FULL)
        for again in (pickle.loads(pickle.dumps(llm)), copy.deepcopy(llm), llm.model_copy()):
            assert type(again.answers) is type(answers)
            assert again.complete('{"a": 7, "why": 1}').raw["agreement"] == 1.0
