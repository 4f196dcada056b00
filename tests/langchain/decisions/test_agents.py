"""LangChain's own middleware on votes: a router of models, and an automatic check of risky calls.

On doubles: which sample says what must be known.
"""

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AutoModeMiddleware, ModelChoice, ModelRouterMiddleware
from langchain_core.decisions import NoulCriteria
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_scaffolding.decisions import VotingDecisionModel
from scaffolding_core import InsufficientSamplesError
from tests.langchain.agents import files, run, tool_messages
from tests.langchain.doubles import Runs, Scripted, named

pytestmark = pytest.mark.filterwarnings("ignore:.*:langchain_core._api.LangChainBetaWarning")
both_ways = pytest.mark.parametrize("how", ["sync", "async"])


def deciding(*said, **fields):
    return VotingDecisionModel.wrap(Scripted(answers=[*said], calls=[]), sample_num=len(said), **fields)


def router(*said):
    models = {name: Scripted(answers=[f"from {name}"], calls=[]) for name in ("fast", "powerful")}
    criteria = {"fast": "Simple tasks.", "powerful": "Tasks that need thought."}
    choices = {name: ModelChoice(model=model, criteria=criteria[name]) for name, model in models.items()}
    return ModelRouterMiddleware(choices=choices, instructions="Which model?", classifier=deciding(*said))


@both_ways
async def test_the_router_takes_the_model_that_most_samples_name(how):
    agent = create_agent(
        Scripted(answers=["from nobody"]),
        middleware=[router("fast", "powerful", "powerful", "I cannot say")],
        checkpointer=InMemorySaver(),
    )
    runs = Runs()
    config = {"configurable": {"thread_id": "1"}, "callbacks": [runs]}
    state = await run(agent, how, config=config)
    assert state["messages"][-1].text == "from powerful"
    assert state["model_route"].probabilities["powerful"] == pytest.approx(2 / 3)
    [decision] = named(runs.tops[0], "VotingDecisionModel")
    assert [child.name for child in decision.child_runs] == ["sample"] * 4


@both_ways
async def test_a_router_whose_samples_all_abstain_ends_the_run(how):
    agent = create_agent(Scripted(answers=["from nobody"]), middleware=[router("maybe")])
    with pytest.raises(InsufficientSamplesError, match="0 of 1 samples voted on the question 'model_route'"):
        await run(agent, how)


@both_ways
@pytest.mark.parametrize(("said", "blocked"), [(("yes", "no"), True), (("yes", "no", "no"), False)])
async def test_a_risky_call_is_blocked_from_half_of_the_votes_on(said, blocked, how):
    tools, ran = files()
    wants = AIMessage("", tool_calls=[{"name": "delete_file", "args": {"path": "a"}, "id": "1"}])
    guard = AutoModeMiddleware(
        tools=["delete_file"], criteria=NoulCriteria(true="harm", false="safe"), classifier=deciding(*said)
    )
    agent = create_agent(Tooled(answers=[wants, AIMessage("done")], calls=[]), tools, middleware=[guard])
    state = await run(agent, how)
    assert ran == ([] if blocked else [("delete_file", "a")])
    assert ("blocked" in tool_messages(state)[0].text) is blocked


class Tooled(Scripted):
    def bind_tools(self, tools, **kwargs):
        return self
