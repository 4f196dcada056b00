"""ToolCallVoteMiddleware in an agent made by `create_agent`.

On the scripted server: which sample wants which tool must be known, and the embedded model calls no tools.
"""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.types import Command, interrupt

from langchain_scaffolding import ChatScaffolding
from langchain_scaffolding.middleware import ScaffoldingMiddleware, ToolCallVoteMiddleware
from scaffolding_core import InvalidRequestError, KeyEquivalence
from tests.langchain.agents import Steps, ai_messages, files, open_ai, run, says, tool_messages, wants, wants_own
from tests.servers.scripted import Reply, scripted_server

both_ways = pytest.mark.parametrize("how", ["sync", "async"])


def deletes(path, *more, **reply):
    return wants(("delete_file", {"path": path}), *more, **reply)


def reads(path):
    return wants(("read_file", {"path": path}))


async def voted(how, *samples, middleware=(), config=None, **guard):
    """Final state, what ran, and calls of each step, of an agent whose first step gets these samples."""
    steps = Steps([*samples], [says("done")])
    tools, ran = files()
    guards = [*middleware, ToolCallVoteMiddleware(**{"tools": {"delete_file"}, **guard})]
    with scripted_server(steps) as server:
        state = await run(create_agent(open_ai(server), tools, middleware=guards), how, config=config)
    return state, ran, steps.asked


@both_ways
async def test_a_message_without_a_risky_call_costs_one_call(how):
    state, ran, asked = await voted(how, reads("a"))
    assert ran == [("read_file", "a")]
    assert asked == {0: 1, 1: 1}
    assert not any("tool_call_vote" in message.response_metadata for message in ai_messages(state))


@both_ways
async def test_a_risky_call_runs_if_enough_samples_want_it(how):
    state, ran, asked = await voted(how, deletes("a"), deletes("b"), deletes("a"), deletes("a"))
    assert ran == [("delete_file", "a")]
    assert asked[0] <= 5
    vote = ai_messages(state)[0].response_metadata["tool_call_vote"]
    assert vote["agreed"]
    assert vote["stopped"] == "decided"
    assert max(vote["votes"].values()) == 3
    assert state["messages"][-1].content == "done"


@both_ways
async def test_the_first_sample_is_one_of_the_votes_and_is_not_paid_twice(how):
    state, ran, asked = await voted(how, deletes("a"))
    assert asked[0] == 3  # of 5 samples, 3 are the half that is needed
    message = ai_messages(state)[0]
    assert message.usage_metadata["total_tokens"] == 21
    assert message.response_metadata["tool_call_vote"]["samples"] == 3
    assert ran == [("delete_file", "a")]


@both_ways
async def test_the_winner_goes_on_whole_where_the_first_sample_is_outvoted(how):
    first, second, third = (wants_own("delete_file", path=path) for path in "abb")
    state, ran, _ = await voted(how, first, second, third, sample_num=3)
    assert ran == [("delete_file", "b")]
    [called] = ai_messages(state)[0].tool_calls
    bodies = [reply.body["choices"][0]["message"]["tool_calls"][0]["id"] for reply in (second, third)]
    assert called["id"] in bodies
    assert tool_messages(state)[0].tool_call_id == called["id"]


@both_ways
async def test_below_the_agreement_the_call_does_not_run_and_the_model_is_told(how):
    state, ran, asked = await voted(how, *(deletes(path) for path in "abcde"))
    assert ran == []
    [refusal] = tool_messages(state)
    assert (refusal.status, refusal.name) == ("error", "delete_file")
    assert refusal.tool_call_id == ai_messages(state)[0].tool_calls[0]["id"]
    assert "only 1 of 5 samples" in refusal.content
    assert asked[1] == 1
    assert state["messages"][-1].content == "done"


@both_ways
async def test_samples_that_want_no_risky_call_outvote_one_that_does(how):
    state, ran, _ = await voted(how, deletes("a"), says("Which file?"), says("Do you mean a or b?"), sample_num=3)
    assert ran == []
    assert tool_messages(state) == []
    assert state["messages"][-1].content in ("Which file?", "Do you mean a or b?")


async def test_failed_samples_count_against_the_call():
    down = Reply(status=500, body={"error": "down"})
    state, ran, _ = await voted("async", deletes("a"), down)
    assert ran == []
    assert "only 1 of 5" in tool_messages(state)[0].content


async def test_only_risky_calls_are_compared_and_the_others_of_the_winner_run():
    samples = [deletes("a", ("read_file", {"path": path})) for path in "xyz"]
    _, ran, _ = await voted("async", *samples, sample_num=3)
    assert sorted(ran) == [("delete_file", "a"), ("read_file", "x")]


async def test_a_refused_call_leaves_harmless_calls_beside_it_running():
    samples = [deletes(path, ("read_file", {"path": "x"})) for path in "abc"]
    state, ran, _ = await voted("async", *samples, sample_num=3, min_agreement=0.6)
    assert ran == [("read_file", "x")]
    assert sorted(message.status for message in tool_messages(state)) == ["error", "success"]


async def test_parallel_risky_calls_are_one_vote_in_any_order():
    both = [("delete_file", {"path": "a"}), ("delete_file", {"path": "b"})]
    _, ran, asked = await voted("async", wants(*both), wants(*reversed(both)), sample_num=2, min_agreement=1)
    assert sorted(ran) == [("delete_file", "a"), ("delete_file", "b")]
    assert asked[0] == 2


async def test_a_function_tells_which_calls_are_risky_by_name_and_arguments():
    def is_risky(call):
        return call["args"]["path"].startswith("/etc")

    _, ran, asked = await voted("async", deletes("a"), tools=is_risky)
    assert (ran, asked[0]) == ([("delete_file", "a")], 1)
    _, ran, asked = await voted(
        "async", deletes("/etc/a"), deletes("/etc/b"), tools=is_risky, sample_num=2, min_agreement=1
    )
    assert (ran, asked[0]) == ([], 2)


async def test_an_equivalence_of_ones_own_tells_which_calls_are_the_same():
    class SameFolder(KeyEquivalence):
        def key(self, answer):
            return tuple((name, args["path"].split("/")[0]) for name, args in answer)

    same = {"equivalence": SameFolder(), "sample_num": 2, "min_agreement": 1}
    _, ran, _ = await voted("async", deletes("x/a"), deletes("x/b"), **same)
    assert ran == [("delete_file", "x/a")]


@both_ways
async def test_a_function_decides_where_samples_disagree(how):
    seen = []

    def decide(call, vote):
        seen.append((call["name"], vote["agreed"], vote["samples"]))
        return None if call["args"]["path"] == "a" else "Ask first."

    half = {"sample_num": 3, "min_agreement": 0.9, "on_disagreement": decide}
    _, ran, _ = await voted(how, *(deletes(path) for path in "abc"), **half)
    assert ran == [("delete_file", "a")]
    state, ran, _ = await voted(how, *(deletes(path) for path in "bac"), **half)
    assert ran == []
    assert tool_messages(state)[0].content == "Ask first."
    assert seen[0][:2] == ("delete_file", False)


@both_ways
@pytest.mark.parametrize(("answer", "ran_then"), [("yes", [("delete_file", "a")]), ("no", [])])
async def test_a_person_can_be_asked_and_resuming_pays_no_sample_again(how, answer, ran_then):
    def ask(call, vote):
        return None if interrupt(f"delete {call['args']['path']}?") == "yes" else "The user said no."

    steps, (tools, ran) = Steps([deletes("a"), deletes("b")], [says("done")]), files()
    guard = ToolCallVoteMiddleware({"delete_file"}, sample_num=2, min_agreement=1, on_disagreement=ask)
    config = {"configurable": {"thread_id": "1"}}
    with scripted_server(steps) as server:
        agent = create_agent(open_ai(server), tools, middleware=[guard], checkpointer=InMemorySaver())
        paused = await run(agent, how, config=config)
        assert [each.value for each in paused["__interrupt__"]] == ["delete a?"]
        assert (ran, steps.asked) == ([], {0: 2})
        if how == "sync":
            await asyncio.to_thread(agent.invoke, Command(resume=answer), config)
        else:
            await agent.ainvoke(Command(resume=answer), config)
    assert ran == ran_then
    assert steps.asked == {0: 2, 1: 1}


async def test_nobody_is_asked_to_approve_a_call_that_does_not_run():
    approve = HumanInTheLoopMiddleware({"delete_file": True}, interrupt_mode="per_call")
    guard = ToolCallVoteMiddleware({"delete_file"}, sample_num=2, min_agreement=1)
    for paths, asked in (("ab", False), ("aa", True)):
        tools, ran = files()
        with scripted_server(Steps([deletes(path) for path in paths], [says("done")])) as server:
            agent = create_agent(open_ai(server), tools, middleware=[approve, guard], checkpointer=InMemorySaver())
            state = await run(agent, "async", config={"configurable": {"thread_id": "1"}})
        assert ("__interrupt__" in state) is asked
        assert ran == []


async def test_a_risky_call_that_was_never_voted_on_does_not_run():
    class Adds(AgentMiddleware):
        async def awrap_model_call(self, request, handler):
            if len(request.messages) > 1:
                return await handler(request)
            call = {"name": "delete_file", "args": {"path": "a"}, "id": "1", "type": "tool_call"}
            return AIMessage("", tool_calls=[call])

    state, ran, _ = await voted("async", says("done"), middleware=[Adds()])
    assert ran == []
    assert "nobody voted" in tool_messages(state)[0].content


async def test_a_call_that_another_middleware_has_answered_is_not_answered_again():
    class Answers(AgentMiddleware):
        def after_model(self, state, runtime):
            calls = state["messages"][-1].tool_calls
            return {"messages": [ToolMessage("no", tool_call_id=call["id"]) for call in calls]}

    steps, (tools, ran) = Steps([deletes(path) for path in "abcde"], [says("done")]), files()
    with scripted_server(steps) as server:
        both = [ToolCallVoteMiddleware({"delete_file"}), Answers()]
        state = await run(create_agent(open_ai(server), tools, middleware=both), "async")
    assert [message.content for message in tool_messages(state)] == ["no"]
    assert ran == []


@pytest.mark.parametrize("order", [1, -1])
async def test_it_works_beside_a_vote_on_the_whole_message(order):
    steps, (tools, ran) = Steps([deletes("a")], [says("done")]), files()
    both = [ScaffoldingMiddleware(sample_num=2), ToolCallVoteMiddleware({"delete_file"}, sample_num=3)][::order]
    with scripted_server(steps) as server:
        await run(create_agent(open_ai(server), tools, middleware=both), "async")
    assert ran == [("delete_file", "a")]


async def test_the_answer_still_streams_token_by_token():
    steps = Steps([deletes("a")], [Reply(("do", "ne"))])
    with scripted_server(steps) as server:
        guard = ToolCallVoteMiddleware({"delete_file"})
        agent = create_agent(open_ai(server), files()[0], middleware=[guard])
        stream = agent.astream({"messages": [("user", "go")]}, stream_mode="messages")
        streamed = [message async for message, _ in stream if isinstance(message, AIMessage)]
    assert [message.text for message in streamed if message.text] == ["do", "ne"]
    assert len({message.id for message in streamed if message.tool_call_chunks}) == 1


@both_ways
async def test_a_vote_and_a_refusal_are_checkpointed_without_pickle(how):
    saver = InMemorySaver(serde=JsonPlusSerializer(pickle_fallback=False))
    config = {"configurable": {"thread_id": "1"}}
    steps, (tools, _) = Steps([deletes(path) for path in "abcde"], [says("done")]), files()
    with scripted_server(steps) as server:
        guard = ToolCallVoteMiddleware({"delete_file"})
        agent = create_agent(open_ai(server), tools, middleware=[guard], checkpointer=saver)
        state = await run(agent, how, config=config)
        assert agent.get_state(config).values["messages"] == state["messages"]
    assert state["messages"][1].response_metadata["tool_call_vote"]["agreed"] is False


async def test_a_scaffolded_models_own_details_survive():
    steps, (tools, ran) = Steps([deletes("a")], [says("done")]), files()
    with scripted_server(steps) as server:
        model = ChatScaffolding(base_url=server.url, sample_num=2)
        state = await run(
            create_agent(model, tools, middleware=[ToolCallVoteMiddleware({"delete_file"}, sample_num=3)]), "async"
        )
    assert {"scaffolding", "tool_call_vote"} <= ai_messages(state)[0].response_metadata.keys()
    assert ran == [("delete_file", "a")]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"tools": "delete_file"}, "set of tool names"),
        ({"tools": set()}, "set of tool names"),
        ({"tools": 3}, "set of tool names"),
        ({"sample_num": 1}, "one of 1 samples would be agreement enough"),
        ({"sample_num": 2}, "one of 2 samples would be agreement enough"),
        ({"sample_num": 0}, "at least 1"),
        ({"sample_num": 2.5}, "whole number"),
        ({"min_agreement": 0}, "above 0 and at most 1"),
        ({"min_agreement": 50}, "above 0 and at most 1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_an_agent_runs(wrong, told):
    with pytest.raises(InvalidRequestError, match=told):
        ToolCallVoteMiddleware(**{"tools": {"delete_file"}, **wrong})
