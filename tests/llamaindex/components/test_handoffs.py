"""AgentWorkflow: who takes over counts, not the reason."""

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent

from tests.llamaindex.components.voting import agreements, calls, voting


def handoff(to, reason):
    return calls(("handoff", f'{{"to_agent": "{to}", "reason": "{reason}"}}'))


def weather(city: str, reason: str) -> str:
    """The weather, with the reason that somebody asks for it."""
    return f"sunny in {city}"


def workflow(llm, kind=FunctionAgent, **fields):
    def agent(name):
        return kind(name=name, description=f"Agent {name}.", system_prompt="Answer.", llm=llm, **fields)

    return AgentWorkflow(agents=[agent(name) for name in ("root", "poet", "clerk")], root_agent="root")


REASONS = {
    "a rhyme of 3": "poet",
    "a form": "clerk",
    "it asks for 3 forms": "clerk",
    "verse 3": "poet",
    "paper, 3 pages": "clerk",
}


@pytest.mark.parametrize("streaming", [True, False])
async def test_the_hand_off_that_most_samples_want_is_made(events, streaming):
    llm = voting([handoff(to, reason) for reason, to in REASONS.items()], "Done.", tools=True)
    result = await workflow(llm, streaming=streaming).run("q")
    assert result.current_agent_name == "clerk"
    assert agreements(events) == [0.6, 1.0]


@pytest.mark.filterwarnings("ignore:is_running called from within a step")  # LlamaIndex's own agent does
async def test_so_is_one_that_is_written_as_text(events):
    steps = [
        f'Thought: {reason}\nAction: handoff\nAction Input: {{"to_agent": "{to}", "reason": "{reason}"}}'
        for reason, to in REASONS.items()
    ]
    result = await workflow(voting(steps, "Thought: done\nAnswer: Done."), ReActAgent).run("q")
    assert result.current_agent_name == "clerk"
    assert agreements(events) == [0.6, 1.0]


async def test_a_reason_of_a_users_own_tool_counts(events):
    samples = [calls(("weather", f'{{"city": "Rome", "reason": "{reason}"}}')) for reason in "abaab"]
    llm = voting(samples, "Done.", tools=True)
    await FunctionAgent(tools=[weather], llm=llm).run("q")
    assert agreements(events)[0] == 0.6


async def test_a_call_that_cannot_be_carried_out_has_no_vote(events):
    broken = [
        calls(("wether", '{"city": "Rome", "reason": "typo"}')),
        calls(("weather", '{"city": ["Rome", "Bern"], "reason": "two"}')),
        calls(("weather", '{"reason": "no city"}')),
    ]
    right = calls(("weather", '{"city": "Rome", "reason": "so"}'))
    result = await FunctionAgent(tools=[weather], llm=voting([*broken, right, right], "Done.", tools=True)).run(
        "q"
    )
    assert [call.tool_kwargs["city"] for call in result.tool_calls] == ["Rome"]
    assert agreements(events)[0] == 1.0


async def test_where_no_call_can_be_carried_out_the_earliest_is_told_with_no_agreement(events):
    llm = voting(calls(("wether", '{"city": "Rome"}')), "Done.", tools=True)
    await FunctionAgent(tools=[weather], llm=llm).run("q")
    assert agreements(events)[0] == 0.0
