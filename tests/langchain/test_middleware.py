"""ScaffoldingMiddleware in an agent made by `create_agent`.

On the scripted server: which tool calls each sample makes, which sample fails and which hangs must be known,
and the embedded model calls no tools.
"""

import asyncio
import subprocess
import sys
import threading

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, SystemMessage
from langchain_core.tracers import BaseTracer
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.middleware import ScaffoldingMiddleware
from scaffolding_core import InsufficientSamplesError, InvalidRequestError, UnknownMethodError
from tests.eventually import until
from tests.langchain.agents import Steps, ai_messages, files, open_ai, run, says, tool_messages, wants, wants_own
from tests.servers.scripted import Reply, scripted_server

FULL = {"stop_rule": "full"}
both_ways = pytest.mark.parametrize("how", ["sync", "async"])


def vote(n=3, **options):
    return ScaffoldingMiddleware("majority_vote", sample_num=n, method_options=FULL, **options)


class Weather(BaseModel):
    """The weather of a city."""

    city: str
    degrees: int


@both_ways
async def test_each_step_of_the_agent_is_voted_on_and_its_tools_run_once(how):
    steps = Steps(
        [wants_own("read_file", path="b"), wants_own("read_file", path="a"), wants_own("read_file", path="a")],
        [says("It is 8."), says("It is 7."), says("So 7")],
    )
    tools, ran = files()
    with scripted_server(steps) as server:
        state = await run(create_agent(open_ai(server), tools, middleware=[vote()]), how)
    assert ran == [("read_file", "a")]
    called, answered = ai_messages(state)
    assert len(called.tool_calls) == 1
    assert [message.tool_call_id for message in tool_messages(state)] == [called.tool_calls[0]["id"]]
    assert answered.content in ("It is 7.", "So 7")  # the earliest of the two, as they were started
    assert steps.asked == {0: 3, 1: 3}


@both_ways
async def test_the_message_tells_the_vote_and_what_all_samples_cost(how):
    with scripted_server(Steps([says("7"), says("8"), says("7")])) as server:
        usage = UsageMetadataCallbackHandler()
        agent = create_agent(open_ai(server), middleware=[vote()])
        [message] = ai_messages(await run(agent, how, config={"callbacks": [usage]}))
    details = message.response_metadata["scaffolding"]
    assert (details["method"], details["votes"], details["samples"]) == (
        "MajorityVoteController",
        {"7": 2, "8": 1},
        3,
    )
    assert details["agreement"] == pytest.approx(2 / 3)
    assert details["stopped"] == "complete"
    assert details["usage"]["calls"] == 3
    assert message.usage_metadata["total_tokens"] == 21
    assert usage.usage_metadata["scripted-model"]["total_tokens"] == 21
    assert message.response_metadata["finish_reason"] == "stop"


@both_ways
async def test_only_the_requests_that_when_picks_are_sampled(how):
    steps = Steps([wants(("read_file", {"path": "a"}))], [says("7"), says("7"), says("7")])
    after_tools = vote(when=lambda request: request.messages[-1].type == "tool")
    with scripted_server(steps) as server:
        state = await run(create_agent(open_ai(server), files()[0], middleware=[after_tools]), how)
    assert steps.asked == {0: 1, 1: 3}
    first, second = ai_messages(state)
    assert "scaffolding" not in first.response_metadata
    assert "scaffolding" in second.response_metadata


@both_ways
async def test_best_of_n_scores_the_samples_of_an_agent(how):
    reward = ScaffoldingMiddleware(
        "best_of_n", sample_num=3, reward=lambda prompt, answer: float("how many" in prompt) * len(answer)
    )
    with scripted_server(Steps([says("a"), says("aaa"), says("aa")])) as server:
        [message] = ai_messages(await run(create_agent(open_ai(server), middleware=[reward]), how, "how many"))
    assert message.content == "aaa"
    assert message.response_metadata["scaffolding"]["score"] == 3


@both_ways
async def test_chain_of_thought_changes_what_the_model_is_asked_and_not_the_agents_messages(how):
    with scripted_server(Steps(says("\\boxed{7}"))) as server:
        agent = create_agent(
            open_ai(server), system_prompt="Be brief.", middleware=[ScaffoldingMiddleware("chain_of_thought")]
        )
        state = await run(agent, how, "how many")
        system, asked = server.requests[0]["messages"]
    assert system["content"] == "Be brief."
    assert asked["content"].startswith("how many\n\nLet's think step by step")
    assert state["messages"][0] == HumanMessage("how many", id=state["messages"][0].id)
    assert state["messages"][-1].response_metadata["scaffolding"]["answer"] == "7"


@both_ways
async def test_a_sample_that_fails_costs_that_sample_alone(how):
    with scripted_server(Steps([Reply(status=500, body={"error": "down"}), says("7")])) as server:
        [message] = ai_messages(await run(create_agent(open_ai(server), middleware=[vote()]), how))
    details = message.response_metadata["scaffolding"]
    assert message.content == "7"
    assert (details["samples"], details["votes"]) == (3, {"7": 2})
    assert [bool(candidate["error"]) for candidate in details["candidates"]].count(True) == 1


@both_ways
async def test_the_agent_fails_if_every_sample_does(how):
    with scripted_server(Reply(status=500, body={"error": "down"})) as server:
        with pytest.raises(InsufficientSamplesError, match="3 of 3 samples failed"):
            await run(create_agent(open_ai(server), middleware=[vote()]), how)


@both_ways
@pytest.mark.parametrize("strategy", [ToolStrategy, ProviderStrategy])
async def test_the_structured_response_is_that_of_the_winner(how, strategy):
    data = [{"city": "Rome", "degrees": 9}, {"city": "Oslo", "degrees": 9}, {"degrees": 9, "city": "Oslo"}]
    if strategy is ToolStrategy:
        replies = [wants(("Weather", each)) for each in data]
    else:
        replies = [says(str(each).replace("'", '"')) for each in data]
    with scripted_server(Steps(replies)) as server:
        agent = create_agent(open_ai(server), response_format=strategy(Weather), middleware=[vote()])
        state = await run(agent, how)
    assert state["structured_response"] == Weather(city="Oslo", degrees=9)
    assert ai_messages(state)[0].response_metadata["scaffolding"]["agreement"] == pytest.approx(2 / 3)
    assert len(tool_messages(state)) == (strategy is ToolStrategy)


async def test_a_sample_whose_structure_is_invalid_is_out_of_the_vote():
    bad, good = says('{"city": 3}'), says('{"city": "Oslo", "degrees": 9}')
    with scripted_server(Steps([bad, good, bad])) as server:
        agent = create_agent(open_ai(server), response_format=ProviderStrategy(Weather), middleware=[vote()])
        state = await agent.ainvoke({"messages": [("user", "go")]})
    assert state["structured_response"] == Weather(city="Oslo", degrees=9)


async def test_samples_that_are_not_needed_any_more_are_cut_at_the_server():
    early = ScaffoldingMiddleware("majority_vote", sample_num=3, method_options={"run_ahead": 2})
    slow, begun = says("8", wait=600), threading.Event()
    steps = Steps([says("7", held=begun), says("7", held=begun), slow])

    def script(body):
        reply = steps(body)
        if reply is slow:
            begun.set()
        return reply

    with scripted_server(script) as server:
        state = await create_agent(open_ai(server), middleware=[early]).ainvoke({"messages": [("user", "go")]})
        await until(lambda: not server.open)
        assert server.cut == 1
    details = ai_messages(state)[0].response_metadata["scaffolding"]
    assert details["stopped"] == "decided"
    assert sorted(candidate["cut"] for candidate in details["candidates"]) == [False, False, True]


async def test_cancelling_the_agent_cancels_its_samples():
    with scripted_server(says("7", wait=60)) as server:
        agent = create_agent(open_ai(server), middleware=[vote()])
        running = asyncio.ensure_future(agent.ainvoke({"messages": [("user", "go")]}))
        await until(lambda: server.open == 3)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: not server.open)
        assert server.cut == 3


@both_ways
async def test_samples_run_at_the_same_time_in_the_callers_context(how):
    barrier, seen = threading.Barrier(3), []

    class Together(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            barrier.wait(10)
            seen.append(request.runtime.context)
            return handler(request)

        async def awrap_model_call(self, request, handler):
            await asyncio.to_thread(barrier.wait, 10)
            seen.append(request.runtime.context)
            return await handler(request)

    with scripted_server(says("7")) as server:
        agent = create_agent(open_ai(server), middleware=[vote(), Together()])
        given = {"messages": [("user", "go")]}
        await (
            asyncio.to_thread(agent.invoke, given, context="mine")
            if how == "sync"
            else agent.ainvoke(given, context="mine")
        )
    assert seen == ["mine"] * 3


@both_ways
async def test_tokens_of_samples_stay_out_of_the_message_stream(how):
    steps = Steps([wants(("read_file", {"path": "a"}))], [Reply(("It ", "is ", answer)) for answer in "787"])
    with scripted_server(steps) as server:
        agent = create_agent(open_ai(server), files()[0], middleware=[vote()])
        given, mode = {"messages": [("user", "go")]}, {"stream_mode": "messages"}
        if how == "sync":
            streamed = await asyncio.to_thread(lambda: [*agent.stream(given, **mode)])
        else:
            streamed = [item async for item in agent.astream(given, **mode)]
    messages = [message for message, _ in streamed if isinstance(message, AIMessage)]
    assert [(type(message), message.text) for message in messages] == [(AIMessage, ""), (AIMessage, "It is 7")]
    assert not any(isinstance(message, AIMessageChunk) for message, _ in streamed)


@both_ways
async def test_an_interrupt_inside_a_sample_pauses_the_agent(how):
    def told(request):
        return request.override(system_message=SystemMessage(f"for {interrupt('who?')}"))

    class Asks(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            return handler(told(request))

        async def awrap_model_call(self, request, handler):
            return await handler(told(request))

    config = {"configurable": {"thread_id": "1"}}
    with scripted_server(says("7")) as server:
        only_one = ScaffoldingMiddleware("direct")
        agent = create_agent(open_ai(server), middleware=[only_one, Asks()], checkpointer=InMemorySaver())
        paused = await run(agent, how, config=config)
        assert [each.value for each in paused["__interrupt__"]] == ["who?"]
        assert server.requests == []
        if how == "sync":
            state = await asyncio.to_thread(agent.invoke, Command(resume="Ann"), config)
        else:
            state = await agent.ainvoke(Command(resume="Ann"), config)
        assert server.requests[0]["messages"][0]["content"] == "for Ann"
    assert state["messages"][-1].content == "7"


@both_ways
async def test_an_interrupt_in_one_of_many_samples_ends_them_all(how):
    class Asks(AgentMiddleware):
        def wrap_model_call(self, request, handler):
            interrupt("sure?")

        async def awrap_model_call(self, request, handler):
            interrupt("sure?")

    with scripted_server(says("7")) as server:
        agent = create_agent(open_ai(server), middleware=[vote(5), Asks()], checkpointer=InMemorySaver())
        paused = await run(agent, how, config={"configurable": {"thread_id": "1"}})
    assert len(paused["__interrupt__"]) == 1
    assert len(ai_messages(paused)) == 0


@both_ways
async def test_a_model_that_is_scaffolded_itself_can_be_sampled_once_more(how):
    with scripted_server(Steps([says("7")])) as server:
        inner = ChatScaffolding(base_url=server.url, sample_num=2, method_options=FULL)
        [message] = ai_messages(await run(create_agent(inner, middleware=[vote(2)]), how))
        assert sum(body.get("n", 1) for body in server.requests) == 4
        assert message.usage_metadata["total_tokens"] == 7 * len(server.requests)
    assert message.content == "7"


@pytest.mark.parametrize("bound", [False, True])
async def test_neither_cache_nor_stream_see_the_samples_of_a_model_bare_or_bound(bound):
    with scripted_server(says("7")) as server:
        model = open_ai(server, cache=InMemoryCache(), tags=["mine"])
        agent = create_agent(model.with_config(tags=["bound"]) if bound else model, middleware=[vote()])
        for _ in range(2):
            stream = agent.astream({"messages": [("user", "go")]}, stream_mode="messages")
            assert [type(message) async for message, _ in stream] == [AIMessage]
        assert len(server.requests) == 6


async def test_a_blocking_agent_works_inside_a_running_loop():
    with scripted_server(says("7")) as server:
        state = create_agent(open_ai(server), middleware=[vote()]).invoke({"messages": [("user", "go")]})
    assert state["messages"][-1].response_metadata["scaffolding"]["votes"] == {"7": 3}


@both_ways
async def test_each_sample_is_a_run_beneath_the_model_node(how):
    class Runs(BaseTracer):
        tops = []

        def _persist_run(self, run):
            self.tops.append(run)

    with scripted_server(says("7")) as server:
        await run(create_agent(open_ai(server), middleware=[vote()]), how, config={"callbacks": [Runs()]})
    [node] = [child for child in Runs.tops[0].child_runs if child.name == "model"]
    found, waiting = [], [node]
    while waiting:
        each = waiting.pop()
        found.append(each.run_type)
        waiting += each.child_runs
    assert found.count("llm") == 3


@pytest.mark.parametrize(
    ("wrong", "error", "told"),
    [
        ({"method": "no_such"}, UnknownMethodError, "no method is named 'no_such'"),
        ({"method": "direct", "sample_num": 3}, InvalidRequestError, "takes one sample"),
        ({"sample_num": 0}, InvalidRequestError, "at least 1"),
        ({"method_options": {"colour": 1}}, InvalidRequestError, "colour"),
    ],
)
def test_what_makes_no_sense_is_refused_before_an_agent_runs(wrong, error, told):
    with pytest.raises(error, match=told):
        ScaffoldingMiddleware(**wrong)


def test_the_adapter_loads_neither_langchain_nor_langgraph():
    script = (
        "import sys, langchain_scaffolding; print([m for m in ('langchain', 'langgraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_missing_langchain_names_the_extra():
    script = "import sys; sys.modules['langchain'] = None; import langchain_scaffolding.middleware"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "scaffolding-llm[langchain-agents]" in done.stderr.splitlines()[-1]
