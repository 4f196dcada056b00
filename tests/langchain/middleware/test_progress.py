"""ProgressMiddleware: of several runs of an agent, those that stay behind are cut.

The agents are on a scripted model: each run writes its own words, step by step.
"""

import asyncio

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool

from langchain_scaffolding import ScaffoldingRunnable
from langchain_scaffolding.middleware import ProgressMiddleware
from scaffolding_core import InvalidRequestError, RunCutError, current_run
from tests.langchain.doubles import KnownChat

both_ways = pytest.mark.parametrize("how", ["sync", "async"])


class Worker(KnownChat):
    """In each run it works three steps, each as well as the run is told to, and then says how well."""

    well: list

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        run = current_run.get()
        done = sum(isinstance(message, ToolMessage) for message in messages)
        how = self.well[run.index if run is not None else 0]
        if done == 3:
            message = AIMessage(f"{how}")
        else:
            message = AIMessage("", tool_calls=[{"name": "work", "args": {"well": how}, "id": f"{done}"}])
        return ChatResult(generations=[ChatGeneration(message=message)])

    def bind_tools(self, tools, **kwargs):
        return self


@tool
def work(well: float) -> str:
    """Work."""
    return f"worked {well}"


asked = []


def progress(prompt, transcript):
    asked.append((prompt, transcript))
    return float(transcript.split()[-1])


def runs_of(*well, **rule):
    asked.clear()
    model = Worker(answers=["-"], well=list(well))
    agent = create_agent(model, [work], middleware=[ProgressMiddleware(progress, **rule)])
    return agent, ScaffoldingRunnable.wrap(
        agent,
        sample_num=len(well),
        text=lambda state: state["messages"][-1].text,
        method_options={"stop_rule": "full"},
    )


async def called(runnable, how):
    given = {"messages": [HumanMessage("go")]}
    return await asyncio.to_thread(runnable.invoke, given) if how == "sync" else await runnable.ainvoke(given)


def survivors(output):
    assert all(isinstance(each.error, RunCutError | None) for each in output.candidates)
    return [each.text for each in output.candidates if each.error is None]


@both_ways
async def test_a_run_below_the_threshold_is_cut_but_never_the_last(how):
    _, runs = runs_of(0.9, 0.1, 0.8, threshold=0.5)
    assert survivors(await called(runs, how)) == ["0.9", "0.8"]
    _, runs = runs_of(0.1, 0.1, 0.1, threshold=0.5)
    assert survivors(await called(runs, how)) == ["0.1"]


@both_ways
async def test_a_run_that_stays_behind_the_best_is_cut(how):
    _, runs = runs_of(0.9, 0.1, 0.8, margin=0.3, after=1)
    assert "0.9" in (left := survivors(await called(runs, how)))
    assert "0.8" in left


@both_ways
async def test_the_reward_sees_the_prompt_and_the_steps_so_far(how):
    _, runs = runs_of(0.9, threshold=0.5)
    await called(runs, how)
    assert [prompt for prompt, _ in asked] == ["go"] * 3
    assert asked[0][1] == 'ai: \nwork({"well": 0.9})\n\ntool: worked 0.9'
    assert [transcript.count("tool:") for _, transcript in asked] == [1, 2, 3]


@both_ways
async def test_an_agent_by_itself_is_not_scored(how):
    agent, _ = runs_of(0.1, threshold=0.5)
    assert (await called(agent, how))["messages"][-1].text == "0.1"
    assert asked == []


@both_ways
async def test_a_step_that_cannot_be_scored_cuts_nobody(how):
    def broken(prompt, transcript):
        raise ValueError("no")

    model = Worker(answers=["-"], well=[0.1, 0.1])
    agent = create_agent(model, [work], middleware=[ProgressMiddleware(broken, threshold=0.5)])
    runs = ScaffoldingRunnable.wrap(agent, sample_num=2, text=lambda state: state["messages"][-1].text)
    assert (await called(runs, how)).text == "0.1"


def test_a_rule_that_cuts_nobody_is_refused():
    with pytest.raises(InvalidRequestError, match="set margin, threshold or both"):
        ProgressMiddleware(progress)
