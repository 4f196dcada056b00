"""One budget over all model calls of an agent, by ScaffoldingMiddleware.

On the scripted server, each of whose answers costs 7 tokens.
"""

import pytest
from langchain.agents import create_agent
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from langchain_scaffolding import ScaffoldingRunnable
from langchain_scaffolding.middleware import ScaffoldingMiddleware
from scaffolding_core import BudgetExceededError, InvalidRequestError, SharedBudget
from tests.langchain.agents import Steps, ai_messages, files, open_ai, run, says, wants_own
from tests.servers.scripted import scripted_server

both_ways = pytest.mark.parametrize("how", ["sync", "async"])
CONFIG = {"configurable": {"thread_id": "1"}}


def reads(*paths):
    """Steps of an agent that reads files, one after another, and then answers."""
    return Steps(*([wants_own("read_file", path=path)] for path in paths), [says("42")])


def agent_of(server, *middleware, **options):
    tools, ran = files()
    model = open_ai(server, max_tokens=20)
    return create_agent(model, tools[1:], middleware=[*middleware], **options), ran


@both_ways
async def test_an_agent_ends_where_its_budget_is_spent(how):
    budget = SharedBudget(samples=3)
    with scripted_server(reads("a", "b", "c", "d")) as server:
        agent, ran = agent_of(server, ScaffoldingMiddleware("direct", budget=budget))
        with pytest.raises(BudgetExceededError):
            await run(agent, how)
    assert ran == [("read_file", path) for path in "abc"]
    assert (budget.spent.samples, budget.spent.tokens) == (3, 21)


@both_ways
async def test_each_run_may_have_a_budget_of_its_own(how):
    budgets = [SharedBudget(tokens=400), SharedBudget(tokens=10)]
    with scripted_server(reads("a")) as server:
        agent, _ = agent_of(server, ScaffoldingMiddleware("direct"), checkpointer=InMemorySaver())
        state = await run(agent, how, config={"configurable": {"budget": budgets[0], "thread_id": "1"}})
        assert ai_messages(state)[-1].content == "42"
        with pytest.raises(BudgetExceededError):
            await run(agent, how, config={"configurable": {"budget": budgets[1], "thread_id": "2"}})
    assert [budget.spent.tokens for budget in budgets] == [14, 0]


@both_ways
async def test_what_the_agent_may_still_write_and_its_tools_are_set_aside(how):
    tools_and_prompt = 60
    with scripted_server(reads("a")) as server:
        agent, ran = agent_of(
            server, ScaffoldingMiddleware("direct", budget=SharedBudget(tokens=tools_and_prompt))
        )
        with pytest.raises(BudgetExceededError):
            await run(agent, how)
    assert ran == []


@both_ways
async def test_the_user_is_asked_for_more_and_the_agent_goes_on_where_it_was(how):
    budget = SharedBudget(samples=2)
    with scripted_server(reads("a", "b", "c")) as server:
        middleware = ScaffoldingMiddleware("direct", budget=budget, asks_for_more=True)
        agent, ran = agent_of(server, middleware, checkpointer=InMemorySaver())
        state = await run(agent, how, config=CONFIG)
        assert [each.value for each in state["__interrupt__"]] == [
            {
                "spent": "samples",
                "limits": {"samples": 2},
                "so_far": {"tokens": 14, "dollars": 0.0, "samples": 2},
            }
        ]
        state = await _resumed(agent, how, {"samples": 1})
        assert "__interrupt__" in state
        state = await _resumed(agent, how, True)  # as much again: 3 more
    assert ai_messages(state)[-1].content == "42"
    assert ran == [("read_file", path) for path in "abc"]
    assert budget.limits == {"samples": 6}
    assert budget.spent.samples == 4


@both_ways
@pytest.mark.parametrize("answer", [False, "no"])
async def test_a_user_who_allows_no_more_ends_the_run(how, answer):
    with scripted_server(reads("a", "b")) as server:
        middleware = ScaffoldingMiddleware("direct", budget=SharedBudget(samples=1), asks_for_more=True)
        agent, _ = agent_of(server, middleware, checkpointer=InMemorySaver())
        await run(agent, how, config=CONFIG)
        with pytest.raises(BudgetExceededError):
            await _resumed(agent, how, answer)


async def _resumed(agent, how, answer):
    if how == "sync":
        return agent.invoke(Command(resume=answer), CONFIG)
    return await agent.ainvoke(Command(resume=answer), CONFIG)


@both_ways
async def test_a_vote_on_each_step_takes_what_it_can_pay(how):
    budget = SharedBudget(samples=4)
    with scripted_server(reads("a")) as server:
        middleware = ScaffoldingMiddleware(sample_num=3, method_options={"stop_rule": "full"}, budget=budget)
        agent, ran = agent_of(server, middleware)
        message = ai_messages(await run(agent, how))[-1]
    assert ran == [("read_file", "a")]
    assert message.content == "42"
    assert message.response_metadata["scaffolding"]["stopped"] == "budget"
    assert budget.spent.samples == 4


@both_ways
async def test_calls_that_get_no_method_are_paid_from_it_too(how):
    budget = SharedBudget(samples=9)
    with scripted_server(reads("a")) as server:
        middleware = ScaffoldingMiddleware(sample_num=3, when=lambda request: False, budget=budget)
        agent, _ = agent_of(server, middleware)
        await run(agent, how)
    assert (budget.spent.samples, budget.spent.tokens) == (2, 14)


@both_ways
async def test_dollars_are_those_of_the_agents_model(how):
    prices = {"scripted-model": (1, 10)}
    budget = SharedBudget(dollars=1, prices=prices)
    with scripted_server(reads("a")) as server:
        agent, _ = agent_of(server, ScaffoldingMiddleware("direct", budget=budget))
        await run(agent, how)
        assert budget.spent.dollars == pytest.approx(2 * (5 * 1 + 2 * 10) / 1e6)
        agent, _ = agent_of(server, ScaffoldingMiddleware("direct", budget=SharedBudget(dollars=1)))
        with pytest.raises(InvalidRequestError, match=r"prices=\{'scripted-model': "):
            await run(agent, how)


@both_ways
@pytest.mark.parametrize("inside", [True, False])
async def test_whole_runs_of_an_agent_pay_from_one_budget_once(how, inside):
    budget = SharedBudget(tokens=100_000)
    with scripted_server(reads("a")) as server:
        agent, _ = agent_of(server, *([ScaffoldingMiddleware("direct")] if inside else []))
        runs = ScaffoldingRunnable.wrap(
            agent,
            sample_num=3,
            text=lambda state: state["messages"][-1].text,
            method_options={"stop_rule": "full"},
        )
        given = {"messages": [("user", "go")]}
        call = runs.invoke(given, budget=budget) if how == "sync" else await runs.ainvoke(given, budget=budget)
    assert call.text == "42"
    assert budget.spent.tokens == call.usage.total_tokens == 3 * 2 * 7
    assert budget.spent.samples == (6 if inside else 3)
