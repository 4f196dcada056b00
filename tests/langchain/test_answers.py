"""What kind of answer is asked for: on models, Runnables and wrappers, for one call, and by configuration.

On a scripted model, since the samples of a vote must be known; on the scripted server for models of one's own.
"""

import asyncio
import itertools
import pickle

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.load import dumps
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph

from langchain_scaffolding import (
    ChatScaffolding,
    ScaffoldingLLM,
    ScaffoldingRunnable,
    with_best_of_n,
    with_chain_of_thought,
    with_majority_vote,
)
from langchain_scaffolding.middleware import ScaffoldingMiddleware
from scaffolding_core import (
    Answers,
    Exact,
    FromFunction,
    InvalidRequestError,
    KeyEquivalence,
    MajorityVoteController,
    NativeChatController,
    Numeric,
    WholeText,
)
from scaffolding_core.answers import KINDS
from tests.langchain.doubles import FULL, KnownLLM, Scripted, each_way, voted
from tests.servers.scripted import Reply, scripted_server

SAMPLES = ["I think 8.", "I think 8.", "The answer is 7.", "It must be 7.0", "So: 7"]
"""Most give the number 7, most whole texts are 8; in whatever order, since samples run at the same time."""

NUMBER, WHOLE = {"7": 3, "8": 2}, {"I think 8.": 2, "The answer is 7.": 1, "It must be 7.0": 1, "So: 7": 1}
"""The votes."""

LENGTH = FromFunction(len)


class Alike(KeyEquivalence):
    """All answers are the same."""

    def key(self, answer):
        return 0


@tool
def add(a: int) -> int:
    """Adds."""
    return a


def told(message):
    return message.response_metadata["scaffolding"]


def votes(message):
    """Its votes, numbers by their value."""
    given = told(message)["votes"]
    return {"7" if answer == "7.0" else answer: count for answer, count in given.items()}


def kind_of(text):
    """Which kind of answer won."""
    return "number" if "7" in text else "whole"


@pytest.mark.parametrize(
    ("answers", "won"),
    [
        ("number", "number"),
        ("whole", "whole"),
        (Answers("number"), "number"),
        ({"kind": "number"}, "number"),
        ((FromFunction(lambda text: text[-3:].strip("o .:")), Numeric()), "number"),
        ((WholeText(), None), "whole"),
    ],
)
async def test_a_model_compares_the_kind_of_answer_that_was_asked_for(answers, won):
    model, _ = voted(SAMPLES, answers=answers)
    async for message in each_way(model, "q"):
        assert kind_of(message.text) == won


@pytest.mark.parametrize("kind", ["number", "whole"])
async def test_completion_models_and_chains_take_it_too(kind):
    fields = {"sample_num": 5, "method_options": FULL, "answers": kind}
    completion = ScaffoldingLLM.wrap(KnownLLM(answers=SAMPLES), **fields)
    texts = [completion.invoke("q"), await completion.ainvoke("q"), "".join(completion.stream("q"))]
    texts.append("".join([piece async for piece in completion.astream("q")]))
    chain = ScaffoldingRunnable.wrap(Scripted(answers=SAMPLES) | StrOutputParser(), **fields)
    texts += [chain.invoke("q").text, (await chain.ainvoke("q")).text]
    texts += [
        list(chain.stream("q"))[-1].output.text,
        [event async for event in chain.astream("q")][-1].output.text,
    ]
    texts.append((ChatPromptTemplate.from_template("{q}") | chain.chosen()).invoke({"q": "?"}))
    assert {kind_of(text) for text in texts} == {kind}


def test_the_wrappers_take_it():
    def samples(wrap, *args, **options):
        return wrap(Scripted(answers=SAMPLES), *args, **options).invoke("q")

    assert votes(samples(with_majority_vote, 5, answers="number", stop_rule="full")) == NUMBER
    assert votes(samples(with_majority_vote, 5, answers="whole", stop_rule="full")) == WHOLE
    assert votes(samples(with_majority_vote, 5, extractor=LENGTH, stop_rule="full"))["10"] == 2
    assert votes(samples(with_best_of_n, lambda prompt, answer: 1.0, 5, answers="number")) == NUMBER
    assert told(samples(with_best_of_n, lambda prompt, answer: 1.0, 5))["agreement"] is None
    assert told(samples(with_chain_of_thought, answers="number"))["answer"] == "8"
    assert told(samples(with_chain_of_thought, answers="whole"))["answer"] == "I think 8."
    chain = with_majority_vote(Scripted(answers=SAMPLES) | StrOutputParser(), 5, answers="number")
    assert kind_of(chain.invoke("q")) == "number"


def test_it_is_told_how_each_sample_was_read():
    model, _ = voted(SAMPLES, answers="whole", stream_candidates="reasoning")
    details = told(model.invoke("q"))
    assert details["votes"] == WHOLE
    assert sorted(candidate["answer"] for candidate in details["candidates"]) == sorted(SAMPLES)
    how = {candidate["read_as"] for candidate in details["candidates"]}
    assert "" not in how
    blocks = [block for chunk in model.stream("q") for block in chunk.content_blocks if "extras" in block]
    assert {block["extras"]["read_as"] for block in blocks} == how


# For one call.


@pytest.fixture(params=["wrapped", "own"])
def model_of(request):
    """Makes a model whose samples are known, wrapped or of a server."""
    drawn = itertools.cycle(SAMPLES)
    with scripted_server(lambda body: Reply((next(drawn),))) as server:

        def make(**fields):
            if request.param == "wrapped":
                return voted(SAMPLES, **fields)[0]
            fields = {"sample_num": 5, "method_options": FULL, "seed": 1, **fields}  # a request for each sample
            return ChatScaffolding(base_url=server.url, **fields)

        yield make


async def test_the_kind_can_be_named_for_one_call(model_of):
    model = model_of(answers="whole")
    async for message in each_way(model, "q", answers="number"):
        assert votes(message) == NUMBER
    assert votes(model.invoke("q")) == WHOLE
    assert votes(model.bind(answers="number").invoke("q")) == NUMBER


async def test_an_extractor_and_an_equivalence_of_ones_own_serve_one_call(model_of):
    model = model_of()
    async for message in each_way(model, "q", extractor=LENGTH):
        assert votes(message) == {"10": 2, "16": 1, "14": 1, "5": 1}
    same = told(model.invoke("q", equivalence=Alike(), answers="whole"))
    assert (same["agreement"], sorted(each["answer"] for each in same["candidates"])) == (1, sorted(SAMPLES))
    assert told(model.invoke("q", answers=(FromFunction(lambda text: "x"), None)))["agreement"] == 1


def test_nothing_of_it_reaches_the_wrapped_model():
    model, inner = voted(SAMPLES)
    model.invoke("q", answers="number", extractor=LENGTH, equivalence=Exact(), top_k=3)
    assert all(kwargs == {"stop": None, "top_k": 3} for _, kwargs in inner.calls)


def test_chains_and_completion_models_take_it_for_one_call():
    chain = ScaffoldingRunnable.wrap(Scripted(answers=SAMPLES), sample_num=5, method_options=FULL)
    completion = ScaffoldingLLM.wrap(KnownLLM(answers=SAMPLES), sample_num=5, method_options=FULL)
    for kind in ("number", "whole"):
        assert kind_of(chain.invoke("q", answers=kind).text) == kind
        assert kind_of(completion.invoke("q", answers=kind)) == kind
        assert [kind_of(text) for text in completion.batch(["q", "r"], answers=kind)] == [kind] * 2
    assert chain.invoke("q", extractor=LENGTH).answer == 10


# By configuration.


@pytest.mark.parametrize("tools", [False, True])
async def test_it_is_configurable_with_and_without_tools(tools):
    model, _ = voted(SAMPLES, answers="whole")
    named = model.configurable_fields(answers=ConfigurableField(id="kind"))
    model, named = (each.bind_tools([add]) if tools else each for each in (model, named))
    for runnable, name in ((model, "answers"), (named, "kind")):
        config = {"configurable": {name: "number"}}
        assert votes(runnable.invoke("q")) == WHOLE
        assert votes(runnable.invoke("q", config)) == NUMBER
        assert votes(await runnable.ainvoke("q", config)) == NUMBER
        assert kind_of("".join(chunk.text for chunk in runnable.stream("q", config))) == "number"
        assert votes(runnable.with_config(configurable={name: "number"}).invoke("q")) == NUMBER
    assert votes(model.invoke("q", {"configurable": {"answers": "number"}}, answers="whole")) == WHOLE


async def test_configuration_of_a_chain_or_graph_around_reaches_it():
    config = {"configurable": {"answers": "whole"}}
    completion = ScaffoldingLLM.wrap(KnownLLM(answers=SAMPLES), sample_num=5, answers="number")
    model, _ = voted(SAMPLES, answers="number")
    for each in (model, completion):
        chain = ChatPromptTemplate.from_template("{q}") | each | StrOutputParser()
        assert kind_of(chain.invoke({"q": "?"}, config)) == "whole"
        assert kind_of(await chain.ainvoke({"q": "?"}, config)) == "whole"
    sampler = ScaffoldingRunnable.wrap(Scripted(answers=SAMPLES), sample_num=5, answers="number")
    assert kind_of(sampler.invoke("q", config).text) == "whole"
    named, chosen = ConfigurableField(id="kind"), {"configurable": {"kind": "whole"}}
    assert kind_of(sampler.configurable_fields(answers=named).invoke("q", chosen).text) == "whole"
    assert kind_of(completion.configurable_fields(answers=named).invoke("q", chosen)) == "whole"

    graph = StateGraph(MessagesState)
    graph.add_node("answer", lambda state: {"messages": [model.invoke(state["messages"])]})
    app = graph.add_edge(START, "answer").compile()
    assert votes(app.invoke({"messages": [("human", "q")]}, config)["messages"][-1]) == WHOLE


async def test_it_is_for_the_outermost_method_not_for_those_inside_its_samples():
    inside, _ = voted(SAMPLES, answers="whole")
    around = ChatScaffolding.wrap(inside, sample_num=1)
    config = {"configurable": {"answers": "number"}}
    assert told(around.invoke("q", config))["answer"] == told(await around.ainvoke("q", config))["answer"] == "8"


# What is refused.

MADE = [
    pytest.param(lambda **fields: voted(SAMPLES, **fields)[0], id="chat"),
    pytest.param(lambda **fields: ScaffoldingLLM.wrap(KnownLLM(answers=SAMPLES), **fields), id="completion"),
    pytest.param(lambda **fields: ScaffoldingRunnable.wrap(RunnableLambda(str), **fields), id="chain"),
    pytest.param(ScaffoldingMiddleware, id="middleware"),
]


@pytest.mark.parametrize("make", MADE)
def test_what_is_no_kind_of_answer_is_refused_when_the_model_is_made(make):
    with pytest.raises(InvalidRequestError) as unknown:
        make(answers="nummer")
    assert all(name in str(unknown.value) for name in ("nummer", *KINDS))
    for wrong, said in (
        ({"kind": "number", "colour": "red"}, "colour"),
        ({"choices": ["A", "B"]}, "kind"),
        (5, "kind"),
        ((Exact(), WholeText()), "extractor"),
        ((WholeText, None), "instance"),
    ):
        with pytest.raises(InvalidRequestError, match=said):
            make(answers=wrong)


class Echo(NativeChatController):
    """A method of one's own, which compares nothing."""


@pytest.mark.parametrize("make", [each.values[0] for each in MADE])
def test_a_method_that_takes_no_answers_refuses_them_when_it_is_made(make):
    rewarded = {"reward": lambda prompt, answer: 1.0}
    for method, fields in (("direct", {}), ("retry_with_feedback", rewarded), (Echo(), {})):
        with pytest.raises(InvalidRequestError, match="takes no answers: leave it out"):
            make(method=method, answers="number", sample_num=None, method_options={}, **fields)


async def test_a_method_that_takes_no_answers_refuses_them_when_it_is_called():
    for model in (
        ChatScaffolding.wrap(Scripted(answers=["7"]), "direct"),
        ScaffoldingLLM.wrap(KnownLLM(answers=["7"]), "direct"),
        ScaffoldingRunnable.wrap(RunnableLambda(str), "direct"),
    ):
        for name, value in (("answers", "number"), ("extractor", LENGTH), ("equivalence", Exact())):
            with pytest.raises(InvalidRequestError, match=f"'direct' takes no {name}"):
                model.invoke("q", **{name: value})
            with pytest.raises(InvalidRequestError, match=f"'direct' takes no {name}"):
                await model.ainvoke("q", **{name: value})
        with pytest.raises(InvalidRequestError, match="takes no answers"):
            model.invoke("q", {"configurable": {"answers": "number"}})
        assert model.invoke("q") is not None
    best = with_best_of_n(Scripted(answers=["7"]), lambda prompt, answer: 1.0, 1)
    with pytest.raises(InvalidRequestError, match="'best_of_n' takes no extractor"):
        best.invoke("q", extractor=LENGTH)


def test_the_kind_of_the_models_own_method_is_not_that_of_another_method_for_one_call():
    model, inner = voted(["I think 8."], answers="number")
    assert model.invoke("q", method="direct").text == "I think 8."
    assert told(model.invoke("q", method="chain_of_thought", answers="whole"))["answer"] == "I think 8."
    assert len(inner.calls) == 2


def test_a_controller_takes_it_as_a_method_by_name_does():
    controller = MajorityVoteController(NativeChatController(), 5, stop_rule="full", answers="number")
    assert votes(ChatScaffolding.wrap(Scripted(answers=SAMPLES), controller, answers="whole").invoke("q")) == WHOLE
    assert votes(ChatScaffolding.wrap(Scripted(answers=SAMPLES), controller).invoke("q")) == NUMBER


def test_a_vote_on_fields_takes_a_kind_for_each():
    texts = ['{"price": "it is 5", "day": "x"}', '{"price": "just 5.0", "day": "x"}', '{"price": 6, "day": "y"}']
    model, _ = voted(texts, method="field_vote", answers={"price": "number", "day": {"kind": "whole"}})
    assert told(model.invoke("q"))["data"]["fields"] == {"price": 2 / 3, "day": 2 / 3}
    assert told(model.invoke("q", answers={"price": "whole"}))["data"]["fields"]["price"] == 1 / 3
    for wrong in ("number", {"price": "nummer"}):
        with pytest.raises(InvalidRequestError, match="a kind for each field|nummer"):
            voted(texts, method="field_vote", answers=wrong)
        with pytest.raises(InvalidRequestError, match="a kind for each field|nummer"):
            model.invoke("q", answers=wrong)


# Where models are compared, cached and copied.


@pytest.fixture
def cache():
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(None)


KINDS_OF_THE_CALL = [
    {},
    {"answers": "number"},
    {"answers": "whole"},
    {"answers": {"kind": "choice", "choices": ["7", "8"]}},
    {"answers": {"kind": "choice", "choices": ["8", "9"]}},
    {"answers": Answers.pair(WholeText(), Numeric())},
    {"answers": Answers.pair(WholeText(), Exact())},
    {"answers": (WholeText(), None)},
    {"answers": (FromFunction(len), None)},
    {"answers": (FromFunction(str.upper), None)},
    {"answers": (FromFunction(lambda text: text), None)},
    {"answers": (FromFunction(lambda text: text[0]), None)},
]


@pytest.mark.parametrize("kind", [ChatScaffolding, ScaffoldingLLM])
def test_a_cache_tells_kinds_of_answer_apart(cache, kind):
    inner = Scripted(answers=SAMPLES) if kind is ChatScaffolding else KnownLLM(answers=SAMPLES)
    for _ in range(2):
        for given in KINDS_OF_THE_CALL:
            kind.wrap(inner, sample_num=5, method_options=FULL, **given).invoke("q")
        assert len(inner.calls) == 5 * len(KINDS_OF_THE_CALL)


@pytest.mark.parametrize("kind", [ChatScaffolding, ScaffoldingLLM])
def test_a_cache_tells_the_kinds_of_single_calls_apart(cache, kind):
    inner = Scripted(answers=SAMPLES) if kind is ChatScaffolding else KnownLLM(answers=SAMPLES)
    model = kind.wrap(inner, sample_num=5, method_options=FULL)
    calls = [*KINDS_OF_THE_CALL, {"equivalence": Exact()}, {"extractor": WholeText()}]
    for _ in range(2):
        for given in calls:
            model.invoke("q", **given)
        assert len(inner.calls) == 5 * len(calls)


def test_functions_are_told_apart_that_lie_at_one_place_one_after_another():
    def another(number):
        return FromFunction(lambda text: number)

    chat, _ = voted(SAMPLES)
    completion = ScaffoldingLLM.wrap(KnownLLM(answers=SAMPLES))
    assert len({chat._get_llm_string(extractor=another(number)) for number in range(100)}) == 100
    told_apart = {str(completion._of_call({"extractor": another(n)})._identifying_params) for n in range(100)}
    assert len(told_apart) == 100


def test_what_is_written_of_a_model_holds_it():
    for answers in ("number", {"kind": "choice", "choices": ["A", "B"]}):
        model, _ = voted(SAMPLES, answers=answers)
        assert model.model_dump()["answers"] == answers
        assert str(model._identifying_params["answers"]) in str(model.asdict())
        assert "not_implemented" in dumps(model)


def test_a_pickled_and_a_copied_model_keep_it():
    for answers in ("number", Answers("number"), (WholeText(), Exact())):
        model, _ = voted(SAMPLES, answers=answers)
        expected = votes(model.invoke("q"))
        assert votes(pickle.loads(pickle.dumps(model)).invoke("q")) == expected
        assert votes(model.model_copy(update={"answers": "whole"}).invoke("q")) == WHOLE


# What a model thinks is no answer.


@pytest.mark.parametrize(
    "thought",
    [
        {"type": "thinking", "thinking": "Is it 5? No."},
        {"type": "reasoning", "reasoning": "The answer is 5?"},
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "The answer is 5."}]},
        {"type": "redacted_thinking", "data": "5"},
    ],
)
async def test_thoughts_in_blocks_of_their_own_are_never_read(thought):
    def says(text):
        return AIMessage([thought, {"type": "text", "text": text}])

    inner = Scripted(answers=[says("8"), says("7"), says("7"), AIMessage([thought])])
    for answers in (None, "number"):
        model = ChatScaffolding.wrap(inner, sample_num=4, method_options=FULL, answers=answers)
        async for message in each_way(model, "q"):
            details = told(message)
            assert (details["answer"], details["votes"]) == ("7", {"7": 2, "8": 1})
            assert sorted(candidate["votes"] for candidate in details["candidates"]) == [0, 1, 2, 2]


async def test_thoughts_beside_the_text_are_never_read():
    said = [AIMessage(text, additional_kwargs={"reasoning_content": "The answer is 5."}) for text in "877"]
    model, _ = voted(said)
    assert told(await asyncio.to_thread(model.invoke, "q"))["votes"] == {"7": 2, "8": 1}
