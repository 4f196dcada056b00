"""LangChain's own middleware on votes: a router of models, and an automatic check of risky calls.

On doubles: which sample says what must be known.
"""

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import AutoModeMiddleware, ModelChoice, ModelRouterMiddleware
from langchain_core.decisions import NoulCriteria
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver

from langchain_scaffolding.decisions import RiskByDecision, StepByDecision, VotingDecisionModel
from langchain_scaffolding.middleware import ScaffoldingMiddleware, ToolCallVoteMiddleware
from scaffolding_core import InsufficientSamplesError, InvalidRequestError
from tests.langchain.agents import ai_messages, files, run, tool_messages
from tests.langchain.decisions.known import Known
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


def guarded(how, known, *steps, **guard):
    tools, ran = files()
    model = Tooled(answers=[*steps], calls=[])
    vote = ToolCallVoteMiddleware(RiskByDecision(known, **guard) if guard else known, sample_num=3)
    return create_agent(model, tools, middleware=[vote]), model, ran


def deletes(path, beside=()):
    calls = [*beside, {"name": "delete_file", "args": {"path": path}}]
    return AIMessage("", tool_calls=[{**call, "id": f"{path}{place}"} for place, call in enumerate(calls)])


def risks(**by_path):
    return Known(says=lambda state: by_path[state["tool_call"]["args"]["path"]], asked=[])


READS = {"name": "read_file", "args": {"path": "r"}}


@both_ways
async def test_calls_that_a_decision_model_finds_risky_are_voted_on_and_each_is_asked_about_once(how):
    known = risks(a=0.9, b=0.6, r=0.1)
    samples = [deletes("a", [READS]), deletes("b", [READS]), deletes("a", [READS])]
    agent, _, ran = guarded(how, known, *samples, AIMessage("done"))
    state = await run(agent, how)
    assert sorted(ran) == [("delete_file", "a"), ("read_file", "r")]
    voted = state["messages"][1]
    assert voted.response_metadata["tool_call_vote"]["agreed"]
    assert voted.response_metadata["tool_call_risk"] == {"a0": 0.1, "a1": 0.9}
    assert voted.usage_metadata["total_tokens"] == 3 * 3 + 3 * 5
    assert sorted(asked["tool_call"]["args"]["path"] for asked, _ in known.asked) == ["a", "b", "r"]
    asked, _ = known.asked[0]
    assert [message.text for message in asked["messages"]] == ["go"]
    assert asked["tool_description"] == "Read a file."


@both_ways
async def test_a_call_that_it_finds_harmless_runs_without_a_vote(how):
    known = risks(a=0.4)
    agent, model, ran = guarded(how, known, deletes("a"), AIMessage("done"))
    await run(agent, how)
    assert ran == [("delete_file", "a")]
    assert (len(model.calls), len(known.asked)) == (2, 1)


@both_ways
async def test_a_risky_call_that_samples_disagree_on_does_not_run(how):
    known = risks(a=0.9, b=0.9, c=0.9)
    agent, _, ran = guarded(how, known, deletes("a"), deletes("b"), deletes("c"), AIMessage("done"))
    state = await run(agent, how)
    assert ran == []
    assert "was not run" in tool_messages(state)[0].text
    assert len(known.asked) == 3


async def test_only_the_named_tools_are_asked_about_and_the_threshold_counts():
    known = risks(a=0.7)
    agent, _, ran = guarded("async", known, deletes("a", [READS]), AIMessage("done"),
                            tools={"delete_file"}, threshold=0.8)  # fmt: skip
    await run(agent, "async")
    assert sorted(ran) == [("delete_file", "a"), ("read_file", "r")]
    assert len(known.asked) == 1


@both_ways
async def test_no_call_runs_where_the_decision_model_fails(how):
    agent, _, ran = guarded(how, risks(), deletes("a"))
    with pytest.raises(KeyError):
        await run(agent, how)
    assert ran == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [({"tools": "rm"}, "set of tool names"), ({"tools": []}, "set of tool names"), ({"threshold": 0}, "above 0"),
     ({"threshold": 1.5}, "at most 1")],
)  # fmt: skip
def test_a_risk_that_makes_no_sense_is_refused(fields, problem):
    with pytest.raises(InvalidRequestError, match=problem):
        RiskByDecision(risks(), **fields)


@both_ways
@pytest.mark.parametrize("made", [lambda known: known, lambda known: StepByDecision(known, "Hard?")])
async def test_a_decision_model_picks_the_steps_that_get_a_method(made, how):
    tools, _ = files()
    known = Known(says=lambda state: 0.9 if len(state["messages"]) == 1 else 0.1, asked=[])
    calls = AIMessage("", tool_calls=[{**READS, "id": "1"}])
    model = Tooled(answers=[calls, calls, calls, AIMessage("done")], calls=[])
    each = {"stop_rule": "full"}  # the script has an answer for each sample
    middleware = ScaffoldingMiddleware(sample_num=3, when=made(known), method_options=each)
    agent = create_agent(model, tools, middleware=[middleware])
    state = await run(agent, how)
    first, last = ai_messages(state)
    assert "scaffolding" in first.response_metadata
    assert (last.text, "scaffolding" in last.response_metadata) == ("done", False)
    assert len(known.asked) == 2
