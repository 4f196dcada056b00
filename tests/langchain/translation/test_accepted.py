"""Votes on tool calls and structures: what a tool or class would refuse has no vote, and what it gets is compared.

On scripted models, since the calls of a vote must be known; agents are LangChain's own.
"""

import asyncio
import itertools
import json
import pickle
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import PydanticOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, StructuredTool, tool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedState, ToolNode, tools_condition
from pydantic import BaseModel, Field, field_validator
from typing_extensions import TypedDict

from langchain_scaffolding import ChatScaffolding, ScaffoldingRunnable, with_best_of_n, with_majority_vote
from langchain_scaffolding.middleware import ScaffoldingMiddleware, ToolCallVoteMiddleware
from scaffolding_core import InvalidRequestError, ToolCalls
from tests.langchain.agents import Steps, ai_messages, open_ai, run, says, tool_messages, wants
from tests.langchain.doubles import FULL, Scripted, each_way, voted
from tests.servers.scripted import Reply, scripted_server

ids = itertools.count()


def calls(name="book", text="", **args):
    """A message that calls a tool, with an id unlike any other."""
    call = {"name": name, "args": args, "id": f"call-{next(ids)}", "type": "tool_call"}
    return AIMessage(text, tool_calls=[call])


def told(message):
    return message.response_metadata["scaffolding"]


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


@pytest.fixture
async def clients():
    """HTTP clients of a wrapped model, closed with the test."""
    with httpx.Client() as client:
        async with httpx.AsyncClient() as async_client:
            yield {"http_client": client, "http_async_client": async_client}


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


class Visit(BaseModel):
    """A visit."""

    town: str
    days: int = 1
    id: str = Field(default_factory=lambda: uuid4().hex)
    planned_at: datetime = Field(default_factory=lambda: datetime.now(UTC))


@dataclass
class Trip:
    """A visit."""

    town: str
    days: int = 1
    id: str = field(default_factory=lambda: uuid4().hex)


VISITS = [{"town": 5}, {"town": "Rome", "days": "many"}, {"town": "Nice"}, {"town": "Nice", "days": "1"}]


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


# Structures.

WAYS = ["function_calling", "json_schema", "json_mode"]


def answering(*visits):
    """Each request gets the next structure, as a call if it names a tool, else as text."""
    drawn = itertools.cycle(visits)

    def script(body):
        visit = json.dumps(next(drawn))
        if body.get("tools"):
            name = body["tools"][0]["function"]["name"]
            return Reply(pieces=(), tool_calls=((name, visit),), finish="tool_calls")
        return Reply(pieces=(visit,))

    return script


@pytest.fixture(params=["own", "wrapped"])
def structured(request, clients):
    """Makes a model for structures, of a server's own or wrapped."""

    def make(server, schema, way, n=4, **fields):
        fields = {"sample_num": n, "seed": 1, "method_options": FULL, **fields}
        inner = {"inner": open_ai(server, **clients)} if request.param == "wrapped" else {"base_url": server.url}
        return ChatScaffolding(**inner, **fields).with_structured_output(schema, method=way, include_raw=True)

    return make


@pytest.mark.parametrize("way", WAYS)
async def test_structures_count_as_the_class_reads_them_without_what_it_generates(structured, way):
    with scripted_server(answering(*VISITS, {"town": "Oslo"})) as server:
        model = structured(server, Visit, way, 5)
        for told_, parsed in [
            (told(result["raw"]), result["parsed"])
            for result in (await asyncio.to_thread(model.invoke, "q"), await model.ainvoke("q"))
        ]:
            assert (parsed.town, parsed.days) == ("Nice", 1)
            assert told_["votes"] == {"{'town': 'Nice', 'days': 1}": 2, "{'town': 'Oslo', 'days': 1}": 1}
            assert told_["answer"] == {"town": "Nice", "days": 1}
            assert [each["read_as"] for each in told_["candidates"]].count("structure") == 3


class VisitDict(TypedDict):
    """A visit."""

    town: str
    days: Annotated[int, 1, "how many"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("schema", [VisitDict, {"title": "Visit", "description": "", **Visit.model_json_schema()}])
def test_structures_without_a_class_are_read_by_their_schema(structured, way, schema):
    with scripted_server(answering(*VISITS, {"town": "Nice", "days": 1})) as server:
        result = structured(server, schema, way, 5).invoke("q")
    assert result["parsed"]["town"] == "Nice"
    assert max(told(result["raw"])["votes"].values()) >= 2
    assert not any("many" in answer or "5" in answer for answer in told(result["raw"])["votes"])


@pytest.mark.parametrize("way", WAYS)
def test_where_the_class_refuses_every_sample_its_parser_tells(structured, way):
    with scripted_server(answering(*VISITS[:2])) as server:
        result = structured(server, Visit, way, 2).invoke("q")
    assert result["parsed"] is None
    assert result["parsing_error"] is not None
    assert told(result["raw"])["agreement"] == 0


@pytest.mark.parametrize("way", WAYS)
def test_all_of_a_structure_counts_even_where_a_field_is_named_answer(structured, way):
    class Reasoned(BaseModel):
        """An answer."""

        reasoning: str
        answer: int

    samples = [{"reasoning": text, "answer": 5} for text in "abb"]
    with scripted_server(answering(*samples)) as server:
        model = structured(server, Reasoned, way, 3)
        assert told(model.invoke("q")["raw"])["agreement"] == 2 / 3


@pytest.mark.parametrize("way", WAYS)
def test_a_vote_on_fields_takes_them_as_the_class_reads_them(structured, way):
    samples = [{"town": "Nice", "days": "many"}, {"town": "Rome", "days": "3"}, {"town": "Rome"}, {"town": "Rome"}]
    with scripted_server(answering(*samples)) as server:
        result = structured(server, Visit, way, method="field_vote").invoke("q")
    assert (result["parsed"].town, result["parsed"].days) == ("Rome", 1)
    assert told(result["raw"])["data"]["fields"] == {"town": 1, "days": 2 / 3}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["number", {"kind": "json", "key": "town"}])
def test_a_kind_says_what_counts_of_a_structure_only_where_it_is_of_structures(structured, way, kind):
    samples = [{"town": town, "days": days} for town, days in (("Rome", 1), ("Nice", 1), ("Nice", 2))]
    with scripted_server(answering(*samples)) as server:
        details = told(structured(server, Visit, way, 3, answers=kind).invoke("q")["raw"])
    assert details["agreement"] == (1 / 3 if kind == "number" else 2 / 3)


@pytest.mark.parametrize("way", ["json_schema", "json_mode"])
def test_text_that_the_parser_cannot_read_has_no_vote(way):
    texts = [
        'Here: {"town": "Rome"}',
        '{"town": "Rome"',
        '```json\n{"town": "Nice"}\n```',
        '{"town": "Nice"}',
        "Rome",
    ]
    drawn = itertools.cycle(texts)
    with scripted_server(lambda body: Reply((next(drawn),))) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=5, seed=1, method_options=FULL)
        result = model.with_structured_output(Visit, method=way, include_raw=True).invoke("q")
    assert result["parsed"].town == "Nice"
    assert told(result["raw"])["votes"] == {"{'town': 'Nice', 'days': 1}": 2}


def test_a_chain_that_ends_in_a_parser_votes_without_what_the_class_generates():
    texts = ['{"town": 5}', '{"town": "Nice"}', '{"town": "Nice", "days": 1}', '{"town": "Rome"}']
    model = Scripted(answers=texts)
    chain = ChatPromptTemplate.from_template("{q}") | model | PydanticOutputParser(pydantic_object=Visit)
    sampler = ScaffoldingRunnable.wrap(chain, sample_num=4, method_options=FULL)
    output = sampler.invoke({"q": "?"})
    assert (output.answer, output.agreement) == ({"town": "Nice", "days": 1}, 2 / 3)
    assert isinstance(output.message.original, Visit)
    assert output.message.original.id
