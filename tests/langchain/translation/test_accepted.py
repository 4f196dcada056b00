"""Votes on tool calls: what a tool would refuse has no vote, and what it gets is compared.

On scripted models, since the calls of a vote must be known; agents are LangChain's own.
"""

import itertools
import json
import pickle
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, StructuredTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from pydantic import BaseModel, field_validator
from typing_extensions import TypedDict

from langchain_scaffolding import ChatScaffolding, with_best_of_n, with_majority_vote
from langchain_scaffolding.middleware import ScaffoldingMiddleware, ToolCallVoteMiddleware
from scaffolding_core import InvalidRequestError, ToolCalls
from tests.langchain.accepting import VISITS, Visit, calls, told
from tests.langchain.agents import Steps, ai_messages, open_ai, run, says, tool_messages, wants
from tests.langchain.doubles import FULL, Scripted, each_way, voted
from tests.servers.scripted import scripted_server


class Booking(BaseModel):
    """Book a table."""

    town: str
    seats: int = 2
    day: date | None = None


class Book(BaseTool):
    name: str = "book"
    description: str = "Book a table."
    args_schema: Any = Booking

    def _run(self, town, seats=2, day=None):
        return f"{seats} in {town}"


@tool("book")
def decorated(town: str, seats: int = 2, day: date | None = None) -> str:
    """Book a table."""
    return f"{seats} in {town}"


def book(town: str, seats: int = 2, day: date | None = None) -> str:
    """Book a table.

    Args:
        town: where.
        seats: how many.
        day: when.
    """
    return f"{seats} in {town}"


class BookClass(Booking):
    """Book a table."""

    model_config = {"title": "book"}


class BookDict(TypedDict):
    """Book a table."""

    town: Annotated[str, ..., "where"]
    seats: Annotated[int, 2, "how many"]
    day: Annotated[str | None, None, "when"]


BookDict.__name__ = "book"

SHAPE = convert_to_openai_tool(book)
SCHEMA = SHAPE["function"]["parameters"]

TOOLS = [
    pytest.param(Book(), id="a tool with a schema"),
    pytest.param(decorated, id="a decorated function"),
    pytest.param(book, id="a function"),
    pytest.param(BookClass, id="a pydantic class"),
    pytest.param(BookDict, id="a TypedDict"),
    pytest.param(SHAPE, id="OpenAI's shape"),
    pytest.param({"name": "book", "description": "", "input_schema": SCHEMA}, id="Anthropic's shape"),
    pytest.param({"title": "book", "description": "", **SCHEMA}, id="a JSON schema"),
    pytest.param(
        StructuredTool(name="book", description="", args_schema=SCHEMA, func=book), id="a tool of a server"
    ),
]

NICE = [calls(town="Nice"), calls(town="Nice", seats="2"), calls(town="Nice", seats=2.0)]
REFUSED = [
    calls(town="Rome", seats="two"),
    calls(town=["Rome"]),
    calls(seats=2),
    calls("cook", town="Rome"),
    AIMessage("", tool_calls=[*calls(town="Nice").tool_calls, *calls("cook").tool_calls]),
    AIMessage("", invalid_tool_calls=[{"name": "book", "args": '{"town', "id": "1", "error": None}]),
]


@pytest.mark.parametrize("bound", TOOLS)
async def test_calls_vote_as_the_tool_gets_them_and_refused_ones_do_not(bound):
    model, _ = voted([*REFUSED, *NICE, calls(town="Oslo")])
    async for message in each_way(model.bind_tools([bound]), "q"):
        [call] = message.tool_calls
        assert call["args"]["town"] == "Nice"
        assert told(message)["votes"] == {
            "[['book', {'town': 'Nice'}]]": 3,
            "[['book', {'town': 'Oslo'}]]": 1,
        }
        assert told(message)["agreement"] == 3 / 4


async def test_a_model_of_a_server_reads_calls_as_the_tools_do():
    class Even(BaseModel):
        """Take a number."""

        number: int

        @field_validator("number")
        @classmethod
        def _is_even(cls, number):
            if number % 2:
                raise ValueError("not even")
            return number

    samples = itertools.cycle([wants(("Even", {"number": given})) for given in (3, 5, "4", 4, 6)])
    with scripted_server(lambda body: next(samples)) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=5, seed=1, method_options=FULL)
        async for message in each_way(model.bind_tools([Even]), "q"):
            assert told(message)["votes"] == {"[['Even', {'number': 4}]]": 2, "[['Even', {'number': 6}]]": 1}
        shape = convert_to_openai_tool(Even)
        for bound in (model.bind(tools=[shape]), model.bind_tools([shape])):
            assert sum(told(bound.invoke("q"))["votes"].values()) == 5  # its schema does not say which are even


def test_tools_that_are_bound_to_the_wrapped_model_are_known():
    samples = [calls(town="Rome", seats="two"), calls(town="Nice", seats="2"), calls("cook")]
    for tools in ([SHAPE], [{"name": "book", "input_schema": SCHEMA}]):
        model = with_majority_vote(Scripted(answers=samples).bind(tools=tools), 3, stop_rule="full")
        assert told(model.invoke("q"))["votes"] == {"[['book', {'town': 'Nice'}]]": 1}
        model = with_majority_vote(Scripted(answers=samples), 3, stop_rule="full")
        assert told(model.invoke("q", tools=tools))["votes"] == {"[['book', {'town': 'Nice'}]]": 1}
        assert sum(told(model.invoke("q"))["votes"].values()) == 3


def test_beside_a_tool_of_the_servers_own_other_names_may_be_its_tools():
    model, _ = voted([calls("cook"), calls("cook"), calls(town="Nice", seats="two")])
    bound = model.bind_tools([book, {"type": "web_search"}])
    assert told(bound.invoke("q"))["votes"] == {"[['cook', {}]]": 2}


def test_what_is_injected_is_not_the_models_to_write():
    class Order(BaseModel):
        """Order."""

        what: str
        call: Annotated[str, InjectedToolCallId]
        user: Annotated[str, InjectedToolArg]

        @field_validator("what")
        @classmethod
        def _known(cls, what):
            if what == "stone":
                raise ValueError("nobody eats that")
            return what

    @tool("order", args_schema=Order)
    def order(what, call, user):
        """Order."""

    model, _ = voted(
        [calls("order", what="soup"), calls("order", what="soup", user="somebody"), calls("order", what="stone")]
    )
    assert told(model.bind_tools([order]).invoke("q"))["votes"] == {"[['order', {'what': 'soup'}]]": 2}


def test_a_tool_that_validates_nothing_takes_anything():
    class Plain(BaseTool):
        name: str = "book"
        description: str = "Book."

        def _run(self, **anything):
            return ""

    model, _ = voted([calls(town=["x"]), calls(town=["x"]), calls("cook")])
    assert told(model.bind_tools([Plain()]).invoke("q"))["votes"] == {"[['book', {'town': ['x']}]]": 2}


def test_arguments_that_a_tool_does_not_name_count_if_it_gets_them():
    samples = [calls(town="Nice", more=more) for more in (1, 2)]
    for bound, agreement in ((book, 1 / 2), (SHAPE, 1 / 2), (decorated, 1), (BookClass, 1)):
        model, _ = voted(samples)
        assert told(model.bind_tools([bound]).invoke("q"))["agreement"] == agreement


async def test_where_every_call_would_be_refused_one_sample_is_the_result_with_no_agreement():
    model, _ = voted([calls(town="Rome", seats="two")] * 3)
    async for message in each_way(model.bind_tools([book]), "q"):
        assert message.tool_calls[0]["args"] == {"town": "Rome", "seats": "two"}
        assert (told(message)["agreement"], told(message)["votes"]) == (0, {})


def test_calls_and_texts_vote_side_by_side():
    model, _ = voted([calls(town="Nice"), "Where?", calls(town="Nice", text="Now:"), "Where?", "Where?"])
    assert model.bind_tools([book]).invoke("q").text == "Where?"
    model, _ = voted([calls(town="Nice"), "Where?", calls(town="Nice", text="Now:")])
    message = model.bind_tools([book]).invoke("q")
    assert (len(message.tool_calls), told(message)["agreement"]) == (1, 2 / 3)
    assert {each["read_as"] for each in told(message)["candidates"] if each["votes"] == 2} == {"calls"}


def test_which_arguments_count_can_be_said():
    samples = [calls(town="Nice", day=day) for day in ("2024-01-01", "2024-01-02")]
    model, _ = voted([*samples, calls(town="Rome", day="2024-01-01")])
    bound = model.bind_tools([book])
    for own in (ToolCalls(ignore=["day"]), ToolCalls(only=["town"])):
        assert told(bound.invoke("q", answers=(own, None)))["votes"]["[['book', {'town': 'Nice'}]]"] == 2
    assert told(bound.invoke("q"))["agreement"] == 1 / 3


def test_best_of_n_counts_calls_as_the_tool_gets_them():
    model = with_best_of_n(Scripted(answers=[*NICE, REFUSED[0]]), lambda prompt, answer: 1.0, 4, answers="auto")
    assert told(model.bind_tools([book]).invoke("q"))["votes"] == {"[['book', {'town': 'Nice'}]]": 3}


def test_a_model_with_tools_pickles():
    model, _ = voted([*REFUSED, *NICE])
    assert pickle.loads(pickle.dumps(model.bind_tools([Booking]))) is not None
    again = pickle.loads(pickle.dumps(model.bind_tools([SHAPE])))
    assert told(again.invoke("q"))["agreement"] == 1


# Agents.


def tables():
    """A tool of an agent, and what it was called with."""
    ran = []

    @tool("book")
    def book_table(town: str, seats: int = 2, state: Annotated[dict | None, InjectedState] = None) -> str:
        """Book a table."""
        ran.append((town, seats))
        return f"{seats} in {town}"

    return book_table, ran


STEP = [
    wants(("book", {"town": "Rome", "seats": "two"})),
    wants(("cook", {"town": "Rome"})),
    wants(("book", {"town": "Nice"})),
    wants(("book", {"town": "Nice", "seats": "2"})),
    wants(("book", {"town": "Oslo"})),
]


@pytest.mark.parametrize("how", ["sync", "async"])
@pytest.mark.parametrize("kind", ["model", "wrapped", "middleware"])
async def test_an_agent_runs_the_call_that_most_samples_want_of_those_that_can_be_run(how, kind, clients):
    book_table, ran = tables()
    with scripted_server(Steps([*STEP], [says("I think 8."), says("It is 7."), says("7.0")])) as server:
        fields = {"sample_num": 5, "method_options": FULL, "answers": "number"}
        if kind == "model":
            agent = create_agent(ChatScaffolding(base_url=server.url, seed=1, **fields), [book_table])
        elif kind == "wrapped":
            agent = create_agent(ChatScaffolding.wrap(open_ai(server, **clients), **fields), [book_table])
        else:
            agent = create_agent(
                open_ai(server, **clients), [book_table], middleware=[ScaffoldingMiddleware(**fields)]
            )
        state = await run(agent, how)
    assert ran == [("Nice", 2)]
    called, answered = ai_messages(state)
    assert told(called)["votes"] == {"[['book', {'town': 'Nice'}]]": 2, "[['book', {'town': 'Oslo'}]]": 1}
    assert "7" in answered.text
    assert [message.status for message in tool_messages(state)] == ["success"]


async def test_a_graph_of_ones_own_runs_what_was_voted_for():
    book_table, ran = tables()
    samples = itertools.chain([REFUSED[0], calls("cook"), *NICE], ["done"] * 5)
    model = ChatScaffolding.wrap(Scripted(answers=list(samples)), sample_num=5, method_options=FULL)
    bound = model.bind_tools([book_table])

    async def answer(state):
        return {"messages": [await bound.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("answer", answer).add_node("tools", ToolNode([book_table]))
    graph.add_edge(START, "answer").add_conditional_edges("answer", tools_condition).add_edge("tools", "answer")
    state = await graph.compile().ainvoke({"messages": [("human", "q")]})
    assert ran == [("Nice", 2)]
    assert state["messages"][-1].text == "done"


@dataclass
class Trip:
    """A visit."""

    town: str
    days: int = 1
    id: str = field(default_factory=lambda: uuid4().hex)


@pytest.mark.parametrize("schema", [Visit, Trip, {"title": "Visit", **Visit.model_json_schema()}])
async def test_the_structured_response_of_an_agent_is_compared_as_its_class_reads_it(schema, clients):
    name = schema["title"] if isinstance(schema, dict) else schema.__name__
    steps = [[wants((name, visit)) for visit in VISITS], [says("done")]]
    with scripted_server(Steps(*steps)) as server:
        middleware = [ScaffoldingMiddleware(sample_num=4, method_options=FULL)]
        for response in (ToolStrategy(schema), schema):
            steps = Steps([wants((name, visit)) for visit in VISITS], [says("done")])
            server.script = steps
            agent = create_agent(open_ai(server, **clients), [], middleware=middleware, response_format=response)
            state = await run(agent, "async")
            response = state["structured_response"]
            assert (response["town"] if isinstance(response, dict) else response.town) == "Nice"
            assert told(ai_messages(state)[0])["votes"] == {f"[['{name}', {{'town': 'Nice'}}]]": 2}


async def test_a_response_that_the_provider_writes_is_compared_as_its_class_reads_it(clients):
    texts = [json.dumps(visit) for visit in VISITS]
    with scripted_server(Steps([says(text) for text in texts])) as server:
        middleware = [ScaffoldingMiddleware(sample_num=4, method_options=FULL)]
        agent = create_agent(
            open_ai(server, **clients), [], middleware=middleware, response_format=ProviderStrategy(Visit)
        )
        state = await run(agent, "async")
    assert state["structured_response"].town == "Nice"
    [message] = ai_messages(state)
    assert told(message)["votes"] == {"{'town': 'Nice', 'days': 1}": 2}


async def test_a_vote_on_risky_calls_reads_them_as_the_tool_does(clients):
    book_table, ran = tables()
    guard = {"sample_num": 3, "min_agreement": 1}
    for samples, expected in (
        ([{"town": "Nice"}, {"town": "Nice", "seats": "2"}, {"seats": 2, "town": "Nice"}], [("Nice", 2)]),
        ([{"town": "Nice"}, {"town": "Nice", "seats": "two"}, {"town": "Nice"}], []),
    ):
        ran.clear()
        with scripted_server(Steps([wants(("book", args)) for args in samples], [says("done")])) as server:
            agent = create_agent(
                open_ai(server, **clients), [book_table], middleware=[ToolCallVoteMiddleware({"book"}, **guard)]
            )
            await run(agent, "async")
        assert ran == expected


async def test_arguments_of_risky_calls_that_do_not_count_can_be_named(clients):
    book_table, ran = tables()
    own = (ToolCalls(ignore=["seats"]), None)
    steps = Steps([wants(("book", {"town": "Nice", "seats": seats})) for seats in (1, 2, 3)], [says("done")])
    with scripted_server(steps) as server:
        guard = ToolCallVoteMiddleware({"book"}, sample_num=3, min_agreement=1, answers=own)
        await run(create_agent(open_ai(server, **clients), [book_table], middleware=[guard]), "async")
    assert [town for town, _ in ran] == ["Nice"]
    with pytest.raises(InvalidRequestError, match="kind 'calls'"):
        ToolCallVoteMiddleware({"book"}, answers="number")
